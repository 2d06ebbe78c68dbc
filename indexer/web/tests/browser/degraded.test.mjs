// What the page says, and what it can still do, when a part of what it stands on fails. The parts fail for real, but where that would
// be a matter of luck or of minutes: there one figure of a real answer is changed on its way.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, connect } from 'node:net'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { isAccessible, launch, shoot, watched } from './browser.mjs'
import { ETHER, hex, plain, sees, story } from './story.mjs'
import { addWallet } from './wallet.mjs'
import { serveApi, until, World } from './world.mjs'

const CHAIN = 31337
const PAID = 3_000_000_000_000_000_001n
const test = story()

let world, browser, accounts, aurora, page, faults, cut, service

before(async () => {
  world = await World.start()
  browser = await launch()
  accounts = await world.rpc('eth_accounts')
  aurora = await world.deploy('aurora-eth.toml')
  await world.moveClockTo('2031-03-01T14:00:00Z')
  await pay(1, PAID)
  for (let from = 2; from < 10; from++) await pay(from, ETHER)
  for (let from = 2; from < 8; from++) await pay(from, ETHER)
  await world.indexed()
})

after(async () => {
  await browser?.close()
  await cut?.stop()
  await service?.stop()
  await world?.stop()
})

async function pay(from, value) {
  const hash = await world.rpc('eth_sendTransaction', [{ from: accounts[from], to: aurora, value: hex(value) }])
  await until('it is in a block', async () => (await world.rpc('eth_getTransactionReceipt', [hash])) ?? undefined)
}

/** A page of its own, at the sale, by an API. */
async function open(api = world.api, wallet = false) {
  await page?.context().close()
  const opened = await watched(browser, api)
  faults = opened.faults
  if (wallet) await addWallet(opened.context, world, { account: accounts[1] })
  page = await opened.context.newPage()
  await page.goto(`${api}/#/sales/${CHAIN}/${aurora}`)
  await sees(page, 'The way out')
}

/** Changes what the status says, from now on. */
async function tamper(change) {
  await page.route('**/v1/status', async (route) => {
    const response = await route.fetch()
    const body = await response.json()
    change(body)
    await route.fulfill({ response, json: body })
  })
}

const raised = async () => plain(await page.locator('.lead .figure').innerText())

test('an index that is behind is said to be, by so many blocks, and the sale stays', async () => {
  await open()
  await tamper(({ data }) => (data.chains[0].behind_blocks = 40))
  await sees(page, `Figures of chain ${CHAIN} are 40 blocks behind the network.`)
  assert.ok((await raised()).startsWith('17.000000000000000001 ETH'))
  await shoot(page, 'degraded-behind')
  await page.unroute('**/v1/status')
  await page.getByText('blocks behind the network').waitFor({ state: 'detached' })
})

test('an event that could not be read, and a node that is not heard, are said', async () => {
  await tamper(({ meta }) => (meta.chains[0].has_errors = true))
  await sees(page, `Something on chain ${CHAIN} could not be read: its figures may be incomplete.`)
  await page.unroute('**/v1/status')
  await tamper(({ data }) => Object.assign(data.chains[0], { state: 'silent', silent_seconds: 300 }))
  await sees(page, `The service has not heard from its node of chain ${CHAIN} for 5 min.`)
  await shoot(page, 'degraded-silent')
  await page.unroute('**/v1/status')
  await page.getByText('The service has not heard').waitFor({ state: 'detached' })
  assert.deepEqual(faults, [])
})

test('who asks too often is told to wait, and is not told that the service is down', async () => {
  // Enough for the page's own files, which count too, and not for much more.
  const slow = await world.serve('--rate-limit', '12')
  await page.context().close()
  const opened = await watched(browser, slow.url)
  page = await opened.context.newPage()
  await page.goto(`${slow.url}/#/sales/${CHAIN}/${aurora}`)
  for (let left = 24; left > 0; left--) await fetch(`${slow.url}/v1/status`)
  await page.evaluate(() => (location.hash = '#/'))
  await sees(page, 'Too many requests for a moment')
  assert.equal(await page.getByText('The service does not answer').count(), 0)
  await isAccessible(page, 'degraded-busy')
  assert.deepEqual(opened.faults, [])
  await slow.stop()
})

test('a service without its database says so; the page keeps what it has and comes back by itself', async () => {
  // The database is reached through a line that can be cut.
  const file = join(world.folder, 'database-url')
  const url = new URL(readFileSync(world.place.database_url_file, 'utf8').trim())
  cut = await line(Number(url.port))
  url.port = cut.port
  writeFileSync(file, url.href, { mode: 0o600 })
  service = await serveApi(file)
  await open(service.url)
  assert.ok((await raised()).startsWith('17.000000000000000001 ETH'))
  cut.break()
  await sees(page, /The service does not answer\. These figures are .* old/)
  assert.ok((await raised()).startsWith('17.000000000000000001 ETH'))
  await shoot(page, 'degraded-database')
  await page.evaluate(() => (location.hash = '#/'))
  await sees(page, 'The service could not answer')
  await isAccessible(page, 'degraded-database-directory')
  cut.mend()
  await page.getByRole('link', { name: 'Aurora' }).waitFor()
  await page.getByText('The service does not answer').waitFor({ state: 'detached' })
  assert.deepEqual(faults, [])
})

test('a list whose place was reorged away begins anew', async () => {
  await open()
  const list = page.locator('section', { has: page.locator('#contributions') })
  const first = Number((await world.rpc('eth_getBlockByNumber', ['latest', false])).number)
  for (let from = 2; from < 9; from++) await pay(from, ETHER)
  for (let from = 2; from < 7; from++) await pay(from, ETHER)
  await world.indexed()
  const old = await world.get(`/v1/sales/${CHAIN}/${aurora}/contributions?limit=10`)
  const head = Number((await world.rpc('eth_getBlockByNumber', ['latest', false])).number)
  // They are gone, and with them the place that the cursor names; the page asks with the one it had.
  await world.rpc('anvil_reorg', [head - first + 5, []])
  await until('the index has gone back, too', async () => {
    const asked = `/v1/sales/${CHAIN}/${aurora}/contributions?limit=10&cursor=${old.next_cursor}`
    return (await fetch(`${world.api}${asked}`)).status === 410
  })
  const answers = []
  await page.route('**/contributions?*', async (route) => {
    const url = new URL(route.request().url())
    if (url.searchParams.has('cursor')) url.searchParams.set('cursor', old.next_cursor)
    const response = await route.fetch({ url: url.href })
    if (url.searchParams.has('cursor')) answers.push(response.status())
    await route.fulfill({ response })
  })
  await list.getByRole('button', { name: 'Show more' }).click()
  await until('the list is asked for', () => answers.length > 0)
  assert.equal(answers[0], 410)
  await until('it begins anew', async () => (await list.locator('tbody tr:not(.gone)').count()) >= 10)
  assert.deepEqual(faults, [])
})

test('an index that has halted is said to have; the wallet’s node can be asked past it, and pays back to the wei', async () => {
  const paid = await world.get(`/v1/investors/${accounts[1]}`)
  assert.equal(paid.data[0].paid.raw, PAID.toString())
  await world.rpc('anvil_mine', ['0x60'])
  await world.indexed()
  await open(world.api, true)
  // A block that was final is replaced: nothing an index could mend by itself.
  await world.rpc('anvil_reorg', [80, []])
  await sees(page, `The index of chain ${CHAIN} has stopped`)
  await sees(page, 'It is open')
  await isAccessible(page, 'degraded-halted')
  await world.rpc('evm_setNextBlockTimestamp', [Date.parse('2031-03-29T14:00:00Z') / 1000])
  await world.rpc('evm_mine')
  await page.getByRole('banner').getByRole('button', { name: 'Connect wallet' }).click()
  await page.getByRole('button', { name: 'Test Wallet' }).click()
  await page.getByRole('button', { name: 'Read from my wallet’s node instead' }).click()
  await sees(page, /are read from your wallet’s node, at block \d+, and not from the index/)
  await sees(page, 'It has ended, and waits to be closed')
  await page.getByRole('button', { name: 'Close the sale' }).click()
  await sees(page, 'It missed its goal')
  await isAccessible(page, 'degraded-past-the-index')
  const before = BigInt(await world.rpc('eth_getBalance', [accounts[1], 'latest']))
  await page.getByRole('button', { name: 'Get your money back' }).first().click()
  await sees(page, 'This wallet has nothing to take back here')
  const sent = await page.evaluate(() => JSON.parse(localStorage.getItem('crowdsale.transactions'))[0].hash)
  const receipt = await world.rpc('eth_getTransactionReceipt', [sent])
  const fee = BigInt(receipt.gasUsed) * BigInt(receipt.effectiveGasPrice)
  assert.equal(BigInt(await world.rpc('eth_getBalance', [accounts[1], 'latest'])), before - fee + PAID)
  await page.getByRole('button', { name: 'Read from the index again' }).click()
  await sees(page, `The index of chain ${CHAIN} has stopped`)
  assert.deepEqual(faults, [])
})

/** A line to a port of this machine that can be cut and mended. */
async function line(port) {
  const sockets = new Set()
  let isCut = false
  const server = createServer((from) => {
    if (isCut) return from.destroy()
    const to = connect(port, '127.0.0.1')
    for (const [one, other] of [
      [from, to],
      [to, from],
    ]) {
      sockets.add(one)
      one.on('error', () => {})
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  const hangUp = () => sockets.forEach((socket) => socket.destroy())
  return {
    port: server.address().port,
    break() {
      isCut = true
      hangUp()
    },
    mend: () => (isCut = false),
    async stop() {
      hangUp()
      await new Promise((done) => server.close(done))
    },
  }
}
