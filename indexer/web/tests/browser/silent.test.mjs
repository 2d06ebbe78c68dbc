// Wallets that lose what they are asked, as an extension does whose worker is restarted. The page's clock is moved on by the steps: none
// of them waits for a limit.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { after, before } from 'node:test'
import { isAccessible, launch, watched } from './browser.mjs'
import { CHAIN, ETHER, send, sees, story } from './steps.mjs'
import { addWallet } from './wallet.mjs'
import { until, World } from './world.mjs'

const { Interface } = createRequire(import.meta.url)('ethers')
const mint = new Interface(['function mint(address, uint256)'])

const test = story()
let world, browser, accounts, sale, page, faults

before(async () => {
  world = await World.start()
  browser = await launch()
  accounts = await world.rpc('eth_accounts')
  sale = await world.deploy('aurora-eth.toml')
  await world.moveClockTo('2031-03-01T14:00:00Z')
  // From here on blocks come when a step says so.
  await world.rpc('evm_setIntervalMining', [0])
  await world.rpc('evm_setAutomine', [false])
  let context
  ;({ context, faults } = await watched(browser, world.api))
  await addWallet(context, world, { account: accounts[2] })
  page = await context.newPage()
  await page.clock.install()
  await page.goto(`${world.api}/#/sales/${CHAIN}/${sale}/contribute`)
})

after(async () => {
  await browser?.close()
  await world?.stop()
})

const PATIENCE = 20_000
const card = (amount) => page.locator('.transaction', { hasText: `${amount} ETH` })
const is = (amount, state) => card(amount).locator('.badge', { hasText: state }).waitFor()
const hashOf = (amount) =>
  until('its hash is kept', () =>
    page.evaluate((raw) => {
      const kept = JSON.parse(localStorage.getItem('crowdsale.transactions'))
      return kept.find((one) => one.amount.raw === raw)?.hash
    }, String(amount)),
  )

async function review(amount) {
  await page.getByLabel('Amount in ETH').fill(amount)
  await page.getByRole('button', { name: 'Review' }).click()
}
const confirm = () => page.getByRole('button', { name: 'Confirm in the wallet' }).click()

/** The next question of this kind is lost, or the next that says who asks; those after it are answered. */
const lose = (method, isFrom = false) =>
  page.evaluate(
    ([one, isFrom]) => {
      window.lost = undefined
      window.testWallet.when[one] = (params) => {
        if (isFrom && !params[0].from) return undefined
        delete window.testWallet.when[one]
        window.lost = params
        return new Promise(() => {})
      }
    },
    [method, isFrom],
  )
const isLost = () => until('a question is lost', () => page.evaluate(() => window.lost))

test('a wallet that does not tell its chain is not connected, and is asked again', async () => {
  await lose('eth_chainId')
  await page.locator('main').getByRole('button', { name: 'Connect wallet' }).click()
  await page.getByRole('button', { name: 'Test Wallet' }).click()
  await isLost()
  await page.clock.fastForward(PATIENCE)
  await sees(page, 'The wallet did not answer. Open or unlock it and try again')
  await isAccessible(page, 'silent-connect')
  await page.getByRole('button', { name: 'Test Wallet' }).click()
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
  await sees(page, 'Your wallet has 10\u202f000 ETH.')
})

test('a transaction whose receipt is lost keeps no other one waiting, and is followed on without a reload', async () => {
  await page.evaluate(() => (window.isSamePage = true))
  await review('1')
  await confirm()
  await is(1, 'Pending')
  await lose('eth_getTransactionReceipt')
  assert.deepEqual(await isLost(), [await hashOf(ETHER)])
  await review('2')
  await confirm()
  await is(2, 'Pending')
  await world.rpc('evm_mine')
  await is(2, 'Included')
  assert.equal(await card(1).locator('.badge').textContent(), 'Pending')
  await page.clock.fastForward(PATIENCE)
  await is(1, 'Included')
  assert.equal(await page.evaluate(() => window.isSamePage), true)
})

test('a trial that is lost ends with a word, and nothing is asked of the person', async () => {
  await review('3')
  // What is read with each block says of nobody that he asks.
  await lose('eth_call', true)
  await confirm()
  await page.getByRole('button', { name: 'Trying it first…' }).waitFor()
  await isLost()
  await page.clock.fastForward(PATIENCE)
  await sees(page, 'Your wallet did not answer, so it was not tried and nothing was sent. Open or unlock it')
  // Neither that it would go through nor that it would not.
  assert.equal(await page.getByText('It would not go through').count(), 0)
  await isAccessible(page, 'silent-trial')
  const sent = () => page.evaluate(() => window.testWallet.asked.filter((one) => one === 'eth_sendTransaction').length)
  assert.equal(await sent(), 2)
  await confirm()
  await is(3, 'Pending')
  assert.equal(await sent(), 3)
})

test('what is lost just before the sending is told as not sent', async () => {
  await world.rpc('evm_mine')
  await is(3, 'Included')
  await review('4')
  await lose('eth_accounts')
  await confirm()
  await isLost()
  await is(4, 'Confirm in your wallet')
  await page.clock.fastForward(PATIENCE)
  await is(4, 'Not sent')
  await sees(card(4), 'Your wallet did not answer. Open or unlock it and try again.')
  await isAccessible(page, 'silent-unsent')
})

test('a wallet that says nothing at all is told of until it speaks again; a person is waited for without a limit', async () => {
  await review('5')
  await page.evaluate(() => window.testWallet.hold('eth_sendTransaction'))
  await confirm()
  await is(5, 'Confirm in your wallet')
  await until('it is asked to send', () => page.evaluate(() => window.testWallet.release !== undefined))
  // Deaf to everything but its own window.
  await page.evaluate(() => {
    const { eth_sendTransaction } = window.testWallet.when
    const lost = () => new Promise(() => {})
    window.testWallet.when = new Proxy({ eth_sendTransaction }, { get: (own, method) => own[method] ?? lost })
  })
  await world.rpc('evm_mine')
  // The page reads anew what the wallet has.
  await until('it was asked in vain', async () => {
    await page.clock.fastForward(PATIENCE)
    return page.getByText('Your wallet does not answer, so what this page asks it may be missing or old.').isVisible()
  })
  await isAccessible(page, 'silent-wallet')
  await page.clock.fastForward(100 * PATIENCE)
  await is(5, 'Confirm in your wallet')
  await page.evaluate(() => {
    window.testWallet.when = {}
    window.testWallet.release()
  })
  await is(5, 'Pending')
  await page.getByText('Your wallet does not answer').waitFor({ state: 'detached' })
  await world.rpc('evm_mine')
  await is(5, 'Included')
})

test('where the way to pay a token is not told, the one that every wallet has is taken', async () => {
  await world.rpc('evm_setAutomine', [true])
  const harbor = await world.deploy('harbor-usd.toml')
  await world.moveClockTo('2031-09-01T08:00:00Z')
  const data = mint.encodeFunctionData('mint', [accounts[2], 1_000_000_000n])
  await send(world, { from: accounts[2], to: world.place.stablecoin, data })
  await page.goto(`${world.api}/#/sales/${CHAIN}/${harbor}/contribute`)
  await sees(page, 'Your wallet has 1\u202f000 USDD.')
  // With it the page finds out whether the account can sign.
  await lose('eth_getCode')
  await page.getByLabel('Amount in USDD').fill('500')
  await page.getByRole('button', { name: 'Review' }).click()
  await isLost()
  await sees(page, 'Looking up how your wallet can pay')
  await page.clock.fastForward(PATIENCE)
  await sees(page, 'first you allow the contract of the sale to take exactly 500 USDD')
  await page.getByRole('button', { name: 'Allow the sale to take it' }).click()
  await page.locator('.transaction').first().locator('.badge', { hasText: 'Included' }).waitFor()
})

test('nothing broke the page’s policy, and nobody else was asked for anything', () => {
  assert.deepEqual(faults, [])
})
