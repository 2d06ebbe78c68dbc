// What a wallet can tell of several calls that it was asked to send at once (EIP-5792) and that did not go through as a whole: 400, 500 and
// 600. Each with what the chain has of it, and with the next step that is right then: to pay once more is offered where nothing was spent.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { after, before } from 'node:test'
import { isAccessible, launch, watched } from './browser.mjs'
import { deploy } from './compiled.mjs'
import { CHAIN, hex, read, receiptOf, sees, send, story } from './steps.mjs'
import { addWallet } from './wallet.mjs'
import { World } from './world.mjs'

const { Interface } = createRequire(import.meta.url)('ethers')
const saleAbi = new Interface([
  'function positionOf(address) view returns (uint256 paid, uint256 tokens)',
  'function setPaused(bool)',
])
const tokenAbi = new Interface([
  'function mint(address, uint256)',
  'function balanceOf(address) view returns (uint256)',
  'function allowance(address, address) view returns (uint256)',
])

const test = story()
let world, browser, page, faults, accounts, account, harbor, dollar, batcher
/** What the wallet does with a batch. */
let takes

before(async () => {
  world = await World.start()
  browser = await launch()
  accounts = await world.rpc('eth_accounts')
  account = accounts[4]
  harbor = await world.deploy('harbor-usd.toml')
  dollar = world.place.stablecoin
  await world.moveClockTo('2031-09-01T08:00:00Z')
  await send(world, { from: account, to: dollar, data: tokenAbi.encodeFunctionData('mint', [account, 1_000_000_001n]) })
  batcher = await deploy(world, 'Batcher', accounts[0])
  // The account has lent itself the code (EIP-7702).
  await world.rpc('anvil_setCode', [account, `0xef0100${batcher.address.slice(2)}`])
  const opened = await watched(browser, world.api)
  faults = opened.faults
  await addWallet(opened.context, world, { account, batch: (asked) => takes(asked), atomic: 'supported' })
  page = await opened.context.newPage()
  await page.goto(contribute())
  await page.locator('main').getByRole('button', { name: 'Connect wallet' }).click()
  await page.getByRole('button', { name: 'Test Wallet' }).click()
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
})

after(async () => {
  await browser?.close()
  await world?.stop()
})

const contribute = () => `${world.api}/#/sales/${CHAIN}/${harbor}/contribute`
const paid = async () => (await read(world, saleAbi, harbor, 'positionOf', [account])).paid
const balance = async () => (await read(world, tokenAbi, dollar, 'balanceOf', [account]))[0]
const allowance = async () => (await read(world, tokenAbi, dollar, 'allowance', [account, harbor]))[0]
const card = (at = 0) => page.locator('.transaction').nth(at)
const is = (state, at = 0) => card(at).locator('.badge', { hasText: state }).waitFor()
const again = () => page.getByRole('button', { name: /^Try again with/ })
const asked = (method) => page.evaluate((one) => window.testWallet.asked.filter((each) => each === one).length, method)

/** As one transaction, which goes through as a whole or not at all. */
async function asWhole({ from, calls }, id) {
  const data = batcher.abi.encodeFunctionData('execute', [calls.map(({ to, value, data }) => [to, value, data])])
  return { id, hash: await world.rpc('eth_sendTransaction', [{ from, to: from, data, gas: hex(1_000_000) }]) }
}
/** Each by itself, as a wallet must not: their receipts, in this order. */
async function oneByOne(from, calls) {
  const receipts = []
  for (const { to, value, data } of calls) {
    const hash = await world.rpc('eth_sendTransaction', [{ from, to, value, data, gas: hex(1_000_000) }])
    receipts.push(await receiptOf(world, hash))
  }
  return receipts
}
/** What the wallet says of its batches from now on. */
const tells = (status, receipts) =>
  page.evaluate(
    ([status, receipts]) => {
      const about = { version: '2.0.0', chainId: '0x7a69', atomic: status !== 600, status }
      window.testWallet.answers.wallet_getCallsStatus = receipts ? { ...about, receipts } : about
    },
    [status, receipts],
  )
const tellsTheTruth = () => page.evaluate(() => (window.testWallet.answers = {}))

async function pay(amount) {
  await page.getByLabel('Amount in USDD').fill(amount)
  await page.getByRole('button', { name: 'Review' }).click()
  await sees(page, 'One step: your wallet allows the contract of the sale to take exactly')
  await page.getByRole('button', { name: 'Confirm in the wallet' }).click()
}

test('400: it was never sent; nothing is spent, and one press has the same amount in the field again', async () => {
  takes = async () => ({ id: '0x4000', hash: null })
  await pay('150.000001')
  await is('Pending')
  assert.equal(await again().count(), 0)
  await tells(400)
  await is('Not sent')
  await sees(card(), 'The wallet did not send it. Nothing was paid.')
  await isAccessible(page, 'batch-400')
  assert.deepEqual([await paid(), await allowance(), await balance()], [0n, 0n, 1_000_000_001n])
  await page.reload()
  await is('Not sent')
  await again().click()
  assert.equal(await page.getByLabel('Amount in USDD').inputValue(), '150.000001')
  takes = (asked) => asWhole(asked, '0x4001')
  await pay('150.000001')
  await is('Included')
  assert.equal(await again().count(), 0)
  assert.deepEqual([await paid(), await allowance(), await balance()], [150_000_001n, 0n, 850_000_000n])
})

test('500: it was in a block and failed; only the fee is spent, and it is not offered as if nothing were', async () => {
  let failed
  takes = async ({ from, calls }) => {
    // Without the permission: the contribution alone fails in its block.
    const { hash } = await asWhole({ from, calls: calls.slice(1) }, '')
    failed = await receiptOf(world, hash)
    return { id: '0x5000', hash: null }
  }
  await pay('200')
  await is('Pending')
  assert.equal(failed.status, '0x0')
  await tells(500, [failed])
  await is('Failed')
  await sees(card(), 'It failed, and that is final: nothing was moved but the fee.')
  await isAccessible(page, 'batch-500')
  assert.equal(await again().count(), 0)
  assert.deepEqual([await paid(), await allowance(), await balance()], [150_000_001n, 0n, 850_000_000n])
  // Who wants to can begin anew.
  assert.ok(await page.getByLabel('Amount in USDD').isVisible())
  await tellsTheTruth()
})

test('500 without a receipt is told in the same way', async () => {
  takes = async () => ({ id: '0x5001', hash: null })
  await pay('200')
  await is('Pending')
  await tells(500)
  await is('Failed')
  assert.equal(await again().count(), 0)
  await tellsTheTruth()
})

test('600: the permission went through and the contribution did not; nothing is offered before one has looked', async () => {
  const pause = (paused) =>
    send(world, { from: accounts[1], to: harbor, data: saleAbi.encodeFunctionData('setPaused', [paused]) })
  let receipts
  takes = async ({ from, calls }) => {
    const [allowed] = await oneByOne(from, calls.slice(0, 1))
    await pause(true)
    const [refused] = await oneByOne(from, calls.slice(1))
    await pause(false)
    receipts = [allowed, refused]
    return { id: '0x6000', hash: null }
  }
  await pay('300')
  await is('Pending')
  assert.deepEqual(
    receipts.map(({ status }) => status),
    ['0x1', '0x0'],
  )
  await tells(600, receipts)
  await is('Went through in part')
  await sees(card(), 'Your wallet says that only a part of it went through.')
  await page.getByRole('heading', { name: 'Look first at what went through' }).waitFor()
  await sees(page, 'By the chain, this wallet has paid 150.000001 USDD into this sale so far.')
  await sees(page, 'The contract of the sale may take 300 USDD from it.')
  await isAccessible(page, 'batch-600')
  assert.equal(await again().count(), 0)
  assert.equal(await page.getByLabel('Amount in USDD').count(), 0)
  assert.deepEqual([await paid(), await allowance()], [150_000_001n, 300_000_000n])
  // Nor after a reload.
  await page.reload()
  await page.getByRole('heading', { name: 'Look first at what went through' }).waitFor()
  assert.equal(await page.getByLabel('Amount in USDD').count(), 0)

  await page.getByRole('button', { name: 'I have looked: contribute again' }).click()
  await page.getByLabel('Amount in USDD').fill('300')
  await page.getByRole('button', { name: 'Review' }).click()
  // What is allowed already is not allowed once more.
  await page.getByRole('button', { name: 'Confirm in the wallet' }).click()
  await is('Included')
  assert.deepEqual([await asked('eth_sendTransaction'), await asked('wallet_sendCalls')], [1, 0])
  assert.deepEqual([await paid(), await allowance(), await balance()], [450_000_001n, 0n, 550_000_000n])
})

test('600: where the contribution went through, what was paid is shown before anything is paid twice', async () => {
  let receipts
  takes = async ({ from, calls }) => {
    receipts = await oneByOne(from, calls)
    return { id: '0x6001', hash: null }
  }
  await pay('125.5')
  await is('Pending')
  await tells(600, receipts)
  await is('Went through in part')
  await sees(page, 'By the chain, this wallet has paid 575.500001 USDD into this sale so far.')
  await sees(page, 'The contract of the sale may take 0 USDD from it.')
  assert.equal(await page.getByLabel('Amount in USDD').count(), 0)
  assert.deepEqual([await paid(), await balance()], [575_500_001n, 424_500_000n])
  // Put away with its card, too.
  await card().getByRole('button', { name: 'Remove from this list' }).click()
  await page.getByLabel('Amount in USDD').waitFor()
})

test('nothing broke the page’s policy, and nobody else was asked for anything', () => {
  assert.deepEqual(faults, [])
})
