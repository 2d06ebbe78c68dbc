// The card of a contribution of which less is taken than was typed: what its trial foresaw before it is in a block, and what its block took
// of it, to the wei; through reloads, another block, a higher fee, an index alone, and a batch.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { after, before } from 'node:test'
import { isAccessible, launch, watched } from './browser.mjs'
import { deploy } from './compiled.mjs'
import { CHAIN, ETHER, hex, plain, read, receiptOf, sees, send, story } from './steps.mjs'
import { addWallet } from './wallet.mjs'
import { until, World } from './world.mjs'

const { Interface } = createRequire(import.meta.url)('ethers')
const abi = new Interface([
  'function positionOf(address) view returns (uint256 paid, uint256 tokens)',
  'function mint(address, uint256)',
  'function approve(address, uint256)',
  'function balanceOf(address) view returns (uint256)',
  'function contribute(address, uint256, bytes)',
])
const CONTRIBUTED = '0x499209a660f3874ce32a0ba6b47009474648c4de44a145c18501e816d1b897c1'
const DOLLAR = 1_000_000n
/** Enough to be first in its block. */
const FIRST = { maxFeePerGas: hex(10n ** 12n), maxPriorityFeePerGas: hex(10n ** 11n) }
const test = story()

let world, browser, page, faults, accounts, me, batcher, last, sped, indexed, harbor

before(async () => {
  world = await World.start()
  browser = await launch()
  accounts = await world.rpc('eth_accounts')
  me = accounts[4]
  // 20 ETH at 0.0008, and then the rest.
  const aurora = (name, cap, max) =>
    world.deploy('aurora-eth.toml', (file) =>
      file
        .replace('name = "Aurora"', `name = "${name}"`)
        .replace('soft_cap = "250"', 'soft_cap = "10"')
        .replace('hard_cap = "1000"', `hard_cap = "${cap}"`)
        .replace('raised_up_to = "200"', 'raised_up_to = "20"')
        .replace('max = "50"', `max = "${max}"`),
    )
  last = await aurora('Notus', '60', '50')
  sped = await aurora('Eurus', '21', '20')
  indexed = await aurora('Zephyr', '21', '20')
  harbor = await world.deploy('harbor-usd.toml', (file) =>
    file
      .replaceAll('2031-09', '2031-03')
      .replace('2031-10-01', '2031-03-29')
      .replace('soft_cap = "400000"', 'soft_cap = "400"')
      .replace('hard_cap = "2000000"', 'hard_cap = "900"')
      .replace('raised_up_to = "400000"', 'raised_up_to = "300"')
      .replace('raised_up_to = "1000000"', 'raised_up_to = "500"')
      .replace('max = "100000"', 'max = "600"'),
  )
  await world.moveClockTo('2031-03-01T14:00:00Z')
  for (const [from, to, value] of [
    [accounts[5], last, 40n * ETHER],
    [accounts[6], last, 19n * ETHER],
    [accounts[5], sped, 20n * ETHER - ETHER / 4n],
    [accounts[5], indexed, 20n * ETHER - ETHER / 4n],
  ])
    await send(world, { from, to, value: hex(value) })
  const dollar = world.place.stablecoin
  const call = (from, to, name, values) =>
    send(world, { from, to, data: abi.encodeFunctionData(name, values), gas: hex(1_000_000) })
  for (const who of [accounts[5], accounts[8]]) await call(who, dollar, 'mint', [who, 1_000n * DOLLAR])
  await call(accounts[5], dollar, 'approve', [harbor, 550n * DOLLAR])
  await call(accounts[5], harbor, 'contribute', [accounts[5], 550n * DOLLAR, '0x'])
  batcher = await deploy(world, 'Batcher', accounts[0])
  // The account has lent itself the code (EIP-7702).
  await world.rpc('anvil_setCode', [accounts[8], `0xef0100${batcher.address.slice(2)}`])
  await world.indexed()
  // From here on blocks come when a step says so.
  await world.rpc('evm_setIntervalMining', [0])
  await world.rpc('evm_setAutomine', [false])
  const opened = await watched(browser, world.api)
  faults = opened.faults
  await addWallet(opened.context, world, { account: me })
  page = await opened.context.newPage()
  await page.goto(contribute(last))
  await connect(page)
})

after(async () => {
  await browser?.close()
  await world?.stop()
})

const contribute = (sale) => `${world.api}/#/sales/${CHAIN}/${sale}/contribute`
const mine = () => world.rpc('evm_mine')
const paid = async (sale, account = me) => (await read(world, abi, sale, 'positionOf', [account])).paid
const balance = async () => BigInt(await world.rpc('eth_getBalance', [me, 'latest']))
const feeOf = ({ gasUsed, effectiveGasPrice }) => BigInt(gasUsed) * BigInt(effectiveGasPrice)

async function connect(on) {
  await on.locator('main').getByRole('button', { name: 'Connect wallet' }).click()
  await on.getByRole('button', { name: 'Test Wallet' }).click()
  await on.getByRole('dialog').waitFor({ state: 'hidden' })
}
async function open(sale) {
  await page.goto(contribute(sale))
  await page.reload()
  await sees(page, 'Your wallet has')
}
async function confirm(amount, symbol = 'ETH', on = page) {
  await on.getByLabel(`Amount in ${symbol}`).fill(amount)
  await on.getByRole('button', { name: 'Review' }).click()
  await on.getByRole('button', { name: 'Confirm in the wallet' }).click()
}
const card = (on = page) => on.locator('.transaction').first()
const is = (state, on = page) => card(on).locator('.badge', { hasText: state }).waitFor()
const kept = (on = page) => on.evaluate(() => JSON.parse(localStorage.getItem('crowdsale.transactions'))[0])
/** Its title, and each sentence. */
const shows = (title, words, on = page) =>
  until(`the card says ${title}, ${words}`, async () => {
    const text = plain(await card(on).innerText())
    return text.startsWith(title) && words.every((one) => text.includes(one))
  })
const partsOf = ({ logs }) => logs.filter(({ topics }) => topics[0] === CONTRIBUTED).length

const FORESEEN = ['Of 4 ETH, only 1 ETH would be taken. 3 ETH would come back at once.']
const TAKEN = 'Contribution 0.599999999999999999 ETH'
let raw

test('it shows what would be taken until it is in a block, and then what was, as somebody else was faster', async () => {
  const had = await balance()
  await confirm('4')
  await is('Pending')
  await shows('Contribution 1 ETH', FORESEEN)
  await isAccessible(page, 'taken-pending')
  await page.reload()
  await shows('Contribution 1 ETH', FORESEEN)
  const { hash, value } = await kept()
  assert.equal(BigInt(value), 4n * ETHER)
  raw = await world.rpc('eth_getRawTransactionByHash', [hash])
  const faster = (2n * ETHER) / 5n + 1n
  await world.rpc('eth_sendTransaction', [{ from: accounts[7], to: last, value: hex(faster), ...FIRST }])
  await mine()
  await is('Included')
  const words = 'Of 4 ETH, only 0.599999999999999999 ETH was taken. 3.400000000000000001 ETH came back at once.'
  await shows(TAKEN, [words])
  assert.equal(await paid(last, accounts[7]), faster)
  assert.equal(await paid(last), ETHER - faster)
  assert.equal(await balance(), had - feeOf(await receiptOf(world, hash)) - (ETHER - faster))
  await isAccessible(page, 'taken-included')
  await page.reload()
  await shows(TAKEN, [words])
})

test('in another block it shows what that took, and in none what would be taken', async () => {
  await until('its nonce is known', async () => (await kept()).nonce !== undefined)
  await world.rpc('anvil_reorg', [1, []])
  await is('Pending again')
  await shows('Contribution 1 ETH', FORESEEN)
  assert.equal(await paid(last), 0n)
  await world.rpc('eth_sendRawTransaction', [raw])
  await mine()
  await is('Included')
  const words = ['Of 4 ETH, only 1 ETH was taken. 3 ETH came back at once.']
  await shows('Contribution 1 ETH', words)
  assert.equal(await paid(last), ETHER)
  await world.rpc('anvil_mine', ['0x50'])
  await is('Final')
  await page.reload()
  await shows('Contribution 1 ETH', words)
})

test('one that was sped up shows the sum of its parts', async () => {
  await open(sped)
  await confirm('4')
  await is('Pending')
  await shows('Contribution 1.25 ETH', ['Of 4 ETH, only 1.25 ETH would be taken. 2.75 ETH would come back at once.'])
  const { hash: first } = await until('its nonce is known', async () => {
    const t = await kept()
    return t.nonce === undefined ? undefined : t
  })
  const { from, to, input, value, nonce } = await world.rpc('eth_getTransactionByHash', [first])
  const second = await world.rpc('eth_sendTransaction', [{ from, to, data: input, value, nonce, ...FIRST }])
  await mine()
  await is('Included')
  assert.equal((await kept()).hash, second)
  await shows('Contribution 1.25 ETH', ['Sped up.', 'Of 4 ETH, only 1.25 ETH was taken. 2.75 ETH came back at once.'])
  assert.equal(partsOf(await receiptOf(world, second)), 2)
  assert.equal(await paid(sped), (5n * ETHER) / 4n)
})

test('without the wallet, the index tells the sum of its parts', async () => {
  await open(indexed)
  await confirm('4')
  await is('Pending')
  const { hash } = await kept()
  await page.getByRole('banner').getByRole('button', { name: 'Your wallet' }).click()
  await page.getByRole('button', { name: 'Disconnect' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click()
  await page.reload()
  await shows('Contribution 1.25 ETH', ['only 1.25 ETH would be taken', 'Your wallet is not connected'])
  // Somebody else takes a part of the first phase.
  await world.rpc('eth_sendTransaction', [{ from: accounts[7], to: indexed, value: hex(ETHER / 5n), ...FIRST }])
  await mine()
  await is('Included')
  await shows('Contribution 1.05 ETH', ['Of 4 ETH, only 1.05 ETH was taken. 2.95 ETH came back at once.'])
  assert.equal(partsOf(await receiptOf(world, hash)), 2)
  assert.equal(await paid(indexed), (21n * ETHER) / 20n)
})

test('of a batch of a token, the rest never left the wallet', async () => {
  const account = accounts[8]
  const opened = await watched(browser, world.api)
  await addWallet(opened.context, world, {
    account,
    atomic: 'supported',
    batch: async ({ from, calls }) => {
      const data = batcher.abi.encodeFunctionData('execute', [calls.map(({ to, value, data }) => [to, value, data])])
      const hash = await world.rpc('eth_sendTransaction', [{ from, to: from, data, gas: hex(1_000_000) }])
      return { id: '0xba7c', hash }
    },
  })
  const other = await opened.context.newPage()
  await other.goto(contribute(harbor))
  await connect(other)
  await sees(other, 'Your wallet has')
  await confirm('500.000001', 'USDD', other)
  await is('Pending', other)
  await shows(
    'Contribution 350 USDD',
    ['Of 500.000001 USDD, only 350 USDD would be taken. 150.000001 USDD would stay in your wallet.'],
    other,
  )
  await mine()
  await is('Included', other)
  const words = ['Of 500.000001 USDD, only 350 USDD was taken. 150.000001 USDD never left your wallet.']
  await shows('Contribution 350 USDD', words, other)
  await isAccessible(other, 'taken-batch')
  await other.reload()
  await shows('Contribution 350 USDD', words, other)
  assert.equal(await paid(harbor, account), 350n * DOLLAR)
  assert.deepEqual([...(await read(world, abi, world.place.stablecoin, 'balanceOf', [account]))], [650n * DOLLAR])
  assert.deepEqual(opened.faults, [])
  await opened.context.close()
})

test('nothing broke the page’s policy, and nobody else was asked for anything', () => {
  assert.deepEqual(faults, [])
})
