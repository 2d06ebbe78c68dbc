// Money and tokens that cannot take the straight way: to another address of the investor's, to the last unit; out of a wallet that does not
// say whether it sent; back out of a block while nobody looked. And what is told before: a personal maximum, an unlock, a document's hash.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { accountsOf, asked, Chain, CHAIN, connect, ETHER, hex, plain, sees, story, use } from './acts.mjs'
import { isAccessible, launch, shoot, watched } from './browser.mjs'
import { deploy } from './compiled.mjs'
import { Node, serveFolder } from './node.mjs'
import { units } from './story.mjs'
import { addWallet } from './wallet.mjs'
import { root, until, World } from './world.mjs'

const { Interface } = createRequire(import.meta.url)('ethers')
const abi = new Interface([
  'function mint(address,uint256)',
  'function approve(address,uint256)',
  'function setBlocked(address,bool)',
  'function supersedeWhitepaper(bytes32,string)',
  'function contribute(address,uint256,bytes) payable',
  'function object()',
  'function reject(address)',
  'function setHolders(address[],uint40[])',
  'function claimable(address) view returns (uint256 tokens, uint256 excess)',
  'function settledAt() view returns (uint256)',
])
const test = story()
const MEMBERS = join(root, 'contracts/examples/polar-members.json')
const DAY = 86_400

let world, chain, browser, page, faults, accounts, dollar, aurora, harbor, nova, receiver, node, files

before(async () => {
  world = await World.start({ args: ['--allowlist', MEMBERS] })
  chain = new Chain(world)
  browser = await launch()
  accounts = await accountsOf(world)
  receiver = accounts[9]
  ;({ address: dollar } = await deploy(world, 'BlockDollar', accounts[0]))
  aurora = await world.deploy('aurora-eth.toml')
  nova = await world.deploy('aurora-eth.toml', (file) =>
    file
      .replaceAll('Aurora', 'Nova')
      .replaceAll('AUR', 'NOV')
      .replace('soft_cap = "250"', 'soft_cap = "2"')
      .replace('[whitepaper]', '[vesting]\nat_once = "20%"\ncliff = "90d"\nduration = "365d"\n\n[whitepaper]'),
  )
  harbor = await world.deploy('harbor-usd.toml', inDollars(dollar, '2031-03', 'cooling_off = "7d"'))
  await world.moveClockTo('2031-03-01T14:00:00Z')
  const opened = await watched(browser, world.api)
  faults = opened.faults
  await addWallet(opened.context, world, { account: accounts[2] })
  page = await opened.context.newPage()
})

after(async () => {
  await browser?.close()
  await files?.stop()
  await node?.stop()
  await world?.stop()
})

/** The stablecoin's example, paid in a dollar whose issuer can block. */
const inDollars = (currency, month, more) => (file) =>
  file
    .replaceAll('2031-09', month)
    .replace('2031-10-01', `${month}-29`)
    .replace(/currency = .*/, `currency = "${currency}"`)
    .replace('symbol = "USDD"', 'symbol = "BLD"')
    .replace('[limits]', `${more}\n[limits]`)

const data = (name, values = []) => abi.encodeFunctionData(name, values)
const paid = async (sale, of) => (await chain.read(sale, 'positionOf', [of])).paid
const balance = async (token, of) => (await chain.read(token, 'balanceOf', [of]))[0]
const open = async (hash) => {
  await world.indexed()
  await page.goto(`${world.api}/${hash}`)
  await page.reload()
}
const salePage = (sale) => open(`#/sales/${CHAIN}/${sale}`)
const card = (at = 0) => page.locator('.transaction').nth(at)
const is = (state, at = 0) => card(at).locator('.badge', { hasText: state }).waitFor()
/** Waits until the page has looked at the chain as it is now: a look counts the account's nonces twice, and one may be under way. */
const looked = async () => {
  const times = await asked(page, 'eth_getTransactionCount')
  await until('it has looked', async () => (await asked(page, 'eth_getTransactionCount')) >= times + 4)
}

async function payDollars(of, sale, amount, on = chain, currency = dollar) {
  await on.send(of, currency, { data: data('mint', [of, amount]) })
  await on.send(of, currency, { data: data('approve', [sale, amount]) })
  await on.send(of, sale, { data: data('contribute', [of, amount, '0x']) })
}

async function confirm(amount) {
  await page.getByLabel('Amount in ETH').fill(amount)
  await page.getByRole('button', { name: 'Review' }).click()
  await page.getByRole('button', { name: 'Confirm in the wallet' }).click()
}

const field = (within = page) => within.getByLabel('Address that receives it')
const check = (within = page) => within.getByRole('button', { name: 'Check this address' }).click()

/** Sends it to the receiver: the address is typed, what goes is looked at, and the wallet is asked. */
async function sendElsewhere(shown, within = page, to = receiver, settles = 'nobody can take it back') {
  await field(within).fill(to)
  await check(within)
  await sees(within, 'Check before you confirm')
  const review = plain(await within.locator('details[open] .facts').innerText())
  assert.ok(review.includes(shown), `${shown}: ${review}`)
  assert.ok(review.includes(to), review)
  await sees(within, settles)
  await within.getByRole('button', { name: 'Send it to this address' }).click()
}

test('a wallet that sends and then answers with an internal error is not believed: what it sent is found, and followed to final', async () => {
  await open(`#/sales/${CHAIN}/${aurora}/contribute`)
  await connect(page)
  await world.rpc('evm_setIntervalMining', [0])
  await world.rpc('evm_setAutomine', [false])
  await page.evaluate(() => {
    window.testWallet.when.eth_sendTransaction = ([call]) => window.askDevnet('eth_sendTransaction', [call])
    window.testWallet.refuses.eth_sendTransaction = -32603
  })
  await confirm('1.5')
  // Among what waits for a block.
  await is('Pending')
  assert.equal(await page.getByText('Nothing was paid').count(), 0)
  await world.rpc('evm_mine')
  await is('Included')
  assert.equal(await card().getByText('The wallet said').count(), 0)
  await world.rpc('anvil_mine', ['0x50'])
  await is('Final')
  assert.equal(await paid(aurora, accounts[2]), (3n * ETHER) / 2n)

  // In a block before it is looked for.
  await world.rpc('evm_setAutomine', [true])
  await confirm('0.25')
  await is('Included')
  assert.equal(await paid(aurora, accounts[2]), (7n * ETHER) / 4n)
  assert.equal(await asked(page, 'eth_sendTransaction'), 2)
  await world.rpc('evm_setAutomine', [false])
})

test('a wallet that sent nothing and answers with an internal error is looked after, and only then said to have sent nothing', async () => {
  // Its person looks at the question for many blocks.
  await page.evaluate(() => window.testWallet.hold('eth_sendTransaction'))
  await confirm('1')
  await is('Confirm in your wallet')
  await until('the wallet asks', async () => (await asked(page, 'eth_sendTransaction')) === 3)
  await world.rpc('anvil_mine', ['0x18'])
  await page.evaluate(() => {
    window.testWallet.when = {}
    window.testWallet.release()
  })
  await is('Looking for it')
  await looked()
  await is('Looking for it')
  await sees(card(), 'This page is looking for it on the chain. Do not try again before it says how that went.')
  await sees(card(), 'The wallet said: The wallet does not do this.')
  assert.equal(await page.getByText('Nothing was paid').count(), 0)
  // Meanwhile the same button does not do it twice, and a reload does not forget.
  await page.getByLabel('Amount in ETH').fill('1')
  await page.getByRole('button', { name: 'Review' }).click()
  await sees(page, 'One like it may be on its way already')
  assert.equal(await page.getByRole('button', { name: 'Confirm in the wallet' }).isDisabled(), true)
  await isAccessible(page, 'elsewhere-looking')
  await page.reload()
  // Blocks enough, but of a second each: on such a chain they are no time at all.
  await world.rpc('anvil_mine', ['0x20'])
  await is('Looking for it')
  await looked()
  await is('Looking for it')
  await world.rpc('anvil_mine', ['0x10', '0xc'])
  await is('Not sent')
  await sees(card(), 'nothing like it was sent: it is safe to try again. If the wallet still asks, decline it there.')
  assert.equal(await paid(aurora, accounts[2]), (7n * ETHER) / 4n)
  await isAccessible(page, 'elsewhere-not-sent')

  // What the wallet says it does not do, it has not done.
  await page.evaluate(() => (window.testWallet.refuses.eth_sendTransaction = -32601))
  await confirm('1')
  await is('Not sent')
  await sees(card(), 'The wallet did not send it. Nothing was paid.')
  await page.evaluate(() => (window.testWallet.refuses = {}))
  await confirm('1')
  await is('Pending')
  await world.rpc('evm_mine')
  await is('Included')
  assert.equal(await paid(aurora, accounts[2]), (11n * ETHER) / 4n)
})

test('what a reorg takes while nobody sees the tab is told when it is seen again', async () => {
  await salePage(aurora)
  const hash = await world.rpc('eth_sendTransaction', [{ from: accounts[6], to: aurora, value: hex(ETHER) }])
  const raw = await until('it waits', () => world.rpc('eth_getRawTransactionByHash', [hash]))
  await world.rpc('evm_mine')
  const row = page.locator('#contributions ~ table tbody tr').filter({ hasText: accounts[6].slice(0, 6) })
  await row.getByText('Included').waitFor()
  const isSeen = (state) =>
    page.evaluate((state) => {
      Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => state })
      document.dispatchEvent(new Event('visibilitychange'))
    }, state)
  await isSeen('hidden')
  await world.rpc('anvil_reorg', [1, []])
  await until('the index has gone back', async () => {
    const { data } = await world.get(`/v1/sales/${CHAIN}/${aurora}/contributions`)
    return data.every((one) => one.transaction_hash !== hash)
  })
  await isSeen('visible')
  await sees(page, 'The network reorganised. 1 contribution is pending again')
  await page.locator('tr.gone', { hasText: 'Pending again' }).waitFor()
  await isAccessible(page, 'elsewhere-seen-again')
  await world.rpc('eth_sendRawTransaction', [raw])
  await world.rpc('evm_mine')
  await row.getByText('Included').waitFor()
  assert.equal(await page.locator('tr.gone').count(), 0)
  await world.rpc('evm_setAutomine', [true])
  await world.rpc('evm_setIntervalMining', [1])
})

test('a blocked holder withdraws to another address within the cooling-off', async () => {
  await payDollars(accounts[6], harbor, 200_000_001n)
  await chain.send(accounts[0], dollar, { data: data('setBlocked', [accounts[6], true]) })
  await use(page, accounts[6])
  await salePage(harbor)
  await page.getByText('Send it to another address').click()
  await sendElsewhere(`It receives ${units(200_000_001n, 6)} BLD`)
  await until('it is there', async () => (await balance(dollar, receiver)) === 200_000_001n)
  assert.equal(await paid(harbor, accounts[6]), 0n)
  assert.equal(await balance(dollar, harbor), 0n)
})

const SUM = 12_345_678_901n

test('where the refund does not get through, the page offers another address, and refuses all that cannot be meant', async () => {
  const me = accounts[4]
  await payDollars(me, harbor, SUM)
  await chain.send(accounts[5], nova, { value: (5n * ETHER) / 2n + 7n })
  const refuser = (await deploy(world, 'Refuser', accounts[0])).address
  await chain.send(accounts[3], aurora, { value: ETHER + 3n, data: data('contribute', [refuser, ETHER + 3n, '0x']) })
  await world.moveClockTo('2031-03-29T14:00:00Z')
  for (const sale of [aurora, harbor, nova]) await world.run('sale', 'close', sale, '--dev-account', '0')
  await chain.send(accounts[0], dollar, { data: data('setBlocked', [me, true]) })
  await use(page, me)
  await salePage(harbor)
  await sees(page, 'It missed its goal')
  await page.getByRole('button', { name: 'Get your money back' }).waitFor()
  assert.equal(await field().count(), 0)
  await isAccessible(page, 'elsewhere-closed')
  await page.getByRole('button', { name: 'Get your money back' }).click()
  await sees(page, 'A contract refused it: holder is blocked.')
  await sees(page, 'It can be sent to another address of yours: see below.')
  await field().waitFor()

  const { data: sale } = await world.get(`/v1/sales/${CHAIN}/${harbor}`)
  const wrong = receiver.replace(/[a-f]/, (one) => one.toUpperCase())
  assert.notEqual(wrong, receiver)
  for (const [typed, sentence] of [
    ['', 'Paste the address that is to receive it.'],
    ['0x1234', 'This is no address'],
    [wrong, 'One letter of this address is wrong: its capitals do not fit.'],
    ['somebody.eth', 'This is a name, and this page asks nobody where a name leads.'],
    [`0x${'0'.repeat(40)}`, 'This is the zero address.'],
    [me, 'This is the address of your wallet itself'],
    [harbor.toLowerCase(), 'This is the contract of the sale'],
    [sale.vault, 'This is the vault of the sale'],
    [sale.token.address, 'This is the contract of the token itself'],
    [dollar, 'This is the contract of the payment token itself'],
    // One that is blocked as well: that only a trial tells.
    [accounts[6], 'It does not get through to this address. A contract refused it: holder is blocked.'],
  ]) {
    await field().fill(typed)
    await check()
    await sees(page.locator('details[open]'), sentence)
    assert.equal(await page.getByText('Check before you confirm').count(), 0)
  }
  await isAccessible(page, 'elsewhere-refused')
  assert.equal(await asked(page, 'eth_sendTransaction'), 0)

  // By the keyboard, and typed without capitals.
  await field().fill(receiver.toLowerCase())
  await field().press('Enter')
  await sees(page, 'The address was typed without a mix of capitals')
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Check before you confirm')
  await isAccessible(page, 'elsewhere-review')
  await page.getByRole('button', { name: 'Change the address' }).click()
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'INPUT')

  const before = await balance(dollar, receiver)
  await sendElsewhere(`It receives ${units(SUM, 6)} BLD`)
  await until('it is there', async () => (await balance(dollar, receiver)) === before + SUM)
  assert.deepEqual([await balance(dollar, me), await balance(dollar, harbor)], [0n, 0n])
  assert.equal(await paid(harbor, me), 0n)
  await sees(page.locator('.transaction').first(), `To ${receiver.slice(0, 6)}…${receiver.slice(-4)}`)
  await shoot(page, 'elsewhere-sent')
  await sees(page, 'This wallet has nothing to take back here')

  // A wallet that is a contract, and takes no ether; from the list of its positions.
  await world.rpc('anvil_impersonateAccount', [refuser])
  await world.rpc('anvil_setBalance', [refuser, hex(10n * ETHER)])
  await use(page, refuser)
  await open(`#/positions/${refuser}`)
  await page.getByRole('button', { name: 'Get your money back' }).click()
  await sees(page, 'does not take ether. What is yours stays in the contract until it is taken.')
  const ether = await chain.balance(receiver)
  await sendElsewhere(`It receives ${units(ETHER + 3n)} ETH`)
  await until('it is there', async () => (await chain.balance(receiver)) === ether + ETHER + 3n)
  assert.equal(await paid(aurora, refuser), 0n)
})

test('one’s own unlock is told with its times, and tokens go to another address to the last unit', async () => {
  const me = accounts[5]
  const { settledAt, tokens } = await terms(me)
  const first = (tokens * 2_000n) / 10_000n
  await use(page, me)
  await open(`#/positions/${me}`)
  const mine = page.getByRole('listitem').filter({ hasText: 'Nova' })
  await sees(mine, 'Free so far')
  const at = (seconds) => plain(utc(seconds))
  const told = plain(await mine.innerText())
  const cliff = first + ((tokens - first) * BigInt(90 * DAY)) / BigInt(365 * DAY)
  for (const part of [
    `Free so far ${units(first)} NOV of ${units(tokens)} NOV`,
    `Next ${at(settledAt + 90 * DAY)} (in 89 d`,
    `+ ${units(cliff - first)} NOV`,
    `All of them ${at(settledAt + 365 * DAY)} (in 364 d`,
  ])
    assert.ok(told.includes(part), `${part}: ${told}`)
  await isAccessible(page, 'elsewhere-unlock')
  await mine.getByText('Send it to another address').click()
  const { address: token } = (await world.get(`/v1/sales/${CHAIN}/${nova}`)).data.token
  const before = await balance(token, receiver)
  await sendElsewhere(`It receives ${units(first)} NOV`, mine, receiver, 'What becomes free later stays with 0x')
  await until('they are there', async () => (await balance(token, receiver)) === before + first)
  assert.equal(await balance(token, me), 0n)

  // After the cliff they come by the second.
  await world.moveClockTo(new Date((settledAt + 100 * DAY) * 1000).toISOString())
  await sees(mine, 'More is free every second')
})

test('the share of what investors stopped goes to another address, too', async () => {
  const me = accounts[5]
  // Of a sale of its own: once all the money is due, nobody can object.
  const late = await world.deploy('aurora-eth.toml', (file) =>
    file
      .replaceAll('Aurora', 'Late')
      .replaceAll('AUR', 'LAT')
      .replaceAll('2031-03-01', '2031-08-01')
      .replaceAll('2031-03-08', '2031-08-08')
      .replaceAll('2031-03-29', '2031-08-29')
      .replace('soft_cap = "250"', 'soft_cap = "2"')
      .replace('[whitepaper]', '[release]\nat_once = "25%"\nduration = "100d"\nobjection = "50%"\n\n[whitepaper]'),
  )
  await world.moveClockTo('2031-08-01T14:00:00Z')
  await chain.send(me, late, { value: 3n * ETHER + 1n })
  await world.moveClockTo('2031-08-29T14:00:00Z')
  await world.run('sale', 'close', late, '--dev-account', '0')
  await world.run('release', late, '--dev-account', '0')
  const at = (await chain.read(late, 'vault'))[0]
  await chain.send(me, at, { data: data('object') })
  const { received, released } = await chain.read(at, 'account')
  const rest = received - released
  assert.ok(rest > 0n && received === 3n * ETHER + 1n)
  await salePage(late)
  const part = page.locator('section.card', { has: page.locator('#objection') })
  await part.getByText('Send it to another address').click()
  const before = await chain.balance(receiver)
  await sendElsewhere(`It receives ${units(rest)} ETH`, part)
  await until('it is there', async () => (await chain.balance(receiver)) === before + rest)
  assert.equal((await chain.read(at, 'refundable', [me]))[0], 0n)
})

test('a holder who is not approved gets the money without the tokens, and the tokens to an approved one', async () => {
  const me = accounts[5]
  const meridian = await world.deploy('meridian-prorata.toml', (file) =>
    file
      .replace(/compliance = .*/, '')
      .replace(/voucher_signer = .*/, '')
      .replace(/cooling_off = .*/, '')
      .replace('gate = "voucher"', '')
      .replace('soft_cap = "200"', 'soft_cap = "20"')
      .replace('hard_cap = "800"', 'hard_cap = "60"')
      .replaceAll('2031-05-01', '2031-09-01')
      .replaceAll('2031-05-31', '2031-09-29'),
  )
  await world.moveClockTo('2031-09-01T09:00:00Z')
  await chain.send(me, meridian, { value: 33n * ETHER + 1n })
  await chain.send(accounts[6], meridian, { value: 40n * ETHER })
  await world.moveClockTo('2031-09-29T09:00:00Z')
  await world.run('sale', 'close', meridian, '--dev-account', '0')
  const { tokens, excess } = await ask(meridian, 'claimable', [me])
  assert.ok(excess > 0n && tokens > 0n)
  await use(page, me)
  await open(`#/positions/${me}`)
  const mine = page.getByRole('listitem').filter({ hasText: 'Meridian' })
  await mine.getByRole('button', { name: 'Claim your tokens' }).click()
  await sees(mine, 'Only approved holders may have this token')
  await sees(mine, 'It can be sent to another address of yours: see below.')
  await isAccessible(page, 'elsewhere-unapproved')
  const before = await chain.balance(me)
  await mine.getByRole('button', { name: 'Get your money back' }).click()
  await until('it is back', async () => (await chain.balance(me)) > before)
  assert.equal(await chain.balance(me), before + excess - (await chain.feeOf(page)))

  const { address: token } = (await world.get(`/v1/sales/${CHAIN}/${meridian}`)).data.token
  await field(mine).fill(accounts[8])
  await check(mine)
  await sees(mine, 'It does not get through to this address. Only approved holders may have this token')
  const forEver = (1n << 40n) - 1n
  await chain.send(accounts[1], token, { data: data('setHolders', [[receiver], [forEver]]) })
  await sendElsewhere(`It receives ${units(tokens)} MRD`, mine)
  await until('they are there', async () => (await balance(token, receiver)) === tokens)
})

test('the most that a list lets one pay is said before, and refused beside the field with what would do', async () => {
  const polar = await world.deploy('polar-auction.toml', (file) =>
    file.replace('polar-members.json', MEMBERS).replaceAll('2031-07-', '2031-10-'),
  )
  await world.moveClockTo('2031-10-01T12:00:00Z')
  await use(page, accounts[3])
  await open(`#/sales/${CHAIN}/${polar}/contribute`)
  await sees(page, 'The list of this phase lets this address pay up to 50 ETH in all.')
  await page.getByLabel('Amount in ETH').fill('50.000000000000000001')
  await sees(page.locator('#amount-told'), 'The list of this phase lets this address pay at most 50 ETH.')
  assert.equal(await page.getByRole('button', { name: 'Review' }).isDisabled(), true)
  await isAccessible(page, 'elsewhere-personal')
  await page.getByRole('button', { name: 'Use 50 ETH' }).click()
  assert.equal(await page.getByLabel('Amount in ETH').inputValue(), '50')
  await page.getByRole('button', { name: 'Review' }).click()
  await page.getByRole('button', { name: 'Confirm in the wallet' }).click()
  await until('it is paid', async () => (await paid(polar, accounts[3])) === 50n * ETHER)
  await page.getByLabel('Amount in ETH').fill('1')
  await sees(page.locator('#amount-told'), 'at most 50 ETH in all, and it has paid 50 ETH.')
  assert.equal(await page.locator('#amount-told').getByRole('button').count(), 0)
})

test('nothing broke the page’s policy, and nobody else was asked for anything', () => assert.deepEqual(faults, []))

test('a page that asks a node alone tells a rejection whose refund does not get through, and where else it can go', async () => {
  node = await Node.start()
  const on = new Chain(node)
  const [blocked, plainOne, gone] = [accounts[4], accounts[5], accounts[6]]
  const coin = (await deploy(node, 'BlockDollar', accounts[0])).address
  const sale = await node.deploy('harbor-usd.toml', inDollars(coin, '2031-03', `compliance = "${accounts[9]}"`))
  await node.moveClockTo('2031-03-01T14:00:00Z')
  for (const of of [blocked, plainOne, gone]) await payDollars(of, sale, SUM, on, coin)
  for (const of of [blocked, gone]) await on.send(accounts[9], sale, { data: data('reject', [of]) })
  // Whose money cannot be had either, and who was not rejected.
  for (const of of [blocked, plainOne]) await on.send(accounts[0], coin, { data: data('setBlocked', [of, true]) })
  const folder = join(node.folder, 'public')
  await node.run('page', folder, '--node', node.url, '--sale', sale, '--json')
  files = await serveFolder(folder, '/page/')
  const opened = await watched(browser, [files.origin, node.url])
  await addWallet(opened.context, node, { account: blocked })
  page = await opened.context.newPage()
  await page.goto(`${files.origin}/page/#/sales/${CHAIN}/${sale}`)
  await page.getByRole('banner').getByRole('button', { name: 'Connect wallet' }).click()
  await page.getByRole('button', { name: 'Test Wallet' }).click()
  const out = page.locator('section', { has: page.locator('#ways-out') })
  const look = async (of, words) => {
    await out.getByLabel('Address of the investor').fill(of)
    await out.getByRole('button', { name: 'Look up' }).click()
    await sees(out, of)
    await sees(out, words)
  }
  await look(plainOne, 'You have paid. The sale still runs.')
  assert.equal(await out.getByText('Can be taken back now').count(), 0)
  await look(gone, 'Compliance rejected this position. Its money waits for you.')
  // A node that gives out no storage: then the reason tells for which the refund does not get through.
  const refuse = limited((asked) => asked.method === 'eth_getStorageAt')
  await page.route(`${node.url}/**`, refuse)
  await look(plainOne, 'You have paid. The sale still runs.')
  await look(blocked, 'Compliance rejected this position. Its money waits for you.')
  assert.ok(refuse.count > 0)
  await page.unroute(`${node.url}/**`, refuse)
  assert.ok(plain(await out.innerText()).includes(`Can be taken back now ${units(SUM, 6)} BLD`))
  await sees(out, 'The money is there, and does not get through to this address now')
  await field(out).waitFor()
  await isAccessible(page, 'elsewhere-node')
  await sendElsewhere(`It receives ${units(SUM, 6)} BLD`, out, accounts[8])
  await until('it is there', async () => (await on.read(coin, 'balanceOf', [accounts[8]]))[0] === SUM)
  await sees(out, 'This address has nothing in this sale')

  // After a failure all get theirs back, and a rejection is still one.
  await node.moveClockTo('2031-03-29T14:00:00Z')
  await node.run('sale', 'close', sale, '--dev-account', '0')
  await sees(page, 'It missed its goal')
  await look(gone, 'Compliance rejected this position. Its money waits for you.')
  await look(plainOne, 'The sale did not succeed. Your money waits for you.')
  assert.deepEqual(opened.faults, [])
})

/** A node’s way of saying no to some questions. */
function limited(isRefused) {
  const handle = async (route) => {
    const body = route.request().postDataJSON()
    if (!body || !isRefused(body)) return route.fallback()
    handle.count++
    const error = { code: -32005, message: 'limit exceeded' }
    const headers = { 'access-control-allow-origin': '*' }
    return route.fulfill({ json: { jsonrpc: '2.0', id: body.id, error }, headers })
  }
  handle.count = 0
  return handle
}

test('it has the hashes of the documents from the chain, and calls a file the right one only after hashing it', async () => {
  const part = page.locator('section', { has: page.locator('#documents') })
  const bytes = readFileSync(join(node.folder, 'sale.toml'))
  const digest = `0x${createHash('sha256').update(bytes).digest('hex')}`
  await sees(part, digest)
  await part.getByText('How to check a file').click()
  await sees(part, 'sha256sum')
  assert.equal(await part.getByText('is it: its SHA-256').count(), 0)
  await part.getByLabel('File to check').setInputFiles({ name: 'sale.toml', mimeType: 'text/plain', buffer: bytes })
  await sees(part, 'sale.toml is it: its SHA-256 is the one of “Terms of the sale”.')
  const other = Buffer.concat([bytes, Buffer.from('\n')])
  const hashed = `0x${createHash('sha256').update(other).digest('hex')}`
  await part.getByLabel('File to check').setInputFiles({ name: 'other.toml', mimeType: 'text/plain', buffer: other })
  await sees(part, `other.toml is none of these documents: its SHA-256 is ${hashed}.`)
  await isAccessible(page, 'elsewhere-documents')

  // By a node that gives the events of few blocks at once, and by one that gives none.
  const narrow = limited((asked) => asked.method === 'eth_getLogs' && asked.params[0].fromBlock === '0x0')
  await page.route(`${node.url}/**`, narrow)
  await page.reload()
  await sees(part, digest)
  assert.ok(narrow.count > 0)
  const none = limited((asked) => asked.method === 'eth_getLogs')
  await page.route(`${node.url}/**`, none)
  await page.reload()
  await sees(part, 'This node does not tell what was written when the sale was created')
  await page.unroute(`${node.url}/**`, none)
  await part.getByRole('button', { name: 'Try again' }).click()
  await sees(part, digest)

  // One that supersedes another shows with its block.
  const [sale, on] = [page.url().split('/').at(-1), new Chain(node)]
  const [owner] = await on.read(sale, 'owner')
  await on.send(owner, sale, { data: data('supersedeWhitepaper', [hashed, 'https://example.org/later.pdf']) })
  await sees(part, hashed)
})

/** As the page writes a time. */
const utc = (seconds) =>
  `${new Intl.DateTimeFormat('en-GB', {
    ...{ day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' },
    ...{ hourCycle: 'h23', timeZone: 'UTC' },
  }).format(new Date(seconds * 1000))} UTC`

async function ask(to, name, values) {
  return abi.decodeFunctionResult(name, await world.rpc('eth_call', [{ to, data: data(name, values) }, 'latest']))
}

/** When the sale that vests has succeeded, and what the address has in it. */
async function terms(of) {
  const [settledAt] = await ask(nova, 'settledAt')
  return { settledAt: Number(settledAt), tokens: (await chain.read(nova, 'positionOf', [of])).tokens }
}
