// Each way of pricing to its end, as an investor sees it: what the page shows is what the contract pays, to the wei.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { isAccessible, launch, shoot, watched } from './browser.mjs'
import { ETHER, hex, plain, sees, story, units } from './story.mjs'
import { addWallet } from './wallet.mjs'
import { root, until, World } from './world.mjs'

const { Interface } = createRequire(import.meta.url)('ethers')
const abi = new Interface([
  'function claimable(address) view returns (uint256 tokens, uint256 excess)',
  'function totals() view returns (uint256 raised, uint256 sold, uint8 outcome)',
  'function settledAt() view returns (uint256)',
  'function balanceOf(address) view returns (uint256)',
  'function mint(address, uint256)',
  'function approve(address, uint256) returns (bool)',
  'function contribute(address, uint256, bytes) payable',
])
const CHAIN = 31337
const DAY = 86_400
const test = story()

let world, browser, page, faults, accounts, me, meridian, polar

before(async () => {
  world = await World.start()
  browser = await launch()
  accounts = await world.rpc('eth_accounts')
  // The first ones are teams in the examples, with tokens of their own.
  me = accounts[4]
})

after(async () => {
  await browser?.close()
  await world?.stop()
})

async function send(from, to, value, data = '0x') {
  const hash = await world.rpc('eth_sendTransaction', [{ from, to, value: hex(value), data }])
  const receipt = await until(
    `${hash} is in a block`,
    async () => (await world.rpc('eth_getTransactionReceipt', [hash])) ?? undefined,
  )
  assert.equal(receipt.status, '0x1')
}

async function read(to, name, values = []) {
  const result = await world.rpc('eth_call', [{ to, data: abi.encodeFunctionData(name, values) }, 'latest'])
  return abi.decodeFunctionResult(name, result)
}

const ether = async (of) => BigInt(await world.rpc('eth_getBalance', [of, 'latest']))
const tokenOf = async (sale) => (await world.get(`/v1/sales/${CHAIN}/${sale}`)).data.token.address
const tokensOf = async (sale, of) => (await read(await tokenOf(sale), 'balanceOf', [of]))[0]
const open = (hash) => page.goto(`${world.api}/${hash}`)
const openSale = (sale) => open(`#/sales/${CHAIN}/${sale}`)

/** Does what a button says, and gives the receipt. */
async function act(button) {
  const sent = () => page.evaluate(() => JSON.parse(localStorage.getItem('crowdsale.transactions') ?? '[]'))
  const before = (await sent()).length
  await page.getByRole('button', { name: button }).click()
  const hash = await until(`“${button}” is sent`, async () => {
    const all = await sent()
    return all.length > before ? all[0].hash : undefined
  })
  const receipt = await until(
    'it is in a block',
    async () => (await world.rpc('eth_getTransactionReceipt', [hash])) ?? undefined,
  )
  assert.equal(receipt.status, '0x1')
  return receipt
}

const feeOf = (receipt) => BigInt(receipt.gasUsed) * BigInt(receipt.effectiveGasPrice)
const timeOf = async (receipt) =>
  Number((await world.rpc('eth_getBlockByNumber', [receipt.blockNumber, false])).timestamp)

/** Pays through the page, from the amount to the wallet. */
async function contribute(sale, typed, symbol = 'ETH') {
  await open(`#/sales/${CHAIN}/${sale}/contribute`)
  await page.getByLabel(`Amount in ${symbol}`).fill(typed)
  await page.getByRole('button', { name: 'Review' }).click()
  return act('Confirm in the wallet')
}

test('a pro-rata sale takes more than it keeps', async () => {
  meridian = await world.deploy('meridian-prorata.toml', (file) =>
    file
      .replace(/compliance = .*/, '')
      .replace(/voucher_signer = .*/, '')
      .replace('gate = "voucher"', '')
      .replace('kind = "restricted"', 'kind = "plain"')
      .replace('soft_cap = "200"', 'soft_cap = "20"')
      .replace('hard_cap = "800"', 'hard_cap = "60"'),
  )
  polar = await world.deploy('polar-auction.toml', (file) =>
    file.replace('polar-members.json', join(root, 'contracts/examples/polar-members.json')),
  )
  const opened = await watched(browser, world.api)
  faults = opened.faults
  await addWallet(opened.context, world, { account: me })
  page = await opened.context.newPage()
  await world.moveClockTo('2031-05-01T09:00:00Z')
  await openSale(meridian)
  await page.getByRole('banner').getByRole('button', { name: 'Connect wallet' }).click()
  await page.getByRole('button', { name: 'Test Wallet' }).click()
  await sees(page, 'If more than the hard cap comes in, everybody gets the same share')
  await page.getByLabel('Amount in ETH').fill('33.333333333333333333')
  await sees(page, 'You get at most')
  await until('the most is shown', async () =>
    plain(await page.locator('.gets .figure').innerText()).startsWith('16 666.6666666666666665 MRD'),
  )
  await contribute(meridian, '33.333333333333333333')
  await send(accounts[2], meridian, 40n * ETHER)
  await send(accounts[3], meridian, 20n * ETHER + 1n)
  await openSale(meridian)
  await until('the raise is shown', async () =>
    plain(await page.locator('.lead .figure').innerText()).startsWith('93.333333333333333334 ETH'),
  )
  await shoot(page, 'prorata-over')
})

test('more than the hard cap came in, and the least is the least still', async () => {
  const hash = `#/sales/${CHAIN}/${meridian}/contribute`
  await page.evaluate((one) => window.testWallet.use(one), accounts[8])
  await open(hash)
  await sees(page, 'Your wallet has')
  await page.getByLabel('Amount in ETH').fill('0.099999999999999999')
  await sees(page.locator('#amount-told .fault'), 'The least is 0.1 ETH.')
  await page.getByLabel('Amount in ETH').press('Enter')
  assert.equal(await page.getByRole('heading', { name: 'Check before you confirm' }).count(), 0)
  const value = hex(ETHER / 10n - 1n)
  await assert.rejects(world.rpc('eth_call', [{ from: accounts[8], to: meridian, value }, 'latest']), /revert/)
  // A telephone is asked for no sum either that would fail there, at the cost of a fee.
  const alone = await watched(browser, world.api)
  const reader = await alone.context.newPage()
  await reader.goto(`${world.api}/${hash}`)
  await reader.getByText('Pay from a wallet on another device').click()
  await reader.getByLabel('Amount in ETH').fill('0.099999999999999999')
  await sees(reader.locator('#amount-told .fault'), 'The least is 0.1 ETH.')
  await sees(reader, 'Write an amount first.')
  assert.equal(await reader.getByRole('link', { name: 'Open in a wallet on this device' }).count(), 0)
  await reader.getByLabel('Amount in ETH').fill('0.1')
  const link = await reader.getByRole('link', { name: 'Open in a wallet on this device' }).getAttribute('href')
  assert.ok(link.endsWith(`?value=${ETHER / 10n}`), link)
  assert.deepEqual(alone.faults, [])
  await alone.context.close()
  await page.evaluate((one) => window.testWallet.use(one), me)
  await openSale(meridian)
})

test('its excess comes back with the claim, and of the tokens what has vested', async () => {
  await world.moveClockTo('2031-05-31T09:00:00Z')
  await sees(page, 'It has ended, and waits to be closed')
  await act('Close the sale')
  await sees(page, 'It reached its goal')
  const { tokens, excess } = await read(meridian, 'claimable', [me])
  const { raised, sold } = await read(meridian, 'totals')
  const paid = 33_333_333_333_333_333_333n
  assert.equal(sold, 30_000n * ETHER)
  assert.equal(excess, (paid * (raised - 60n * ETHER)) / raised)
  assert.equal(tokens, (((paid * sold) / raised) * 2_000n) / 10_000n)
  await until('what is free is shown', async () =>
    plain(await page.locator('.next .gets').innerText()).includes(`${units(tokens)} MRD`),
  )
  assert.ok(plain(await page.locator('.next .gets').innerText()).includes(`and back ${units(excess)} ETH`))
  await isAccessible(page, 'prorata-claim')
  const before = await ether(me)
  const receipt = await act('Claim your tokens')
  assert.equal(await ether(me), before - feeOf(receipt) + excess)
  assert.equal(await tokensOf(meridian, me), tokens)
  await sees(page, 'This wallet has nothing to claim here now.')
})

test('in an auction the price falls, and all pay the price at which the tokens are gone', async () => {
  await world.moveClockTo('2031-07-04T00:00:00Z')
  await openSale(polar)
  await page.getByLabel('Amount in ETH').fill('50.000000000000000003')
  await sees(page, 'You get at least')
  await sees(page, 'The price can only fall, so it can become more.')
  await isAccessible(page, 'auction-open')
  const shown = plain(await page.locator('.gets .figure').innerText())
  await contribute(polar, '50.000000000000000003')
  for (const from of [2, 3, 5, 6, 7]) await send(accounts[from], polar, 60n * ETHER)
  await world.moveClockTo('2031-07-08T12:00:00Z')
  await openSale(polar)
  await act('Close the sale')
  await sees(page, 'It reached its goal')
  const { raised, sold } = await read(polar, 'totals')
  assert.equal(raised, 350n * ETHER + 3n)
  // Everything is gone: one price for all, between the first that was paid and the last of the terms.
  assert.equal(sold, 300_000n * ETHER)
  const due = (50_000_000_000_000_000_003n * sold) / raised
  const least = Number(shown.replaceAll(/[^0-9.]/g, ''))
  assert.ok(least > 20_000 && Number(due / ETHER) > least, `${shown} became ${due}`)
  await until('what is free is shown', async () =>
    plain(await page.locator('.next .gets').innerText()).includes(`${units(due)} PLR`),
  )
  await shoot(page, 'auction-claim')
  await act('Claim your tokens')
  assert.equal(await tokensOf(polar, me), due)
})

test('tokens that vest are claimed over time, to the last unit at the end', async () => {
  const settled = Number((await read(meridian, 'settledAt'))[0])
  const { raised, sold } = await read(meridian, 'totals')
  const total = (33_333_333_333_333_333_333n * sold) / raised
  const first = (total * 2_000n) / 10_000n
  await open(`#/positions/${me}`)
  const mine = page.getByRole('listitem').filter({ hasText: 'Meridian' })
  await sees(mine, 'More of your tokens become free with time.')
  // The cliff.
  await sees(mine, '29 Aug 2031')
  await world.moveClockTo(new Date((settled + 200 * DAY) * 1000).toISOString())
  await sees(mine, 'Your tokens wait for you.')
  const receipt = await act('Claim your tokens')
  const elapsed = BigInt((await timeOf(receipt)) - settled)
  assert.equal(await tokensOf(meridian, me), first + ((total - first) * elapsed) / BigInt(365 * DAY))
  await world.moveClockTo(new Date((settled + 365 * DAY) * 1000).toISOString())
  await sees(mine, 'Your tokens wait for you.')
  await act('Claim your tokens')
  assert.equal(await tokensOf(meridian, me), total)
  await sees(mine, 'You have everything that is yours from this sale.')
})

test('a sale for a stablecoin that failed pays back the stablecoin, to its last unit', async () => {
  const dollar = world.place.stablecoin
  const coins = async () => (await read(dollar, 'balanceOf', [me]))[0]
  const paid = 123_456_789_123n
  // A sale of its own: the chain's clock has run past the example's.
  const south = await world.deploy('harbor-usd.toml', (file) =>
    file
      .replaceAll('2031-', '2033-')
      .replaceAll('Harbor', 'South')
      .replaceAll('HRB', 'STH')
      .replace('max = "100000"', 'max = "200000"'),
  )
  await world.moveClockTo('2033-09-01T08:00:00Z')
  await send(me, dollar, 0n, abi.encodeFunctionData('mint', [me, paid + 7n]))
  await send(me, dollar, 0n, abi.encodeFunctionData('approve', [south, paid]))
  await send(me, south, 0n, abi.encodeFunctionData('contribute', [me, paid, '0x']))
  assert.equal(await coins(), 7n)
  await world.moveClockTo('2033-10-01T08:00:00Z')
  await openSale(south)
  await act('Close the sale')
  await sees(page, 'It missed its goal')
  await until('the refund is shown', async () =>
    plain(await page.locator('.next .gets').innerText()).includes(`${units(paid, 6)} USDD`),
  )
  await shoot(page, 'refund-token')
  await act('Get your money back')
  assert.equal(await coins(), paid + 7n)
  await sees(page, 'This wallet has nothing to take back here')
})

test('nothing broke the page’s policy, and nobody else was asked for anything', () => assert.deepEqual(faults, []))
