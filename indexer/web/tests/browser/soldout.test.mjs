// A sale that is open and takes nothing: everything is sold, or its owner has paused it. Who can go on, when, and where the money is.
import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { accountsOf, Chain, CHAIN, connect, ETHER, plain, sees, story, use } from './acts.mjs'
import { isAccessible, launch, watched } from './browser.mjs'
import { addWallet } from './wallet.mjs'
import { until, World } from './world.mjs'

const test = story()
let world, chain, browser, page, faults, accounts, owner, officer, stranger, free, watchful, cooling

before(async () => {
  world = await World.start()
  chain = new Chain(world)
  browser = await launch()
  accounts = await accountsOf(world)
  owner = accounts[1]
  officer = accounts[9]
  stranger = accounts[8]
  const opened = await watched(browser, world.api)
  faults = opened.faults
  await addWallet(opened.context, world, { account: stranger })
  page = await opened.context.newPage()
  const named = (name, terms = '') =>
    world.deploy('aurora-eth.toml', (one) =>
      one
        .replaceAll('Aurora', name)
        .replace('soft_cap = "250"', 'soft_cap = "20"')
        .replace('hard_cap = "1000"', 'hard_cap = "60"')
        .replace('raised_up_to = "200"', 'raised_up_to = "40"')
        .replace('unsold = ', `${terms}\nunsold = `),
    )
  free = await named('Free')
  watchful = await named('Watchful', `compliance = "${officer}"`)
  cooling = await named('Cooling', 'cooling_off = "14d"')
  await world.moveClockTo('2031-03-01T14:00:00Z')
})

after(async () => {
  await browser?.close()
  await world?.stop()
})

const next = () => page.locator('section.next')
const closing = () => next().getByRole('button', { name: 'Close the sale' })
async function at(sale) {
  await world.indexed()
  await page.goto(`${world.api}/#/sales/${CHAIN}/${sale}`)
  await page.reload()
  await page.getByRole('heading', { name: 'What happens to the money' }).waitFor()
}
async function sellOut(sale) {
  await chain.send(accounts[4], sale, { value: 40n * ETHER })
  await chain.send(accounts[5], sale, { value: 20n * ETHER })
}
/** What is said of the money, where the goal of 20 is reached. */
async function tellsOfMoney(early) {
  const told = next().getByRole('heading', { name: 'What happens to the money' }).locator('+ p')
  const wanted = `Until it is closed${early} the contract of the sale holds the money. With 60 ETH the goal of 20 ETH is reached: from the closing on, the money goes to the team by the terms of the sale, and you claim your tokens.`
  await until(wanted, async () => plain(await told.innerText()) === wanted)
}

test('paused: who can let it go on, until when it runs, and what one can do meanwhile', async () => {
  const pause = (sale, on) => chain.send(owner, sale, { data: `0x16c38b3c${on.padStart(64, '0')}` })
  await pause(free, '1')
  await pause(cooling, '1')
  await at(free)
  await connect(page)
  const who = `Only the owner, ${owner.slice(0, 6)}…${owner.slice(-4)}, can let them go on`
  await sees(next(), who)
  await until('it is said what it waits for', async () =>
    plain(await next().innerText()).includes(
      'Until then nothing can be paid in. The sale ends all the same, 29 Mar 2031, 14:00 UTC.',
    ),
  )
  assert.equal(await next().locator('.primary').count(), 0)
  await isAccessible(page, 'paused-stranger')
  await page.goto(`${world.api}/#/sales/${CHAIN}/${free}/contribute`)
  await sees(page.locator('.notice'), who)
  await at(cooling)
  await sees(next(), 'who has paid can still withdraw, for 14 days after the latest contribution')
  await use(page, owner)
  await at(free)
  await next().getByRole('link', { name: 'Let contributions go on' }).click()
  await page.getByRole('button', { name: 'Let contributions go on' }).click()
  await until('it goes on', async () => !(await chain.read(free, 'paused'))[0])
  await at(free)
  await next().getByRole('link', { name: 'Contribute', exact: true }).waitFor()
  await pause(cooling, '0')
})

test('sold out, and nobody has to be waited for: anybody closes it, before its end', async () => {
  await use(page, stranger)
  await sellOut(free)
  await at(free)
  await page.getByRole('heading', { name: 'It is sold out' }).waitFor()
  await sees(next(), 'Everything is sold, so anybody can close it now, before its end')
  await tellsOfMoney(', which can be before its end,')
  assert.equal(await next().locator('.primary').count(), 1)
  await isAccessible(page, 'sold-out')
  const before = await chain.balance(stranger)
  await closing().click()
  await page.getByRole('heading', { name: 'It reached its goal' }).waitFor()
  assert.equal(await chain.balance(stranger), before - (await chain.feeOf(page)))
  // Four weeks early.
  const { timestamp } = await world.rpc('eth_getBlockByNumber', ['latest', false])
  assert.ok(Number(timestamp) * 1000 < Date.parse('2031-03-29T14:00:00Z'))
})

test('sold out, with compliance: it closes at the officer’s word, and all others are told whom to wait for', async () => {
  await sellOut(watchful)
  await at(watchful)
  await page.getByRole('heading', { name: 'It is sold out' }).waitFor()
  await until('it is said who can', async () =>
    plain(await next().innerText()).includes(
      `The compliance officer, ${officer.slice(0, 6)}…${officer.slice(-4)}, can close it now; everybody else, from its end on, 29 Mar 2031, 14:00 UTC.`,
    ),
  )
  await tellsOfMoney(', which can be before its end,')
  assert.equal(await next().locator('.primary').count(), 0)
  await isAccessible(page, 'sold-out-compliance')
  await use(page, officer)
  await sees(next(), 'so you, its compliance officer, can close it now')
  await closing().click()
  await page.getByRole('heading', { name: 'It reached its goal' }).waitFor()
})

test('sold out, with a cooling-off: nobody closes it before its end, and it is said until when', async () => {
  await use(page, stranger)
  await sellOut(cooling)
  await at(cooling)
  await page.getByRole('heading', { name: 'It is sold out' }).waitFor()
  await until('it is said what it waits for', async () =>
    plain(await next().innerText()).includes(
      'It waits for its end, 29 Mar 2031, 14:00 UTC, and nobody can close it before: for 14 days after their latest contribution',
    ),
  )
  await tellsOfMoney('')
  assert.equal(await next().locator('.primary').count(), 0)
  await isAccessible(page, 'sold-out-cooling')
  // An investor that changes its mind, which nobody may cut off, makes room.
  await use(page, accounts[5])
  await next().getByRole('button', { name: 'Withdraw your contribution' }).click()
  await page.getByRole('heading', { name: 'It is open' }).waitFor()
  await next().getByRole('link', { name: 'Contribute', exact: true }).waitFor()
})

test('nothing broke the page’s policy, and nobody else was asked for anything', () => {
  assert.deepEqual(faults, [])
})
