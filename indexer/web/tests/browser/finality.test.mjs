// How final each figure is: one mark a card, and how much of a sum may still change.
import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { accountsOf, Chain, CHAIN, ETHER, sees, story } from './acts.mjs'
import { isAccessible, launch, watched } from './browser.mjs'
import { until, World } from './world.mjs'

const test = story()
let world, chain, browser, page, faults, accounts, aurora

before(async () => {
  world = await World.start()
  chain = new Chain(world)
  browser = await launch()
  accounts = await accountsOf(world)
  const opened = await watched(browser, world.api)
  faults = opened.faults
  page = await opened.context.newPage()
  aurora = await world.deploy('aurora-eth.toml', (one) =>
    one
      .replace('soft_cap = "250"', 'soft_cap = "20"')
      .replace('[whitepaper]', '[release]\nat_once = "25%"\nduration = "100d"\nobjection = "50%"\n\n[whitepaper]'),
  )
  await world.moveClockTo('2031-03-01T14:00:00Z')
  // What was paid stays as it is until the blocks come that this story mines, however slow the machine is.
  await world.rpc('evm_setIntervalMining', [0])
  await world.rpc('evm_setAutomine', [true])
})

after(async () => {
  await browser?.close()
  await world?.stop()
})

const card = (title) => page.locator('section.card', { has: page.getByRole('heading', { name: title, exact: true }) })
const is = (title, finality) =>
  until(`${title}: ${finality}`, async () => {
    const marks = await card(title).locator('.badge').allInnerTexts()
    return marks.length > 0 && marks[0] === finality
  })
/** So that all there was is final. */
async function settle() {
  await world.rpc('anvil_mine', ['0x50'])
  await world.indexed()
}

test('what was raised, the totals and the charts say that they may still change, and by how much', async () => {
  await chain.send(accounts[4], aurora, { value: 15n * ETHER })
  await settle()
  await chain.send(accounts[5], aurora, { value: 6n * ETHER })
  await chain.send(accounts[6], aurora, { value: ETHER })
  await world.indexed()
  await page.goto(`${world.api}/#/`)
  const listed = page.getByRole('listitem').filter({ has: page.getByRole('link', { name: 'Aurora' }) })
  await listed.locator('.raised .badge', { hasText: 'Included' }).waitFor()
  await isAccessible(page, 'finality-directory')
  await page.goto(`${world.api}/#/sales/${CHAIN}/${aurora}`)
  await is('So far', 'Included')
  await sees(card('So far'), '2 contributions are not final yet.', { exact: true })
  await is('Raised by day', 'Included')
  await is('How it is spread', 'Included')
  await isAccessible(page, 'finality-sale')
})

test('and then that they will not, without being loaded again', async () => {
  await settle()
  await is('So far', 'Final')
  await is('Raised by day', 'Final')
  await is('How it is spread', 'Final')
  await card('So far').getByText('not final yet').waitFor({ state: 'detached' })
  await page.goto(`${world.api}/#/`)
  const listed = page.getByRole('listitem').filter({ has: page.getByRole('link', { name: 'Aurora' }) })
  await listed.locator('.raised .badge', { hasText: 'Final' }).waitFor()
})

test('of more than are listed, at least so many are told', async () => {
  for (let count = 0; count < 11; count++) await chain.send(accounts[7], aurora, { value: ETHER })
  await world.indexed()
  await page.goto(`${world.api}/#/sales/${CHAIN}/${aurora}`)
  await page.reload()
  await sees(card('So far'), 'At least 10 contributions are not final yet.', { exact: true })
})

test('the objections say it, too', async () => {
  await world.moveClockTo('2031-03-29T14:00:00Z')
  await world.run('sale', 'close', aurora, '--dev-account', '0')
  await world.indexed()
  await page.reload()
  await is('Payments to the team, and how to stop them', 'Included')
  await isAccessible(page, 'finality-objection')
  await settle()
  await is('Payments to the team, and how to stop them', 'Final')
})

test('nothing broke the page’s policy, and nobody else was asked for anything', () => {
  assert.deepEqual(faults, [])
})
