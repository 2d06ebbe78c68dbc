// Nodes that say nothing: the wallet's, and the one that the service asks. The second really stands still, stops and ends here; the page's
// own clock is put forward where it would have to be waited for it.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { isAccessible, launch, shoot, watched } from './browser.mjs'
import { CHAIN, read, sees, send, story } from './steps.mjs'
import { addWallet } from './wallet.mjs'
import { until, World } from './world.mjs'

const { Interface } = createRequire(import.meta.url)('ethers')
const abi = new Interface([
  'function mint(address, uint256)',
  'function positionOf(address) view returns (uint256 paid, uint256 tokens)',
])
const test = story()
let world, browser, accounts, harbor, page, faults

before(async () => {
  world = await World.start()
  browser = await launch()
  accounts = await world.rpc('eth_accounts')
  harbor = await world.deploy('harbor-usd.toml')
  await world.moveClockTo('2031-09-01T08:00:00Z')
  const data = abi.encodeFunctionData('mint', [accounts[2], 1_000_000_000n])
  await send(world, { from: accounts[2], to: world.place.stablecoin, data })
})

after(async () => {
  await browser?.close()
  await world?.stop()
})

/** A page of its own, at the sale. */
async function open(hash = `#/sales/${CHAIN}/${harbor}`, wallet = false) {
  await page?.context().close()
  const opened = await watched(browser, world.api)
  faults = opened.faults
  if (wallet) await addWallet(opened.context, world, { account: accounts[2] })
  page = await opened.context.newPage()
  await page.clock.install()
  await page.goto(`${world.api}/${hash}`)
}

/** Ends the making of blocks, and waits until the page has the last one. */
async function standStill() {
  await world.rpc('evm_setIntervalMining', [0])
  const head = Number(await world.rpc('eth_blockNumber'))
  const told = () =>
    page.waitForResponse(async (one) => {
      if (!one.url().endsWith('/v1/status') || !one.ok()) return false
      return (await one.json()).meta.chains[0].indexed_block.number >= head
    })
  // Once there is a second answer, the page has gone through the first.
  await told()
  await told()
}

test('the wallet’s node does not answer: it is said, with what to do, and the page goes on once it does', async () => {
  await open(`#/sales/${CHAIN}/${harbor}/contribute`, true)
  await page.evaluate(() => (window.testWallet.refuses.eth_call = -32603))
  await page.locator('main').getByRole('button', { name: 'Connect wallet' }).click()
  await page.getByRole('button', { name: 'Test Wallet' }).click()
  await sees(page.locator('main').getByRole('alert'), 'Your wallet’s node does not answer')
  await page.getByLabel('Amount in USDD').fill('500.000001')
  await page.getByRole('button', { name: 'Review' }).click()
  const review = page.locator('section.next')
  await sees(review.getByRole('alert'), 'This page asks again with the next block.')
  assert.equal(await page.getByText('Looking up how your wallet can pay').count(), 0)
  await isAccessible(page, 'silence-wallet')
  const asked = () => page.evaluate(() => window.testWallet.asked.filter((one) => one === 'eth_call').length)
  // Whoever wants not to wait for a block.
  await standStill()
  const before = await asked()
  await review.getByRole('button', { name: 'Try again' }).click()
  await until('it is asked again', async () => (await asked()) > before)
  await sees(review.getByRole('alert'), 'Your wallet’s node does not answer')
  await page.evaluate(() => (window.testWallet.refuses = {}))
  await world.rpc('evm_setIntervalMining', [1])
  // The token's way of a signature is found, which a node that says nothing would have hidden.
  await review.getByRole('button', { name: 'Sign and contribute' }).click()
  await until(
    'it is paid',
    async () => (await read(world, abi, harbor, 'positionOf', [accounts[2]])).paid === 500_000_001n,
  )
  assert.equal(await page.getByText('Your wallet’s node does not answer').count(), 0)
  assert.deepEqual(faults, [])
})

test('a node that answers and makes no block is told from one that goes on', async () => {
  await open()
  await sees(page, 'Live', { exact: true })
  await standStill()
  assert.equal(await page.getByText('has made no block').count(), 0)
  await page.clock.fastForward(181_000)
  const told = `Chain ${CHAIN} has made no block for 3 min, by the node that is asked: the network or that node stands still.`
  await sees(page.locator('.banners'), told)
  await sees(page, 'Not live: no new blocks')
  await isAccessible(page, 'silence-chain')
  const { data } = await world.get('/v1/status')
  assert.deepEqual([data.chains[0].state, data.chains[0].behind_blocks], ['running', 0])
  await page.evaluate(() => (location.hash = '#/status'))
  await sees(page.locator('.sale-head'), 'No new blocks')
  await page.evaluate((hash) => (location.hash = hash), `#/sales/${CHAIN}/${harbor}`)
  await world.rpc('evm_setIntervalMining', [1])
  await page.getByText('has made no block').waitFor({ state: 'detached' })
  await sees(page, 'Live', { exact: true })
  assert.deepEqual(faults, [])
})

test('who opens the page at a chain that stands still hears it at once, by the age that the service tells', async () => {
  // The chain of this test is years ahead of the service's clock: so the age alone is changed, and the chain stands still in truth.
  await world.rpc('evm_setIntervalMining', [0])
  await world.indexed()
  await open()
  await sees(page, 'The way out')
  await page.route('**/v1/status', async (route) => {
    const response = await route.fetch()
    const json = await response.json()
    json.meta.chains[0].lag_seconds = 125
    await route.fulfill({ response, json })
  })
  await sees(page.locator('.banners'), `Chain ${CHAIN} has made no block for 2 min`)
  await page.unroute('**/v1/status')
  await world.rpc('evm_setIntervalMining', [1])
  await page.getByText('has made no block').waitFor({ state: 'detached' })
  assert.deepEqual(faults, [])
})

const anvil = () => Number(readFileSync(join(world.data, 'anvil.pid'), 'utf8').trim().split(/\s/)[0])

test('a node that is stopped is said not to be heard, for how long, and is heard again', async () => {
  await open()
  await sees(page, 'Live', { exact: true })
  process.kill(anvil(), 'SIGSTOP')
  try {
    const told = page.locator('.banners').getByText(`The service has not heard from its node of chain ${CHAIN} for`)
    // The service itself waits two minutes for it.
    await told.waitFor({ timeout: 300_000 })
    await sees(page, 'Not live: no new blocks')
    await sees(page, 'The way out')
    await shoot(page, 'silence-stopped')
  } finally {
    process.kill(anvil(), 'SIGCONT')
  }
  await page.getByText('The service has not heard').waitFor({ state: 'detached', timeout: 120_000 })
  await sees(page, 'Live', { exact: true })
  assert.deepEqual(faults, [])
})

test('a node that is killed takes `up` with it: the page says that the service does not answer, and keeps its figures', async () => {
  process.kill(anvil(), 'SIGKILL')
  await page.locator('.banners').getByText('The service does not answer.').waitFor({ timeout: 120_000 })
  await sees(page.locator('.banners'), 'Connect a wallet, and this page reads your sales and positions from its node')
  await sees(page, 'The way out')
  assert.equal(await page.getByText('Live', { exact: true }).count(), 0)
  assert.deepEqual(faults, [])
})
