// Every bad amount, of ether and of a token with 6 decimals, is told beside its field as a sentence that says what to do, and ends there: the
// wallet is asked to sign and to send nothing. What the page allows, the contract takes to the last unit.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { after, before } from 'node:test'
import { accountsOf, asked, Chain, CHAIN, connect, ETHER, sees, story, use } from './acts.mjs'
import { isAccessible, launch, watched } from './browser.mjs'
import { addWallet } from './wallet.mjs'
import { until, World } from './world.mjs'

const { Interface } = createRequire(import.meta.url)('ethers')
const tokenAbi = new Interface([
  'function mint(address, uint256)',
  'function approve(address, uint256)',
  'function contribute(address, uint256, bytes)',
])
const DOLLAR = 1_000_000n
const test = story()

let world, chain, browser, page, faults, accounts, aurora, harbor, dollar

before(async () => {
  world = await World.start()
  chain = new Chain(world)
  browser = await launch()
  accounts = await accountsOf(world)
  const opened = await watched(browser, world.api)
  faults = opened.faults
  await addWallet(opened.context, world, { account: accounts[4] })
  page = await opened.context.newPage()
  dollar = world.place.stablecoin
  // Both open at once, each with a hard cap that is near.
  aurora = await world.deploy('aurora-eth.toml', (one) =>
    one
      .replaceAll('2031-03', '2031-09')
      .replace('soft_cap = "250"', 'soft_cap = "20"')
      .replace('hard_cap = "1000"', 'hard_cap = "60"')
      .replace('raised_up_to = "200"', 'raised_up_to = "40"'),
  )
  harbor = await world.deploy('harbor-usd.toml', (one) =>
    one
      .replaceAll('2031-09-01T08', '2031-09-01T13')
      .replace('soft_cap = "400000"', 'soft_cap = "400"')
      .replace('hard_cap = "2000000"', 'hard_cap = "900"')
      .replace('raised_up_to = "400000"', 'raised_up_to = "300"')
      .replace('raised_up_to = "1000000"', 'raised_up_to = "500"')
      .replace('max = "100000"', 'max = "600"'),
  )
  await world.moveClockTo('2031-09-01T14:00:00Z')
  for (const [index, value] of [
    [4, 10_000n * DOLLAR],
    [5, 10_000n * DOLLAR],
    [6, 120n * DOLLAR + 1n],
  ])
    await call(accounts[index], dollar, 'mint', [accounts[index], value])
})

after(async () => {
  await browser?.close()
  await world?.stop()
})

const call = (from, to, name, values) => chain.send(from, to, { data: tokenAbi.encodeFunctionData(name, values) })
const SENDS = ['eth_sendTransaction', 'eth_signTypedData_v4', 'wallet_sendCalls', 'personal_sign']
const field = (symbol) => page.getByLabel(`Amount in ${symbol}`)

async function open(sale) {
  await world.indexed()
  await page.goto(`${world.api}/#/sales/${CHAIN}/${sale}/contribute`)
  await page.reload()
  await sees(page, 'Your wallet has')
}

/** Types it, and tries to go on all the same. */
async function isRefused(symbol, typed, told) {
  const input = field(symbol)
  await input.fill(typed)
  await sees(page.locator('#amount-told .fault'), told)
  assert.equal(await input.getAttribute('aria-invalid'), 'true', typed)
  // Heard with the field, and not only seen beside it.
  assert.ok((await input.getAttribute('aria-describedby')).split(' ').includes('amount-told'), typed)
  await input.press('Enter')
  assert.equal(await page.getByRole('heading', { name: 'Check before you confirm' }).count(), 0, typed)
}

async function isAskedNothing() {
  for (const method of SENDS) assert.equal(await asked(page, method), 0, method)
}

const COMMON = (symbol, decimals) => [
  ['1,5', 'Write the amount without commas; decimals go behind a point, as in 1234.5.'],
  ['1.000,5', 'Write the amount without commas'],
  ['1 000', 'Write the amount without spaces: 1000.'],
  ['1\u202f000.5', 'Write the amount without spaces: 1000.5.'],
  ['1e3', 'Write the amount out, without an exponent.'],
  ['1.5E-2', 'Write the amount out, without an exponent.'],
  ['-1', 'Write the amount without a sign.'],
  [`0.${'0'.repeat(decimals)}1`, `${symbol} has at most ${decimals} decimals.`],
  [`150.${'1'.repeat(decimals + 1)}`, `${symbol} has at most ${decimals} decimals.`],
  ['1.2.3', 'Write the amount with at most one point, as in 1234.5.'],
  ['abc', 'Write the amount with digits and a point alone, as in 1234.5.'],
  ['0', 'Write an amount above zero.'],
  ['9'.repeat(61), 'This is more than there can be.'],
]

test('ether: what is no amount, and what the terms or the wallet do not allow', async () => {
  await page.goto(`${world.api}/#/sales/${CHAIN}/${aurora}/contribute`)
  await connect(page)
  await open(aurora)
  for (const [typed, told] of COMMON('ETH', 18)) await isRefused('ETH', typed, told)
  await isRefused('ETH', '0.049999999999999999', 'The least is 0.05 ETH.')
  await isRefused('ETH', '50.000000000000000001', 'The most is 50 ETH an investor.')
  await isAccessible(page, 'amount-eth')
  await world.rpc('anvil_setBalance', [accounts[4], `0x${(2n * ETHER).toString(16)}`])
  await sees(page, 'Your wallet has 2 ETH.')
  await isRefused('ETH', '2.000000000000000001', 'Your wallet has 2 ETH.')
  await isRefused('ETH', '2', 'That is all your wallet has; leave some for the network’s fee.')
  await world.rpc('anvil_setBalance', [accounts[4], `0x${(100n * ETHER).toString(16)}`])
  await sees(page, 'Your wallet has 100 ETH.')
  await isAskedNothing()
})

test('ether: what was paid before counts, and above the hard cap it is told what is left', async () => {
  await use(page, accounts[5])
  await chain.send(accounts[5], aurora, { value: 49n * ETHER })
  await open(aurora)
  await sees(page, 'This wallet has paid 49 ETH into this sale so far.')
  await isRefused('ETH', '1.000000000000000001', 'The most is 50 ETH an investor, and you have paid 49 ETH.')
  await use(page, accounts[4])
  await open(aurora)
  await field('ETH').fill('11.000000000000000001')
  await sees(page.locator('#amount-told'), 'Only 11 ETH of it would be taken: that is all that is left.')
  await page.getByRole('button', { name: 'Use 11 ETH' }).click()
  assert.equal(await field('ETH').inputValue(), '11')
  await isAskedNothing()
  await page.getByRole('button', { name: 'Review' }).click()
  await page.getByRole('button', { name: 'Confirm in the wallet' }).click()
  await until('it is paid', async () => (await chain.read(aurora, 'positionOf', [accounts[4]]))[0] === 11n * ETHER)
})

test('a token of 6 decimals: what is no amount, and what the terms or the wallet do not allow', async () => {
  await open(harbor)
  await sees(page, 'Your wallet has 10\u202f000 USDD.')
  for (const [typed, told] of COMMON('USDD', 6)) await isRefused('USDD', typed, told)
  await isRefused('USDD', '99.999999', 'The least is 100 USDD.')
  await isRefused('USDD', '600.000001', 'The most is 600 USDD an investor.')
  await isAccessible(page, 'amount-usdd')
  await use(page, accounts[6])
  await sees(page, 'Your wallet has 120.000001 USDD.')
  await isRefused('USDD', '120.000002', 'Your wallet has 120.000001 USDD.')
  await isAskedNothing()
})

test('a token of 6 decimals: what was paid before counts, and above the hard cap it is told what is left', async () => {
  await call(accounts[5], dollar, 'approve', [harbor, 600n * DOLLAR])
  await call(accounts[5], harbor, 'contribute', [accounts[5], 550n * DOLLAR, '0x'])
  await use(page, accounts[5])
  await open(harbor)
  await sees(page, 'This wallet has paid 550 USDD into this sale so far.')
  await isRefused('USDD', '50.000001', 'The most is 600 USDD an investor, and you have paid 550 USDD.')
  await use(page, accounts[4])
  await open(harbor)
  await field('USDD').fill('350.000001')
  await sees(page.locator('#amount-told'), 'Only 350 USDD of it would be taken: that is all that is left.')
  await page.getByRole('button', { name: 'Use 350 USDD' }).click()
  assert.equal(await field('USDD').inputValue(), '350')
  await isAskedNothing()
  await page.getByRole('button', { name: 'Review' }).click()
  await page.getByRole('button', { name: 'Sign and contribute' }).click()
  await until('it is paid', async () => (await chain.read(harbor, 'positionOf', [accounts[4]]))[0] === 350n * DOLLAR)
})

test('nothing broke the page’s policy, and nobody else was asked for anything', () => {
  assert.deepEqual(faults, [])
})
