// What a contribution would take, and what it would buy, told before the wallet opens: where the next phase is not open to who pays, and where
// somebody else was faster than the page. What the page says is what the contract does, to the wei.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { after, before } from 'node:test'
import { accountsOf, asked, Chain, CHAIN, connect, ETHER, plain, sees, story } from './acts.mjs'
import { isAccessible, launch, watched } from './browser.mjs'
import { addWallet } from './wallet.mjs'
import { until, World } from './world.mjs'

const { Interface } = createRequire(import.meta.url)('ethers')
const abi = new Interface([
  'function mint(address, uint256)',
  'function approve(address, uint256)',
  'function contribute(address, uint256, bytes)',
])
const CONTRIBUTE = abi.getFunction('contribute').selector
const DOLLAR = 1_000_000n
const SENDS = ['eth_sendTransaction', 'eth_signTypedData_v4', 'wallet_sendCalls', 'personal_sign']
const test = story()

let world, chain, browser, page, faults, accounts, me, gated, last, cheap, harbor
/** What somebody else does between the review and its trial. */
let overtake

before(async () => {
  world = await World.start()
  chain = new Chain(world)
  browser = await launch()
  accounts = await accountsOf(world)
  me = accounts[4]
  const opened = await watched(browser, world.api)
  faults = opened.faults
  await addWallet(opened.context, world, { account: me })
  await opened.context.exposeFunction('overtake', () => overtake())
  page = await opened.context.newPage()
  gated = await aurora('Boreas', (file) =>
    file
      .replace('unsold = "owner"', 'unsold = "owner"\nvoucher_signer = "0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f"')
      .replace('price = "0.001"', 'price = "0.001"\ngate = "voucher"'),
  )
  last = await aurora('Notus')
  cheap = await aurora('Zephyr')
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
})

after(async () => {
  await browser?.close()
  await world?.stop()
})

/** 20 ETH at 0.0008, the rest up to 60 at 0.001. */
const aurora = (name, edit = (file) => file) =>
  world.deploy('aurora-eth.toml', (file) =>
    edit(
      file
        .replace('name = "Aurora"', `name = "${name}"`)
        .replace('soft_cap = "250"', 'soft_cap = "10"')
        .replace('hard_cap = "1000"', 'hard_cap = "60"')
        .replace('raised_up_to = "200"', 'raised_up_to = "20"'),
    ),
  )
const call = (from, to, name, values) => chain.send(from, to, { data: abi.encodeFunctionData(name, values) })
const position = async (sale) => {
  const { paid, tokens } = await chain.read(sale, 'positionOf', [me])
  return [paid, tokens]
}

async function open(sale) {
  await world.indexed()
  await page.goto(`${world.api}/#/sales/${CHAIN}/${sale}/contribute`)
  await page.reload()
  await sees(page, 'Your wallet has')
}
async function review(amount, symbol = 'ETH') {
  await page.getByLabel(`Amount in ${symbol}`).fill(amount)
  await page.getByRole('button', { name: 'Review' }).click()
  await page.getByRole('heading', { name: 'Check before you confirm' }).waitFor()
}
const reviewed = () => page.locator('section.next')
const shows = (...words) =>
  until(`the review says ${words.join(', ')}`, async () => {
    const text = plain(await reviewed().innerText())
    return words.every((one) => text.includes(one))
  })
const told = (words) =>
  until(`it is told “${words}”`, async () => plain(await reviewed().getByRole('alert').innerText()).includes(words))
const confirm = (label = 'Confirm in the wallet') => page.getByRole('button', { name: label }).click()
async function isAskedNothing() {
  for (const method of SENDS) assert.equal(await asked(page, method), 0, method)
}

/** Somebody else is faster than the next trial, and the page does not read the sale before it is let. */
async function whileOthers(act) {
  const held = []
  const reads = new RegExp(`/v1/sales/${CHAIN}/0x[0-9a-fA-F]{40}$`)
  await page.route(reads, (route) => new Promise((done) => held.push(() => route.continue().then(done, done))))
  overtake = act
  await page.evaluate((selector) => {
    window.testWallet.when.eth_call = async ([{ data }]) => {
      if (!data.startsWith(selector)) return
      delete window.testWallet.when.eth_call
      await window.overtake()
    }
  }, CONTRIBUTE)
  return async () => {
    await page.unroute(reads)
    for (const go of held) await go()
  }
}

test('an amount that reaches into a phase for vouchers is shown as what is taken of it without one', async () => {
  await chain.send(accounts[5], gated, { value: 18n * ETHER })
  await page.goto(`${world.api}/#/sales/${CHAIN}/${gated}`)
  await connect(page)
  const beyond = (of) =>
    `Only 2 ETH of ${of} would be taken: what is above falls into phase 2, which takes nothing without a voucher.`
  await world.indexed()
  await page.reload()
  await page.getByLabel('Amount in ETH').fill('5')
  await sees(page.locator('#amount-told'), beyond('it'))
  await isAccessible(page, 'short-calculator')
  await open(gated)
  await page.getByLabel('Amount in ETH').fill('5')
  await sees(page.locator('#amount-told'), beyond('it'))
  assert.ok(plain(await page.locator('#amount-told').innerText()).includes('2 500 AUR'))
  await review('5')
  await shows('You pay 2 ETH', 'You get 2 500 AUR', beyond('5 ETH'), '3 ETH would come back at once.')
  await isAccessible(page, 'short-review')
  await isAskedNothing()
  await page.getByRole('button', { name: 'Use 2 ETH' }).click()
  await page.getByRole('button', { name: 'Use 2 ETH' }).waitFor({ state: 'detached' })
  await shows('You pay 2 ETH', 'You get 2 500 AUR')
  const had = await chain.balance(me)
  await confirm()
  await until('it is paid', async () => (await position(gated))[0] > 0n)
  assert.deepEqual(await position(gated), [2n * ETHER, 2_500n * ETHER])
  assert.equal(await chain.balance(me), had - (await chain.feeOf(page)) - 2n * ETHER)
})

test('when somebody else took the last of it meanwhile, it is told before the wallet opens', async () => {
  await chain.send(accounts[5], last, { value: 40n * ETHER })
  await chain.send(accounts[6], last, { value: 17n * ETHER })
  await open(last)
  await review('3')
  await shows('You pay 3 ETH', 'You get 3 000 AUR')
  const release = await whileOthers(() => chain.send(accounts[6], last, { value: ETHER + 1n }).then(() => undefined))
  await confirm()
  const left = '1.999999999999999999 ETH'
  await told(`Of 3 ETH, only ${left} would be taken now, for 1 999.999999999999999 AUR.`)
  await isAskedNothing()
  await isAccessible(page, 'short-overtaken')
  await page.getByRole('button', { name: `Use ${left}` }).click()
  await shows(`You pay ${left}`)
  const had = await chain.balance(me)
  await confirm()
  await until('it is paid', async () => (await position(last))[0] > 0n)
  assert.deepEqual(await position(last), [2n * ETHER - 1n, 1_999_999_999_999_999_999_000n])
  assert.equal(await chain.balance(me), had - (await chain.feeOf(page)) - 2n * ETHER + 1n)
  await release()
})

test('when somebody else took the cheaper part, it is told what it buys now, and who wants to goes on', async () => {
  await chain.send(accounts[5], cheap, { value: 18n * ETHER })
  await open(cheap)
  await review('2')
  await shows('You pay 2 ETH', 'You get 2 500 AUR')
  const release = await whileOthers(() => chain.send(accounts[6], cheap, { value: ETHER }).then(() => undefined))
  await confirm()
  await told('For 2 ETH you would get 2 250 AUR now, and not 2 500 AUR.')
  await isAskedNothing()
  await isAccessible(page, 'short-dearer')
  await page.getByRole('button', { name: 'Go on with 2 250 AUR' }).click()
  await until('it is paid', async () => (await position(cheap))[0] > 0n)
  assert.deepEqual(await position(cheap), [2n * ETHER, 2_250n * ETHER])
  await release()
})

test('of a token it is told before anything is signed, though the sale may not take it yet', async () => {
  const dollar = world.place.stablecoin
  for (const who of [me, accounts[5], accounts[6]]) await call(who, dollar, 'mint', [who, 1_000n * DOLLAR])
  for (const who of [accounts[5], accounts[6]]) await call(who, dollar, 'approve', [harbor, 1_000n * DOLLAR])
  await call(accounts[5], harbor, 'contribute', [accounts[5], 550n * DOLLAR, '0x'])
  await open(harbor)
  await review('350', 'USDD')
  await shows('You pay 350 USDD')
  const release = await whileOthers(() =>
    call(accounts[6], harbor, 'contribute', [accounts[6], 100n * DOLLAR + 1n, '0x']).then(() => undefined),
  )
  await confirm('Sign and contribute')
  await told('Of 350 USDD, only 249.999999 USDD would be taken now')
  await isAskedNothing()
  await page.getByRole('button', { name: 'Use 249.999999 USDD' }).click()
  await confirm('Sign and contribute')
  await until('it is paid', async () => (await position(harbor))[0] > 0n)
  assert.equal((await position(harbor))[0], 249_999_999n)
  assert.equal((await chain.read(dollar, 'balanceOf', [me]))[0], 1_000n * DOLLAR - 249_999_999n)
  // The permission was for what is taken.
  assert.equal((await chain.read(dollar, 'allowance', [me, harbor]))[0], 0n)
  await release()
})

test('nothing broke the page’s policy, and nobody else was asked for anything', () => {
  assert.deepEqual(faults, [])
})
