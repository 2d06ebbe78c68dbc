// The page without its service: exported to a file server with a node alone, and served by an API that goes away. Money comes back
// to the wei either way.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { isAccessible, launch, shoot, watched } from './browser.mjs'
import { Node, serveFolder } from './node.mjs'
import { ETHER, hex, plain, sees, story } from './story.mjs'
import { addWallet } from './wallet.mjs'
import { root, until, World } from './world.mjs'

const CHAIN = 31337
const PAID = 2_500_000_000_000_000_007n
const test = story()

let browser, node, files, aurora, other, accounts, page, faults
let world, service

before(async () => {
  browser = await launch()
})

after(async () => {
  await browser?.close()
  await files?.stop()
  await node?.stop()
  await service?.stop()
  await world?.stop()
})

async function send(chain, from, to, value) {
  const hash = await chain.rpc('eth_sendTransaction', [{ from, to, value: hex(value) }])
  const receipt = await until(
    `${hash} is in a block`,
    async () => (await chain.rpc('eth_getTransactionReceipt', [hash])) ?? undefined,
  )
  assert.equal(receipt.status, '0x1')
}

const balance = async (chain, of) => BigInt(await chain.rpc('eth_getBalance', [of, 'latest']))

/** Acts by a button, and gives what the account gained beside its fee. */
async function gains(chain, page, of, button) {
  const before = await balance(chain, of)
  const known = await page.evaluate(() => JSON.parse(localStorage.getItem('crowdsale.transactions') ?? '[]').length)
  await page.getByRole('button', { name: button }).first().click()
  const hash = await until('it is sent', () =>
    page.evaluate((known) => {
      const all = JSON.parse(localStorage.getItem('crowdsale.transactions') ?? '[]')
      return all.length > known ? all[0].hash : undefined
    }, known),
  )
  const receipt = await until(
    'it is in a block',
    async () => (await chain.rpc('eth_getTransactionReceipt', [hash])) ?? undefined,
  )
  assert.equal(receipt.status, '0x1')
  const payer = receipt.from.toLowerCase() === of.toLowerCase()
  return (
    (await balance(chain, of)) - before + (payer ? BigInt(receipt.gasUsed) * BigInt(receipt.effectiveGasPrice) : 0n)
  )
}

test('the page is written for a file server, and works below any path with a node alone', async () => {
  node = await Node.start()
  accounts = await node.rpc('eth_accounts')
  aurora = await node.deploy('aurora-eth.toml')
  other = await node.deploy('aurora-eth.toml', (file) => file.replaceAll('Aurora', 'Borealis').replaceAll('AUR', 'BOR'))
  const folder = join(node.folder, 'public')
  const told = JSON.parse(await node.run('page', folder, '--node', node.url, '--sale', aurora, '--json'))
  assert.deepEqual(told.sales, [aurora])
  assert.equal(told.factory, node.factory)
  files = await serveFolder(folder, '/some/where/')
  const opened = await watched(browser, [files.origin, node.url])
  faults = opened.faults
  await addWallet(opened.context, node, { account: accounts[1] })
  page = await opened.context.newPage()
  await page.goto(`${files.origin}/some/where/`)
  await page.getByRole('link', { name: 'Aurora' }).waitFor()
  await sees(page, `This page asks the node at ${new URL(node.url).host} and nobody else`)
  await isAccessible(page, 'alone-directory')
})

test('its policy lets it ask that node and nobody else', async () => {
  const answer = await fetch(`${files.origin}/some/where/`)
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(await answer.text())[1]
  assert.match(policy, /^default-src 'none'; script-src 'self'; /)
  assert.match(policy, new RegExp(`connect-src 'self' ${node.url};`))
  const refused = await page.evaluate(() =>
    fetch('http://127.0.0.1:1/').then(
      () => false,
      () => true,
    ),
  )
  assert.equal(refused, true)
  const said = faults
    .splice(0)
    .filter((one) => !/Content Security Policy|asked elsewhere: http:\/\/127.0.0.1:1\//.test(one))
  assert.deepEqual(said, [])
})

test('a sale that was not listed is opened by its address; one of nobody’s factory is not', async () => {
  const field = page.getByLabel('Address of the sale')
  await field.fill('0x12')
  await page.getByRole('button', { name: 'Open', exact: true }).click()
  await sees(page, 'This is no address')
  await field.fill(accounts[5])
  await page.getByRole('button', { name: 'Open', exact: true }).click()
  await sees(page, 'The factory that this page knows did not create it.')
  await page.goto(`${files.origin}/some/where/#/`)
  await field.fill(other.toLowerCase())
  await page.getByRole('button', { name: 'Open', exact: true }).click()
  await page.getByRole('heading', { name: 'Borealis', level: 1 }).waitFor()
  await sees(page, 'It opens 1 Mar 2031, 14:00 UTC')
})

test('what a sale is and has is told as the contract tells it, with how final that is', async () => {
  await node.moveClockTo('2031-03-01T14:00:00Z')
  await send(node, accounts[1], aurora, PAID)
  await send(node, accounts[2], aurora, ETHER)
  await page.goto(`${files.origin}/some/where/#/sales/${CHAIN}/${aurora}`)
  await until('the raise is shown', async () =>
    plain(await page.locator('.lead .figure').innerText()).startsWith('3.500000000000000007 ETH'),
  )
  await page.locator('.lead .badge', { hasText: 'Included' }).waitFor()
  await sees(page, 'It is open')
  await sees(page, /Read from the node at block \d+/)
  // Once its block is final, so is the figure.
  await node.rpc('anvil_mine', ['0x60'])
  await page.locator('.lead .badge', { hasText: 'Final' }).waitFor()
  await shoot(page, 'alone-sale')
})

test('after a failure the sale is closed, and everything comes back to the wei: one’s own, and another’s', async () => {
  await node.moveClockTo('2031-03-29T14:00:00Z')
  await sees(page, 'It has ended, and waits to be closed')
  await page.getByRole('banner').getByRole('button', { name: 'Connect wallet' }).click()
  await page.getByRole('button', { name: 'Test Wallet' }).click()
  await page.getByRole('button', { name: 'Close the sale' }).click()
  await sees(page, 'It missed its goal')
  const out = page.locator('section', { has: page.locator('#ways-out') })
  await sees(out, 'The sale did not succeed. Your money waits for you.')
  await until('the refund is shown', async () =>
    plain(await out.locator('.strong').innerText()).includes('2.500000000000000007 ETH'),
  )
  await isAccessible(page, 'alone-failed')
  assert.equal(await gains(node, page, accounts[1], 'Get your money back'), PAID)
  await sees(out, 'This address has nothing in this sale')
  await out.getByLabel('Address of the investor').fill(accounts[2])
  await out.getByRole('button', { name: 'Look up' }).click()
  await until('the other refund is shown', async () =>
    plain(await out.locator('.strong').innerText()).includes('1 ETH'),
  )
  const act = out.getByRole('button', { name: 'Send its money back' })
  await act.waitFor()
  const before = await balance(node, accounts[2])
  await act.click()
  await until('the other has it', async () => (await balance(node, accounts[2])) === before + ETHER)
  assert.equal(await balance(node, aurora), 0n)
})

test('positions are those of the sales that the page knows', async () => {
  const south = await node.deploy('aurora-eth.toml', (file) =>
    file
      .replaceAll('Aurora', 'South')
      .replaceAll('AUR', 'SOU')
      .replace(/opens = .*/, 'opens = 2031-04-01T00:00:00Z')
      .replace(/ends = 2031-03-08.*/, 'ends = 2031-04-08T00:00:00Z')
      .replace(/ends = 2031-03-29.*/, 'ends = 2031-04-20T00:00:00Z')
      .replace('[limits]', 'cooling_off = "7d"\n[limits]'),
  )
  await node.moveClockTo('2031-04-01T00:00:00Z')
  await send(node, accounts[1], south, ETHER)
  await page.goto(`${files.origin}/some/where/#/sales/${CHAIN}/${south}`)
  await sees(page, 'You have paid, and can still withdraw.')
  await page.goto(`${files.origin}/some/where/#/positions/${accounts[1]}`)
  await page.getByRole('link', { name: 'South' }).waitFor()
  await sees(page, `only the 3 sales known to this page on chain ${CHAIN} were asked`)
  await isAccessible(page, 'alone-positions')
  assert.equal(await gains(node, page, accounts[1], 'Withdraw your contribution'), ETHER)
})

test('a node that is away, or of another chain, is said so', async () => {
  const elsewhere = join(node.folder, 'elsewhere')
  await assert.rejects(node.run('page', elsewhere, '--node', node.url, '--chain-id', '1'), /serves chain 31337/)
  await assert.rejects(node.run('page', elsewhere, '--node', node.url, '--sale', accounts[3]), /no contract/)
  await assert.rejects(node.run('page', root, '--node', node.url), /holds something else than an exported page/)
  await node.rpc('anvil_setChainId', [5])
  await sees(page, 'The node serves chain 5, and this page is for chain 31337')
  await shoot(page, 'alone-wrong-chain')
  await node.rpc('anvil_setChainId', [CHAIN])
  await page.getByText('The node serves chain 5').waitFor({ state: 'detached' })
  assert.deepEqual(faults.splice(0), [])
  await node.stop()
  await page.goto(`${files.origin}/some/where/#/sales/${CHAIN}/${other}`)
  await sees(page, 'The node cannot be reached')
  await isAccessible(page, 'alone-node-down')
})

test('a page whose service goes away reads from the wallet’s node, says so, and refunds to the wei', async () => {
  world = await World.start()
  const mine = (await world.rpc('eth_accounts'))[1]
  const sale = await world.deploy('aurora-eth.toml')
  await world.moveClockTo('2031-03-01T14:00:00Z')
  await send(world, mine, sale, PAID)
  await world.moveClockTo('2031-03-29T14:00:00Z')
  await world.indexed()
  // An API apart from the index and the chain, so that it alone can be ended.
  service = await world.serve()
  const api = service.url
  const opened = await watched(browser, api)
  await addWallet(opened.context, world, { account: mine })
  const page = await opened.context.newPage()
  await page.goto(`${api}/#/sales/${CHAIN}/${sale}`)
  await sees(page, 'It has ended, and waits to be closed')
  // The page fetches what it needs for that day when it has nothing else to do: a service that goes before is another story.
  await page.waitForFunction(() => {
    const had = performance.getEntriesByType('resource').map((one) => one.name)
    return ['answer', 'contract', 'safe', 'team'].every((name) => had.some((one) => one.includes(`/assets/${name}-`)))
  })
  await page.waitForLoadState('load')
  await new Promise((done) => setTimeout(done, 1_000))
  await service.stop()
  await sees(page, 'Connect a wallet, and this page reads your sales and positions from its node instead.')
  await page.getByRole('banner').getByRole('button', { name: 'Connect wallet' }).click()
  await page.getByRole('button', { name: 'Test Wallet' }).click()
  await sees(page, /are read from your wallet’s node, at block \d+: you can still take out what is yours/)
  await sees(page, /Read from your wallet’s node at block \d+\./)
  await isAccessible(page, 'fallback-sale')
  await page.getByRole('button', { name: 'Close the sale' }).click()
  await sees(page, 'It missed its goal')
  await page.evaluate((account) => (location.hash = `#/positions/${account}`), mine)
  await sees(page, 'The sale did not succeed. Your money waits for you.')
  await shoot(page, 'fallback-positions')
  assert.equal(await gains(world, page, mine, 'Get your money back'), PAID)
  assert.equal(await balance(world, sale), 0n)
  assert.deepEqual(opened.faults, [])
})
