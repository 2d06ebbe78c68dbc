// Every state of a sale on every screen that shows it: the one thing that can be done, and where the money is. Beside this file:
//
// | state      | sale                          | contribute       | positions                        | team's console             |
// |------------|-------------------------------|------------------|----------------------------------|----------------------------|
// | upcoming   | here, page, gates (vouchers)  | here             | here (nobody has one)            | here, team, keyboard       |
// | open       | here, page, modes (auction)   | here, page       | here, layout                     | here, team (cancel)        |
// | ended      | here (a stranger), page       | here             | here (an investor may close it)  | here, team, keyboard       |
// | succeeded  | here (next unlock), page      | here             | here, page, modes (vesting)      | here, team (release)       |
// | failed     | here, page, modes (token)     | here             | here                             | here                       |
// | cancelled  | here, team                    | here             | here                             | here, team, keyboard       |
//
// Paused and sold out are states of an open sale: here for the first, `soldout` for both. Cooling-off, rejection and objection change
// what an investor may do in them: `page`, `gates`.
import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { accountsOf, asked, Chain, CHAIN, connect, ETHER, plain, sees, story, use } from './acts.mjs'
import { isAccessible, launch, watched } from './browser.mjs'
import { addWallet } from './wallet.mjs'
import { until, World } from './world.mjs'

const test = story()
/** What its two investors pay into the good one, whose goal is 20. */
const [MINE, OTHERS] = [15n * ETHER + 1n, 10n * ETHER]

let world, chain, browser, page, faults, accounts, owner, investor, stranger, good, poor, off

before(async () => {
  world = await World.start()
  chain = new Chain(world)
  browser = await launch()
  accounts = await accountsOf(world)
  owner = accounts[1]
  investor = accounts[4]
  stranger = accounts[9]
  const opened = await watched(browser, world.api)
  faults = opened.faults
  await addWallet(opened.context, world, { account: investor })
  page = await opened.context.newPage()
  const named = (name, rest = '') =>
    world.deploy('aurora-eth.toml', (one) =>
      one
        .replaceAll('Aurora', name)
        .replace('soft_cap = "250"', 'soft_cap = "20"')
        .replace('[whitepaper]', `${rest}\n[whitepaper]`),
    )
  good = await named('Good', '[vesting]\nat_once = "20%"\ncliff = "30d"\nduration = "100d"\n')
  poor = await named('Poor')
  off = await named('Off')
})

after(async () => {
  await browser?.close()
  await world?.stop()
})

const at = async (hash) => {
  await world.indexed()
  await page.goto(`${world.api}/${hash}`)
  await page.reload()
}
const next = () => page.locator('section.next')

/** Holds what the page of a sale says: its state, the one thing to do, and where the money is. */
async function isOnSale(sale, { badge, title, action, money }) {
  await at(`#/sales/${CHAIN}/${sale}`)
  await page.getByRole('heading', { name: title }).waitFor()
  assert.equal(await page.locator('.heading .badge').innerText(), badge)
  const primary = next().locator('.primary')
  await primary.first().waitFor()
  await until(`“${action}” is the one thing to do`, async () => plain(await primary.first().innerText()) === action)
  assert.equal(await primary.count(), 1)
  const told = next().getByRole('heading', { name: 'What happens to the money' }).locator('+ p')
  await until(money, async () => plain(await told.innerText()) === money)
}

/** What its other screens say of it. */
async function isElsewhere(sale, name, { contribute, position, act, console: run, list }) {
  await at(`#/sales/${CHAIN}/${sale}/contribute`)
  if (contribute === undefined) {
    await page.getByRole('button', { name: 'Review' }).waitFor()
  } else {
    await sees(page, contribute)
    assert.equal(await page.getByRole('button', { name: 'Review' }).count(), 0)
    assert.equal(
      await page
        .locator('.notice')
        .getByRole('link', { name: `Back to ${name}` })
        .count(),
      1,
    )
  }
  await at(`#/positions/${investor}`)
  const mine = page.getByRole('listitem').filter({ has: page.getByRole('link', { name, exact: true }) })
  if (position === undefined) {
    await page.locator('.sales, .notice').first().waitFor()
    assert.equal(await mine.count(), 0)
  } else {
    await sees(mine, position)
    // A link or a button, and no second one.
    if (act === undefined) assert.equal(await mine.locator('.primary').count(), 0)
    else await mine.getByText(act, { exact: true }).waitFor()
  }
  await at(`#/team/${CHAIN}/${sale}`)
  await page.getByRole('heading', { name: 'What can be done' }).waitFor()
  const titles = await page.locator('.acts h3').allInnerTexts()
  for (const title of run.has) assert.ok(titles.includes(title), `${title}: ${titles.join(', ')}`)
  for (const title of run.hasNot) assert.ok(!titles.includes(title), `${title}: ${titles.join(', ')}`)
  await at('#/')
  const card = page.getByRole('listitem').filter({ has: page.getByRole('link', { name, exact: true }) })
  await sees(card, list)
}

const UPCOMING_OR_OPEN = ['Pause contributions', 'Call the sale off', 'Compliance officer']
const SETTLED = ['Send unsold tokens home']

test('upcoming: check whether one can take part; nobody else will be able to move the money', async () => {
  await at('#/')
  await connect(page)
  await isOnSale(good, {
    badge: 'Upcoming',
    title: 'It opens 1 Mar 2031, 14:00 UTC',
    action: 'Check whether you can take part',
    money:
      'From the opening on, the contract of the sale holds what investors pay. Nobody else can move it: not the team, not this service.',
  })
  await isElsewhere(good, 'Good', {
    contribute: 'This sale takes no contributions now.',
    console: { has: UPCOMING_OR_OPEN, hasNot: ['Close the sale', 'Pay the beneficiary what is due', ...SETTLED] },
    list: /Opens in/,
  })
})

test('open: contribute; the contract holds the money, and when it goes back', async () => {
  await world.moveClockTo('2031-03-01T14:00:00Z')
  await chain.send(investor, good, { value: MINE })
  await chain.send(investor, poor, { value: ETHER + 7n })
  await chain.send(investor, off, { value: ETHER / 2n + 3n })
  await chain.send(accounts[5], good, { value: OTHERS })
  await chain.send(accounts[5], off, { value: ETHER })
  await isOnSale(good, {
    badge: 'Open',
    title: 'It is open',
    action: 'Contribute',
    money:
      'Until the end, the contract of the sale holds the money. If less than 20 ETH comes in, or the sale is called off, you take back exactly what you paid; this page shows how.',
  })
  await isElsewhere(good, 'Good', {
    position: 'You have paid. The sale still runs.',
    act: 'Contribute more',
    // Above the goal nobody can call it off any more.
    console: { has: ['Pause contributions', 'Compliance officer'], hasNot: ['Close the sale', 'Call the sale off'] },
    list: /Ends in/,
  })
})

test('open but paused: nothing can be paid, and it is said that claims and refunds can', async () => {
  // setPaused(bool)
  const pause = (on) => chain.send(owner, poor, { data: `0x16c38b3c${on.padStart(64, '0')}` })
  await pause('1')
  await at(`#/sales/${CHAIN}/${poor}`)
  await sees(page, 'The owner has paused contributions. Claims and refunds are not affected; nobody can pause those.')
  assert.equal(await next().getByRole('link', { name: 'Contribute', exact: true }).count(), 0)
  await at(`#/sales/${CHAIN}/${poor}/contribute`)
  await sees(page, 'The owner has paused contributions.')
  assert.equal(await page.getByRole('button', { name: 'Review' }).count(), 0)
  await isAccessible(page, 'state-paused')
  await pause('0')
})

test('cancelled: get the money back; how much of it is still held, to the wei', async () => {
  // cancel()
  await chain.send(owner, off, { data: '0xea8a1af0' })
  await isOnSale(off, {
    badge: 'Cancelled',
    title: 'It was called off',
    action: 'Get your money back',
    money:
      '0 ETH of 1.500000000000000003 ETH have gone back to investors; the contract holds 1.500000000000000003 ETH for the others.',
  })
  assert.match(plain(await next().locator('.gets').innerText()), /Yours to take back 0\.500000000000000003 ETH/)
  await isAccessible(page, 'state-cancelled')
  await isElsewhere(off, 'Off', {
    contribute: 'This sale takes no contributions now.',
    position: 'The sale did not succeed. Your money waits for you.',
    act: 'Get your money back',
    console: { has: SETTLED, hasNot: ['Pause contributions', 'Close the sale', 'Call the sale off'] },
    list: 'Called off by its owner',
  })
  await at(`#/sales/${CHAIN}/${off}`)
  const before = await chain.balance(investor)
  await next().getByRole('button', { name: 'Get your money back' }).click()
  await sees(page, 'This wallet has nothing to take back here')
  assert.equal(await chain.balance(investor), before - (await chain.feeOf(page)) + ETHER / 2n + 3n)
  await until('what is held is less', async () =>
    plain(await next().innerText()).includes(
      '0.500000000000000003 ETH of 1.500000000000000003 ETH have gone back to investors; the contract holds 1 ETH for the others.',
    ),
  )
})

test('ended: anybody closes it, and the money is held until then', async () => {
  await world.moveClockTo('2031-03-29T14:00:00Z')
  await use(page, stranger)
  for (const sale of [good, poor])
    await isOnSale(sale, {
      badge: 'Ended, not closed',
      title: 'It has ended, and waits to be closed',
      action: 'Close the sale',
      money:
        'The contract of the sale still holds all the money. Closing decides whether it goes on to the team or back to investors.',
    })
  await use(page, investor)
  await isElsewhere(good, 'Good', {
    contribute: 'This sale takes no contributions now.',
    position: 'The sale has ended. Once it is closed, you get tokens or your money back.',
    act: 'Close the sale',
    console: { has: ['Close the sale'], hasNot: ['Call the sale off', 'Pay the beneficiary what is due', ...SETTLED] },
    list: /^Ended/,
  })
})

test('a stranger closes it, and it costs the fee alone', async () => {
  await use(page, stranger)
  await at(`#/sales/${CHAIN}/${good}`)
  assert.equal((await chain.read(good, 'positionOf', [stranger]))[0], 0n)
  const before = await chain.balance(stranger)
  await next().getByRole('button', { name: 'Close the sale' }).click()
  await page.getByRole('heading', { name: 'It reached its goal' }).waitFor()
  assert.equal(await chain.balance(stranger), before - (await chain.feeOf(page)))
  await sees(next(), 'This wallet has nothing to claim here now.')
  await at(`#/sales/${CHAIN}/${poor}`)
  await next().getByRole('button', { name: 'Close the sale' }).click()
  await page.getByRole('heading', { name: 'It missed its goal' }).waitFor()
  await sees(next(), 'This wallet has nothing to take back here')
})

test('succeeded: claim what is free, and see when the next tokens are', async () => {
  await use(page, investor)
  await isOnSale(good, {
    badge: 'Succeeded',
    title: 'It reached its goal',
    action: 'Claim your tokens',
    money: 'The money goes to the team’s account by the terms of the sale. So far 0 ETH have been paid out.',
  })
  const { tokens } = await chain.read(good, 'positionOf', [investor])
  const units = (raw) =>
    `${raw / ETHER}.${String(raw % ETHER).padStart(18, '0')}`.replace(/\.?0+$/, '').replace(/\B(?=(\d{3})+(\.|$))/, ' ')
  const free = (tokens * 2_000n) / 10_000n
  await until('what is free is shown', async () =>
    plain(await next().locator('.gets').innerText()).includes(`${units(free)} AUR`),
  )
  await isAccessible(page, 'state-succeeded')
  // The whole of it by the schedule, as a table.
  const unlocks = page.locator('section', { has: page.locator('#unlock-chart') })
  await unlocks.getByText('As a table').click()
  assert.match(plain(await unlocks.locator('tbody tr').first().innerText()), /20 %/)
  assert.match(plain(await unlocks.locator('tbody tr').last().innerText()), /100 %/)
  await isElsewhere(good, 'Good', {
    contribute: 'This sale takes no contributions now.',
    position: 'The sale succeeded. Your tokens wait for you.',
    act: 'Claim your tokens',
    console: {
      has: ['Pay the beneficiary what is due', ...SETTLED],
      hasNot: ['Close the sale', 'Pause contributions'],
    },
    list: 'Reached its goal',
  })
  await at(`#/sales/${CHAIN}/${good}`)
  await next().getByRole('button', { name: 'Claim your tokens' }).click()
  await sees(next(), 'This wallet has nothing to claim here now.')
  const { token } = (await world.get(`/v1/sales/${CHAIN}/${good}`)).data
  assert.equal((await chain.read(token.address, 'balanceOf', [investor]))[0], free)
  await at(`#/positions/${investor}`)
  const mine = page.getByRole('listitem').filter({ has: page.getByRole('link', { name: 'Good', exact: true }) })
  await sees(mine, 'The sale succeeded. More of your tokens become free with time.')
  await sees(mine, 'When your tokens are free')
  // Thirty days after it was closed.
  await sees(mine, '28 Apr 2031')
  assert.equal(await mine.locator('.primary').count(), 0)
})

test('succeeded and paid out: the page says how much the team has had', async () => {
  await world.run('release', good, '--dev-account', '9')
  await at(`#/sales/${CHAIN}/${good}`)
  const raised = '25.000000000000000001 ETH'
  await until('what was paid is shown', async () =>
    plain(await next().innerText()).includes(`So far ${raised} have been paid out.`),
  )
})

test('failed: get the money back, exactly; how much has gone back already', async () => {
  await isOnSale(poor, {
    badge: 'Failed',
    title: 'It missed its goal',
    action: 'Get your money back',
    money:
      '0 ETH of 1.000000000000000007 ETH have gone back to investors; the contract holds 1.000000000000000007 ETH for the others.',
  })
  assert.match(plain(await next().locator('.gets').innerText()), /Yours to take back 1\.000000000000000007 ETH/)
  await isElsewhere(poor, 'Poor', {
    contribute: 'This sale takes no contributions now.',
    position: 'The sale did not succeed. Your money waits for you.',
    act: 'Get your money back',
    console: { has: SETTLED, hasNot: ['Close the sale', 'Pause contributions', 'Pay the beneficiary what is due'] },
    list: 'Missed its goal',
  })
  await at(`#/positions/${investor}`)
  const mine = page.getByRole('listitem').filter({ has: page.getByRole('link', { name: 'Poor', exact: true }) })
  const before = await chain.balance(investor)
  await mine.getByRole('button', { name: 'Get your money back' }).click()
  await sees(mine, 'The sale did not succeed. You have your money back.')
  assert.equal(await chain.balance(investor), before - (await chain.feeOf(page)) + ETHER + 7n)
  await at(`#/sales/${CHAIN}/${poor}`)
  await until('what has gone back is told', async () =>
    plain(await next().innerText()).includes(
      '1.000000000000000007 ETH of 1.000000000000000007 ETH have gone back to investors; the contract holds 0 ETH for the others.',
    ),
  )
  assert.equal(await asked(page, 'eth_sendTransaction'), 0)
})

test('nothing broke the page’s policy, and nobody else was asked for anything', () => {
  assert.deepEqual(faults, [])
})
