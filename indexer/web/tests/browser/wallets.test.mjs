// Wallets as people have them: several at once, on the wrong chain, slow, old, and each with its own way to pay with a token.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { isAccessible, launch, watched } from './browser.mjs'
import { deploy } from './compiled.mjs'
import { CHAIN, ETHER, hex, plain, read, sees, send, story } from './steps.mjs'
import { addWallet } from './wallet.mjs'
import { root, until, World } from './world.mjs'

const { Interface } = createRequire(import.meta.url)('ethers')
const saleAbi = new Interface(['function positionOf(address) view returns (uint256 paid, uint256 tokens)'])
const tokenAbi = new Interface([
  'function mint(address, uint256)',
  'function balanceOf(address) view returns (uint256)',
  'function allowance(address, address) view returns (uint256)',
  'function nonces(address) view returns (uint256)',
])

const test = story()
let world, browser, accounts, aurora
const opened = []

/** A browser of its own, with these wallets. */
async function visitor(wallets, options) {
  const found = await watched(browser, world.api, options)
  opened.push(found)
  for (const wallet of wallets) await addWallet(found.context, world, wallet)
  return found.context.newPage()
}

before(async () => {
  process.env.CROWDSALE_ALLOWLISTS = join(root, 'contracts/examples/polar-members.json')
  world = await World.start()
  browser = await launch()
  accounts = await world.rpc('eth_accounts')
  aurora = await world.deploy('aurora-eth.toml', (file) =>
    file
      .replace('soft_cap = "250"', 'soft_cap = "20"')
      .replace('hard_cap = "1000"', 'hard_cap = "60"')
      .replace('raised_up_to = "200"', 'raised_up_to = "40"'),
  )
  await world.moveClockTo('2031-03-01T14:00:00Z')
})

after(async () => {
  await browser?.close()
  await world?.stop()
})

const contribute = (sale) => `${world.api}/#/sales/${CHAIN}/${sale}/contribute`
const paid = async (sale, account) => (await read(world, saleAbi, sale, 'positionOf', [account])).paid
const card = (page) => page.locator('.transaction').first()
const is = (page, state) => card(page).locator('.badge', { hasText: state }).waitFor()
const asked = (page, method) =>
  page.evaluate((one) => window.testWallet.asked.filter((each) => each === one).length, method)

async function connect(page, name = 'Test Wallet') {
  // Unless it was connected before, and is so again.
  if (await page.evaluate(() => localStorage.getItem('crowdsale.wallet'))) return
  await page.locator('main').getByRole('button', { name: 'Connect wallet' }).click()
  await page.getByRole('button', { name }).click()
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
}

test('of two wallets the one that is picked is asked, and it is remembered', async () => {
  const page = await visitor([
    { name: 'First Wallet', account: accounts[2] },
    { name: 'Second Wallet', account: accounts[3] },
  ])
  await page.goto(contribute(aurora))
  await page.locator('main').getByRole('button', { name: 'Connect wallet' }).click()
  await page.getByRole('button', { name: 'First Wallet' }).waitFor()
  await isAccessible(page, 'wallets-two')
  await page.getByRole('button', { name: 'Second Wallet' }).click()
  await sees(page, 'Your wallet has 10\u202f000 ETH.')
  const askedOf = (name) => page.evaluate((one) => window.testWallets[one].asked, name)
  assert.deepEqual(await askedOf('First Wallet'), [])
  await page.reload()
  await sees(page, 'Your wallet has 10\u202f000 ETH.')
  assert.ok(!(await askedOf('Second Wallet')).includes('eth_requestAccounts'))
  await page.getByLabel('Amount in ETH').fill('1')
  await page.getByRole('button', { name: 'Review' }).click()
  await sees(page.locator('.next'), accounts[3])
})

test('a wallet that asks already is waited for, and one that is slow is said to ask', async () => {
  const page = await visitor([{ account: accounts[2] }])
  await page.goto(contribute(aurora))
  await page.locator('main').getByRole('button', { name: 'Connect wallet' }).click()
  await page.evaluate(() => (window.testWallet.isBusy = true))
  await page.getByRole('button', { name: 'Test Wallet' }).click()
  await sees(page, 'The wallet is asking you already: open it.')
  await page.evaluate(() => {
    window.testWallet.isBusy = false
    window.testWallet.hold('eth_requestAccounts')
  })
  await page.getByRole('button', { name: 'Test Wallet' }).click()
  await sees(page, 'Look at Test Wallet: it asks you something.')
  await isAccessible(page, 'wallet-slow')
  assert.ok(await page.getByRole('button', { name: 'Test Wallet' }).isDisabled())
  await page.evaluate(() => window.testWallet.release())
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
  await sees(page, 'Your wallet has 10\u202f000 ETH.')
})

test('a wallet that never answers keeps nobody from another one, and its late answer changes nothing', async () => {
  const page = await visitor([
    { name: 'First Wallet', account: accounts[2] },
    { name: 'Second Wallet', account: accounts[3] },
  ])
  await page.goto(contribute(aurora))
  const open = () => page.locator('main').getByRole('button', { name: 'Connect wallet' }).click()
  const [first, second] = ['First Wallet', 'Second Wallet'].map((name) => page.getByRole('button', { name }))
  const questions = (name) =>
    page.evaluate((one) => window.testWallets[one].asked.filter((each) => each === 'eth_requestAccounts').length, name)
  await open()
  await page.evaluate(() => window.testWallets['First Wallet'].hold('eth_requestAccounts'))
  await first.click()
  await sees(page, 'Look at First Wallet: it asks you something. If nothing opens there, choose another wallet')
  assert.deepEqual([await first.isDisabled(), await second.isDisabled()], [true, false])
  await isAccessible(page, 'wallet-never')
  await page.evaluate(() => (window.early = window.testWallets['First Wallet'].release))
  // Closed and opened, it can be asked once more.
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click()
  await open()
  await first.click()
  await sees(page, 'Look at First Wallet')
  assert.equal(await questions('First Wallet'), 2)
  // One that is left for another has nothing to say any more: neither where that one asks still, nor where it is connected.
  await page.evaluate(() => window.testWallets['Second Wallet'].hold('eth_requestAccounts'))
  await second.click()
  await sees(page, 'Look at Second Wallet')
  assert.deepEqual([await first.isDisabled(), await second.isDisabled()], [false, true])
  await page.evaluate(() => window.early())
  await until('its answer has come', () => page.evaluate(() => window.testWallets['First Wallet'].connected))
  await page.evaluate(() => window.testWallets['Second Wallet'].release())
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
  await sees(page, 'Your wallet has 10\u202f000 ETH.')
  await page.evaluate(() => window.testWallets['First Wallet'].use('0x0000000000000000000000000000000000000001'))
  await page.evaluate(() => window.testWallets['First Wallet'].release())
  await page.getByLabel('Amount in ETH').fill('1')
  await page.getByRole('button', { name: 'Review' }).click()
  await sees(page.locator('.next'), accounts[3])
  assert.equal(await page.evaluate(() => localStorage.getItem('crowdsale.wallet')), 'test.second.wallet')
  // It was not even asked on which chain it is.
  assert.ok(!(await page.evaluate(() => window.testWallets['First Wallet'].asked)).includes('eth_chainId'))
})

test('a wallet that never goes to another chain keeps nobody from one that does', async () => {
  const elsewhere = { chain: '0x1', knows: ['0x1', '0x7a69'] }
  const page = await visitor([
    { name: 'First Wallet', account: accounts[2], ...elsewhere },
    { name: 'Second Wallet', account: accounts[3], ...elsewhere },
  ])
  await page.goto(contribute(aurora))
  await connect(page, 'First Wallet')
  const leave = page.getByRole('button', { name: `Switch the wallet to chain ${CHAIN}` })
  await page.evaluate(() => window.testWallets['First Wallet'].hold('wallet_switchEthereumChain'))
  await leave.click()
  await sees(page, 'Look at your wallet: it asks you something. If nothing opens there, change the chain in the wallet')
  assert.ok(await leave.isDisabled())
  await isAccessible(page, 'chain-never')
  await page.getByRole('banner').getByRole('button', { name: 'Your wallet' }).click()
  await page.getByRole('button', { name: 'Disconnect' }).click()
  await page.getByRole('button', { name: 'Second Wallet' }).click()
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
  await leave.click()
  await sees(page, 'Your wallet has 10\u202f000 ETH.')
  // The first one goes now, and says so: the second one is where it was.
  await page.evaluate(() => {
    window.testWallets['Second Wallet'].goTo('0x1')
    window.testWallets['First Wallet'].release()
  })
  await until('it has gone', () => page.evaluate(() => window.testWallets['First Wallet'].chain === '0x7a69'))
  await leave.waitFor()
})

test('a wallet that does not announce itself is found where wallets once stood', async () => {
  const page = await visitor([{ account: accounts[2], isLegacy: true }])
  await page.goto(contribute(aurora))
  await connect(page, 'The wallet of this browser')
  await sees(page, 'Your wallet has 10\u202f000 ETH.')
})

test('the wrong chain is told and left; one that the wallet does not know is told too', async () => {
  const page = await visitor([{ account: accounts[2], chain: '0x1', knows: ['0x1'] }])
  await page.goto(contribute(aurora))
  await connect(page)
  const leave = page.getByRole('button', { name: `Switch the wallet to chain ${CHAIN}` })
  await leave.click()
  await sees(page, 'Your wallet does not know this chain. Add it there first.')
  await isAccessible(page, 'chain-unknown')
  // Its person adds it in the wallet itself.
  await page.evaluate(() => window.testWallet.goTo('0x7a69'))
  await leave.waitFor({ state: 'detached' })
  await sees(page, 'Your wallet has 10\u202f000 ETH.')
})

test('another account or chain in the middle changes what is reviewed before anything is asked', async () => {
  const page = await visitor([{ account: accounts[2] }])
  await page.goto(contribute(aurora))
  await connect(page)
  await page.getByLabel('Amount in ETH').fill('1')
  await page.getByRole('button', { name: 'Review' }).click()
  await sees(page.locator('.next'), accounts[2])
  await page.evaluate((account) => window.testWallet.use(account), accounts[4])
  await sees(page.locator('.next'), accounts[4])
  await page.evaluate(() => window.testWallet.goTo('0x1'))
  await sees(page.locator('.next'), `Your wallet is on chain 1; this sale is on chain ${CHAIN}.`)
  assert.equal(await page.getByRole('button', { name: 'Confirm in the wallet' }).count(), 0)
  await isAccessible(page, 'chain-changed')
  await page.getByRole('button', { name: `Switch the wallet to chain ${CHAIN}` }).click()
  await page.getByRole('button', { name: 'Confirm in the wallet' }).click()
  await is(page, 'Included')
  assert.deepEqual([await paid(aurora, accounts[4]), await paid(aurora, accounts[2])], [ETHER, 0n])
})

test('amounts that mean nothing, or more than is left, are told beside the field', async () => {
  const page = await visitor([{ account: accounts[2] }])
  await page.goto(contribute(aurora))
  await connect(page)
  await send(world, { from: accounts[5], to: aurora, value: hex(49n * ETHER) })
  await world.indexed()
  const field = page.getByLabel('Amount in ETH')
  for (const [typed, told] of [
    ['1.2.3', 'with at most one point'],
    ['.', 'with at most one point'],
    ['１', 'with digits and a point alone'],
    ['0x10', 'with digits and a point alone'],
    ['1٫5', 'without commas'],
    ['9'.repeat(61), 'more than there can be'],
    ['0.049999999999999999', 'The least is 0.05 ETH.'],
    ['50.000000000000000001', 'The most is 50 ETH an investor.'],
  ]) {
    await field.fill(typed)
    await sees(page.locator('#amount-told'), told)
    assert.equal(await field.getAttribute('aria-invalid'), 'true', typed)
    assert.ok(await page.getByRole('button', { name: 'Review' }).isDisabled(), typed)
  }
  // 10 ether are left of 60.
  await field.fill('10.5')
  await page.getByRole('button', { name: 'Use 10 ETH' }).click()
  assert.equal(await field.inputValue(), '10')
})

test('what the contract would refuse is told with the amount that it would take, before the wallet opens', async () => {
  const polar = await world.deploy('polar-auction.toml', (file) =>
    file.replace('polar-members.json', join(root, 'contracts/examples/polar-members.json')),
  )
  await world.moveClockTo('2031-07-01T12:00:00Z')
  // On the list with 20 at most, of which the sale’s own terms say nothing; and a service that says more has not the last word.
  const page = await visitor([{ account: accounts[5] }])
  await page.route('**/v1/allowlists/**', async (route) => {
    const response = await route.fetch()
    await route.fulfill({ response, json: { ...(await response.json()), max_paid: (60n * ETHER).toString() } })
  })
  await page.goto(contribute(polar))
  await connect(page)
  await page.getByLabel('Amount in ETH').fill('20.000000000000000001')
  await page.getByRole('button', { name: 'Review' }).click()
  await page.getByRole('button', { name: 'Confirm in the wallet' }).click()
  await sees(page, 'Each investor can pay at most 20 ETH in all; this would make 20.000000000000000001 ETH.')
  await isAccessible(page, 'use-instead')
  assert.equal(await asked(page, 'eth_sendTransaction'), 0)
  await page.getByRole('button', { name: 'Use 20 ETH' }).click()
  await page.getByText('It would not go through').waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Confirm in the wallet' }).click()
  await is(page, 'Included')
  assert.equal(await paid(polar, accounts[5]), 20n * ETHER)
})

let harbor, dollar
const mint = (token, account, amount) =>
  send(world, { from: account, to: token, data: tokenAbi.encodeFunctionData('mint', [account, amount]) })
const balance = async (token, account) => (await read(world, tokenAbi, token, 'balanceOf', [account]))[0]
const allowance = async (token, account, sale) => (await read(world, tokenAbi, token, 'allowance', [account, sale]))[0]

/** Up to the question how the token is let be taken. */
async function review(page, sale, symbol, amount) {
  await page.goto(contribute(sale))
  await connect(page)
  await page.getByLabel(`Amount in ${symbol}`).fill(amount)
  await page.getByRole('button', { name: 'Review' }).click()
}

test('a token is paid by a signature and one transaction, to the unit', async () => {
  harbor = await world.deploy('harbor-usd.toml')
  dollar = world.place.stablecoin
  await world.moveClockTo('2031-09-01T08:00:00Z')
  await mint(dollar, accounts[2], 1_000_000_000n)
  const page = await visitor([{ account: accounts[2] }])
  await review(page, harbor, 'USDD', '500.000001')
  await sees(
    page,
    'Your wallet asks twice. First to sign that the contract of the sale may take exactly 500.000001 USDD',
  )
  // A plain transfer of a token would be no contribution: no code for one is offered.
  assert.equal(await page.getByText('Pay from a wallet on another device').count(), 0)
  await isAccessible(page, 'permit')
  await page.evaluate(() => window.testWallet.hold('eth_signTypedData_v4'))
  await page.getByRole('button', { name: 'Sign and contribute' }).click()
  await sees(page, 'Sign the permission in your wallet. It costs nothing and sends nothing.')
  await isAccessible(page, 'permit-asked')
  await page.evaluate(() => {
    window.testWallet.declines = true
    window.testWallet.release()
  })
  await sees(page, 'You declined. Nothing was signed and nothing was sent.')
  await page.evaluate(() => {
    window.testWallet.declines = false
    window.testWallet.when = {}
  })
  await page.getByRole('button', { name: 'Sign and contribute' }).click()
  await is(page, 'Included')
  assert.equal(await asked(page, 'eth_sendTransaction'), 1)
  assert.equal(await paid(harbor, accounts[2]), 500_000_001n)
  assert.equal(await balance(dollar, accounts[2]), 499_999_999n)
  assert.equal(await balance(dollar, harbor), 500_000_001n)
  assert.equal(await allowance(dollar, accounts[2], harbor), 0n)
  assert.equal((await read(world, tokenAbi, dollar, 'nonces', [accounts[2]]))[0], 1n)
})

test('a sale that would not take it says so before anything is signed or allowed', async () => {
  // Of 2 000 000 at most, one investor can pay 100 000; the page knows. What it does not know: the sale has paused a moment ago.
  const pause = new Interface(['function setPaused(bool)'])
  const page = await visitor([{ account: accounts[2] }])
  await review(page, harbor, 'USDD', '100')
  const button = page.getByRole('button', { name: 'Sign and contribute' })
  await button.waitFor()
  // Once the page tries it, and not before.
  await page.evaluate(() => window.testWallet.hold('eth_call'))
  await button.click()
  await until('it is tried', () => page.evaluate(() => window.testWallet.release !== undefined))
  const data = pause.encodeFunctionData('setPaused', [true])
  await send(world, { from: accounts[1], to: harbor, data })
  await page.evaluate(() => {
    window.testWallet.when = {}
    window.testWallet.release()
  })
  await sees(page, 'The owner has paused contributions.')
  assert.equal(await asked(page, 'eth_signTypedData_v4'), 0)
  await send(world, { from: accounts[1], to: harbor, data: pause.encodeFunctionData('setPaused', [false]) })
})

test('where the wallet signs no such thing, the token is allowed by a transaction, exactly', async () => {
  await mint(dollar, accounts[6], 300_000_000n)
  const page = await visitor([{ account: accounts[6] }])
  await review(page, harbor, 'USDD', '250.25')
  await page.evaluate(() => (window.testWallet.refuses.eth_signTypedData_v4 = 4200))
  await page.getByRole('button', { name: 'Sign and contribute' }).click()
  await sees(page, 'The permission by signature did not work in this wallet or with this token.')
  await sees(page, 'first you allow the contract of the sale to take exactly 250.25 USDD')
  await isAccessible(page, 'permit-refused')
  await page.getByRole('button', { name: 'Allow the sale to take it' }).click()
  await is(page, 'Included')
  assert.equal(await allowance(dollar, accounts[6], harbor), 250_250_000n)
  await page.getByRole('button', { name: 'Confirm in the wallet' }).click()
  await until('it is contributed', async () => (await paid(harbor, accounts[6])) === 250_250_000n)
  assert.equal(await allowance(dollar, accounts[6], harbor), 0n)
  assert.equal(await balance(dollar, accounts[6]), 49_750_000n)
})

test('a signature that is not good is found out before anything is sent', async () => {
  const page = await visitor([{ account: accounts[2] }])
  for (const signature of [`0x${'11'.repeat(65)}`, `0x${'22'.repeat(200)}`]) {
    await page.goto('about:blank')
    await review(page, harbor, 'USDD', '100')
    await page.evaluate((one) => (window.testWallet.answers.eth_signTypedData_v4 = one), signature)
    await page.getByRole('button', { name: 'Sign and contribute' }).click()
    await sees(page, 'The permission by signature did not work in this wallet or with this token.')
    await page.getByRole('button', { name: 'Allow the sale to take it' }).waitFor()
    assert.equal(await asked(page, 'eth_sendTransaction'), 0)
  }
})

test('who would rather allow it with a transaction can', async () => {
  const page = await visitor([{ account: accounts[2] }])
  await review(page, harbor, 'USDD', '100')
  await page.getByRole('button', { name: 'Allow it with a transaction instead' }).click()
  await page.getByRole('button', { name: 'Allow the sale to take it' }).waitFor()
  assert.equal(await asked(page, 'eth_signTypedData_v4'), 0)
})

test('of a token whose permit is of another kind, no signature is ever asked', async () => {
  const { address: odd } = await deploy(world, 'OddDollar', accounts[0])
  const now = new Date(Number((await world.rpc('eth_getBlockByNumber', ['latest', false])).timestamp) * 1000)
  const opens = new Date(now.getTime() + 3_600_000).toISOString().replace(/\.\d+/, '')
  const sale = await world.deploy('harbor-usd.toml', (file) =>
    file
      .replaceAll('Harbor', 'Oddity')
      .replace(/currency = .*/, `currency = "${odd}"`)
      .replace('symbol = "USDD"', 'symbol = "ODD"')
      .replace(/opens = .*/, `opens = ${opens}`),
  )
  await world.moveClockTo(opens)
  await mint(odd, accounts[2], 200_000_000n)
  // From an earlier time; this token changes it only from nothing.
  const approve = new Interface(['function approve(address,uint256)']).encodeFunctionData('approve', [sale, 1n])
  await send(world, { from: accounts[2], to: odd, data: approve })
  const page = await visitor([{ account: accounts[2] }])
  await review(page, sale, 'ODD', '150')
  await sees(page, 'Permissions by signature work in this token in a way that this page cannot check')
  await sees(page, 'This token changes a permission only from nothing')
  await isAccessible(page, 'permit-odd')
  await page.getByRole('button', { name: 'Take the old permission back' }).click()
  await page.getByRole('button', { name: 'Allow the sale to take it' }).click()
  await page.getByRole('button', { name: 'Confirm in the wallet' }).click()
  await until('it is contributed', async () => (await paid(sale, accounts[2])) === 150_000_000n)
  assert.equal(await allowance(odd, accounts[2], sale), 0n)
  assert.equal(await asked(page, 'eth_signTypedData_v4'), 0)
})

test('a wallet that sends several calls at once pays a token in one transaction', async () => {
  const account = accounts[7]
  await mint(dollar, account, 400_000_000n)
  const { abi, address } = await deploy(world, 'Batcher', accounts[0])
  // The account has lent itself the code (EIP-7702).
  await world.rpc('anvil_setCode', [account, `0xef0100${address.slice(2)}`])
  const batch = async ({ from, calls, atomicRequired, version }) => {
    assert.deepEqual([from.toLowerCase(), atomicRequired, version], [account.toLowerCase(), true, '2.0.0'])
    const data = abi.encodeFunctionData('execute', [calls.map(({ to, value, data }) => [to, value, data])])
    return { id: '0x1d', hash: await world.rpc('eth_sendTransaction', [{ from, to: from, data, gas: hex(1_000_000) }]) }
  }
  const page = await visitor([{ account, batch, atomic: 'supported' }])
  await review(page, harbor, 'USDD', '399.999999')
  await sees(
    page,
    'One step: your wallet allows the contract of the sale to take exactly 399.999999 USDD and contributes',
  )
  await isAccessible(page, 'batch')
  await page.evaluate(() => (window.testWallet.declines = true))
  await page.getByRole('button', { name: 'Confirm in the wallet' }).click()
  await is(page, 'Declined')
  await page.evaluate(() => (window.testWallet.declines = false))
  await page.getByLabel('Amount in USDD').fill('399.999999')
  await page.getByRole('button', { name: 'Review' }).click()
  await world.rpc('evm_setAutomine', [false])
  await world.rpc('evm_setIntervalMining', [0])
  await page.getByRole('button', { name: 'Confirm in the wallet' }).click()
  await is(page, 'Pending')
  await page.reload()
  await is(page, 'Pending')
  assert.equal(await paid(harbor, account), 0n)
  await world.rpc('evm_mine')
  await is(page, 'Included')
  assert.equal(await paid(harbor, account), 399_999_999n)
  assert.equal(await balance(dollar, account), 1n)
  assert.equal(await allowance(dollar, account, harbor), 0n)
  assert.equal(await asked(page, 'eth_sendTransaction'), 0)
  // Its block is taken back, and the wallet knows of no other.
  await world.rpc('anvil_reorg', [1, []])
  await is(page, 'Pending again')
  await world.rpc('evm_setAutomine', [true])
})

test('a batch that fails is told to have failed, and one that the wallet does not take after all goes another way', async () => {
  const account = accounts[8]
  await mint(dollar, account, 400_000_000n)
  let fate = 0
  const { abi, address } = await deploy(world, 'Batcher', accounts[0])
  await world.rpc('anvil_setCode', [account, `0xef0100${address.slice(2)}`])
  const batch = async ({ from, calls }) => {
    fate++
    // The contribution alone, which has not been allowed anything: it fails in its block.
    const data = abi.encodeFunctionData('execute', [calls.slice(1).map(({ to, value, data }) => [to, value, data])])
    return { id: '0x2d', hash: await world.rpc('eth_sendTransaction', [{ from, to: from, data, gas: hex(1_000_000) }]) }
  }
  const page = await visitor([{ account, batch, atomic: 'supported' }])
  await review(page, harbor, 'USDD', '200')
  await page.getByRole('button', { name: 'Confirm in the wallet' }).click()
  await is(page, 'Failed')
  assert.equal(fate, 1)
  assert.equal(await paid(harbor, account), 0n)
  await page.getByLabel('Amount in USDD').fill('200')
  await page.getByRole('button', { name: 'Review' }).click()
  await page.evaluate(() => (window.testWallet.refuses.wallet_sendCalls = 5750))
  await page.getByRole('button', { name: 'Confirm in the wallet' }).click()
  await is(page, 'Not sent')
  await page.getByLabel('Amount in USDD').fill('200')
  await page.getByRole('button', { name: 'Review' }).click()
  await page.getByRole('button', { name: 'Sign and contribute' }).waitFor()
})

test('a Safe pays a token in one transaction too, once its owners have signed', async () => {
  const owners = [accounts[3], accounts[4]]
  const { abi, address: safe } = await deploy(world, 'Safe', accounts[3], [owners, 2])
  const several = await deploy(world, 'MultiCall', accounts[3])
  const mintTo = tokenAbi.encodeFunctionData('mint', [safe, 300_000_000n])
  await send(world, { from: accounts[3], to: dollar, data: mintTo })
  const NOBODY = `0x${'0'.repeat(40)}`
  let proposed
  const batch = async ({ calls }) => {
    const inner = [calls.map(({ to, value, data }) => [to, value, data])]
    const call = [several.address, 0, several.abi.encodeFunctionData('execute', inner), 1, 0, 0, 0, NOBODY, NOBODY]
    const [id] = await read(world, abi, safe, 'getTransactionHash', [...call, 0])
    proposed = { id, call }
    return { id, hash: null }
  }
  const page = await visitor([{ account: safe, batch, atomic: 'supported' }])
  await review(page, harbor, 'USDD', '299.999999')
  await page.getByRole('button', { name: 'Confirm in the wallet' }).click()
  await is(page, 'Waiting for signatures')
  await sees(card(page), '0 of 2 signatures on the chain.')
  for (const from of owners)
    await send(world, { from, to: safe, data: abi.encodeFunctionData('approveHash', [proposed.id]) })
  await sees(card(page), '2 of 2 signatures on the chain.')
  assert.equal(await paid(harbor, safe), 0n)
  const data = abi.encodeFunctionData('execTransaction', [...proposed.call, '0x'])
  const { transactionHash } = await send(world, { from: accounts[3], to: safe, data, gas: hex(1_000_000) })
  await is(page, 'Included')
  await until('its hash is kept', () =>
    page.evaluate((hash) => JSON.parse(localStorage['crowdsale.transactions'])[0].hash === hash, transactionHash),
  )
  assert.equal(await paid(harbor, safe), 299_999_999n)
  assert.equal(await balance(dollar, safe), 1n)
  assert.equal(await allowance(dollar, safe, harbor), 0n)
})

test('on a telephone without a wallet, links lead into the apps of wallets', async () => {
  const page = await visitor([], { hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } })
  await page.goto(contribute(harbor))
  await page.locator('main').getByRole('button', { name: 'Connect wallet' }).click()
  const link = page.getByRole('link', { name: 'MetaMask' })
  const here = contribute(harbor)
  assert.equal(await link.getAttribute('href'), `https://link.metamask.io/dapp/${here.replace('http://', '')}`)
  const other = page.getByRole('link', { name: 'Coinbase Wallet' })
  assert.equal(await other.getAttribute('href'), `https://go.cb-w.com/dapp?cb_url=${encodeURIComponent(here)}`)
  await isAccessible(page, 'wallet-apps')
  // Nor is a code for a plain transfer offered, which a token’s sale would not know of.
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click()
  await page.getByLabel('Amount in USDD').fill('100')
  assert.equal(await page.getByText('Pay from a wallet on another device').count(), 0)
  // Where one does not tap, none of it.
  const desk = await visitor([])
  await desk.goto(contribute(harbor))
  await desk.locator('main').getByRole('button', { name: 'Connect wallet' }).click()
  await sees(desk, 'No wallet was found in this browser.')
  assert.equal(await desk.getByRole('link', { name: 'MetaMask' }).count(), 0)
})

test('however many tabs are open, only those that are seen hold a stream', async () => {
  const { context } = await watched(browser, world.api)
  const pages = []
  for (let left = 8; left > 0; left--) {
    const page = await context.newPage()
    pages.push(page)
    await page.goto(`${world.api}/#/sales/${CHAIN}/${harbor}`)
    await page.locator('.live-live').waitFor()
    if (left === 1) break
    // As the browser says it of a tab in the background; a browser without a window shows all of its pages.
    await page.evaluate(() => {
      Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => 'hidden' })
      document.dispatchEvent(new Event('visibilitychange'))
    })
    await page.locator('.live-live').waitFor({ state: 'detached' })
  }
  // Seen again, one is live again, and has what it missed.
  await world.rpc('evm_setIntervalMining', [1])
  await mint(dollar, accounts[9], 100_000_000n)
  const [first] = pages
  const before = plain(await first.locator('.lead .figure').innerText())
  const approve = new Interface(['function approve(address,uint256)', 'function contribute(address,uint256,bytes)'])
  const act = (to, name, values) =>
    send(world, { from: accounts[9], to, data: approve.encodeFunctionData(name, values) })
  await act(dollar, 'approve', [harbor, 100_000_000n])
  await act(harbor, 'contribute', [accounts[9], 100_000_000n, '0x'])
  await world.indexed()
  await first.evaluate(() => {
    delete document.visibilityState
    document.dispatchEvent(new Event('visibilitychange'))
  })
  await first.locator('.live-live').waitFor()
  await until('it shows what it missed', async () => plain(await first.locator('.lead .figure').innerText()) !== before)
  await context.close()
})

test('nothing broke the page’s policy, and nobody else was asked for anything', () => {
  assert.deepEqual(
    opened.flatMap(({ faults }) => faults),
    [],
  )
})
