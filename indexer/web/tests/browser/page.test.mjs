// The page as people use it, from the empty directory to the last refund, in the order in which it happens on the chain.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { after, before, test as nodeTest } from 'node:test'
import { isAccessible, launch, watched } from './browser.mjs'
import { addWallet } from './wallet.mjs'
import { until, World } from './world.mjs'

const { Interface } = createRequire(import.meta.url)('ethers')
const saleAbi = new Interface([
  'function quote(uint256) view returns (uint256 accepted, uint256 tokens)',
  'function positionOf(address) view returns (uint256 paid, uint256 tokens)',
])

const CHAIN = 31337
const ETHER = 10n ** 18n
const hex = (value) => `0x${value.toString(16)}`

/** A step of the story: after one that failed, those that build on it say nothing. */
let broken = ''
const test = (name, run) =>
  nodeTest(name, async (t) => {
    if (broken) return t.skip(`after “${broken}”`)
    try {
      await run()
    } catch (error) {
      broken = name
      throw error
    }
  })

let world, browser, reader, faults, accounts, aurora, borealis, wallet

before(async () => {
  world = await World.start()
  browser = await launch()
  accounts = await world.rpc('eth_accounts')
  const opened = await watched(browser, world.api)
  faults = opened.faults
  reader = await opened.context.newPage()
})

after(async () => {
  await browser?.close()
  await world?.stop()
})

const at = (hash) => `${world.api}/${hash}`
const salePath = (sale) => `#/sales/${CHAIN}/${sale}`
/** A plain transfer, which a sale takes as a contribution, in its block. */
async function send(from, to, value) {
  const hash = await world.rpc('eth_sendTransaction', [{ from, to, value: hex(value) }])
  const receipt = await until(
    `${hash} is in a block`,
    async () => (await world.rpc('eth_getTransactionReceipt', [hash])) ?? undefined,
  )
  assert.equal(receipt.status, '0x1')
}
const text = (page, selector) => page.locator(selector).innerText()
const sees = (page, words, options = {}) => page.getByText(words, options).first().waitFor()
/** Figures are grouped by a narrow space that nobody can type. */
const plain = (words) => words.replaceAll(/[\u202f\u00a0\n]+/g, ' ')

async function read(to, name, values) {
  const result = await world.rpc('eth_call', [{ to, data: saleAbi.encodeFunctionData(name, values) }, 'latest'])
  return saleAbi.decodeFunctionResult(name, result)
}

test('an empty directory says so', async () => {
  const answer = await reader.goto(at(''))
  assert.match(
    answer.headers()['content-security-policy'],
    /^default-src 'none'; script-src 'self'; style-src 'self'; /,
  )
  await sees(reader, 'No sale has been created on the chains that this service follows.')
  await isAccessible(reader, 'directory-empty')
})

test('a sale that is coming can be found, and tells when it opens and who may take part', async () => {
  aurora = await world.deploy('aurora-eth.toml')
  borealis = await world.deploy('aurora-eth.toml', (file) =>
    file.replaceAll('Aurora', 'Borealis').replaceAll('AUR', 'BOR'),
  )
  await reader.reload()
  await reader.getByRole('link', { name: 'Borealis' }).waitFor()
  await isAccessible(reader, 'directory')

  await reader.getByLabel('Name or symbol').fill('auro')
  await reader.getByRole('button', { name: 'Search' }).click()
  await reader.getByRole('link', { name: 'Borealis' }).waitFor({ state: 'detached' })
  await reader.getByLabel('State').selectOption('failed')
  await sees(reader, 'No sale matches.')
  await reader.getByRole('link', { name: 'Show all sales' }).click()
  await reader.getByRole('link', { name: 'Aurora' }).click()

  await sees(reader, 'It opens 1 Mar 2031, 14:00 UTC')
  // The visitor's zone beside it.
  await sees(reader, '1 Mar 2031, 15:00 CET')
  assert.equal(await reader.evaluate(() => document.activeElement?.textContent), 'Aurora')
  await reader.getByLabel('Your address').fill('0x12')
  await reader.getByRole('button', { name: 'Check whether you can take part' }).click()
  await sees(reader, 'This is no address')
  await isAccessible(reader, 'sale-upcoming')
  await reader.getByLabel('Your address').fill(accounts[3])
  await reader.getByRole('button', { name: 'Check whether you can take part' }).click()
  await sees(reader, 'Phase 2: yes, it is open to everybody.')
})

test('it opens by the chain’s clock, and the page shows it without being loaded again', async () => {
  await reader.evaluate(() => (window.notReloaded = true))
  await world.moveClockTo('2031-03-01T14:00:00Z')
  await sees(reader, 'It is open')
  assert.equal(await reader.evaluate(() => window.notReloaded), true)
  await sees(reader, 'Live', { exact: true })
})

test('every bad amount is told beside its field, as a sentence', async () => {
  const field = reader.getByLabel('Amount in ETH')
  for (const [typed, told] of [
    ['1,5', 'Write the amount without commas'],
    ['1 000', 'Write the amount without spaces: 1000.'],
    ['1e3', 'without an exponent'],
    ['-1', 'without a sign'],
    ['0.0000000000000000001', 'ETH has at most 18 decimals.'],
    ['abc', 'with digits and a point alone'],
    ['0', 'Write an amount above zero.'],
    ['0.01', 'The least is 0.05 ETH.'],
    ['50.000000000000000001', 'The most is 50 ETH an investor.'],
  ]) {
    await field.fill(typed)
    await sees(reader, told)
    assert.equal(await field.getAttribute('aria-invalid'), 'true', typed)
  }
  await isAccessible(reader, 'sale-open-fault')
})

/** Holds the tokens that the page shows for an amount against the contract's own answer in the newest block. */
async function quotesAsTheContract(page, typed, raw) {
  await page.getByLabel('Amount in ETH').fill(typed)
  const { tokens } = await read(aurora, 'quote', [raw])
  const units = `${tokens / ETHER}.${String(tokens % ETHER).padStart(18, '0')}`.replace(/\.?0+$/, '')
  await until(`the page shows ${units} for ${typed}`, async () => {
    const shown = (await text(page, '.gets .figure')).replaceAll(/[\u202f\u00a0\s]|AUR/g, '')
    return shown === units
  })
}

test('what an amount buys is shown to the last unit as the contract rounds, over the cap of a phase too', async () => {
  await quotesAsTheContract(reader, '1', ETHER)
  await quotesAsTheContract(reader, '0.777777777777777777', 777777777777777777n)
  // Up to 5 ether below the cap of the first phase.
  for (const [from, value] of [
    [4, 50n],
    [5, 50n],
    [6, 50n],
    [7, 45n],
  ])
    await send(accounts[from], aurora, value * ETHER)
  await world.indexed()
  await until('the raise is shown', async () => plain(await text(reader, '.lead .figure')).startsWith('195 ETH'))
  await quotesAsTheContract(reader, '7.000000000000000007', 7000000000000000007n)
  await sees(reader, 'Your amount crosses into the next phase:')
  await isAccessible(reader, 'sale-open')
})

test('a wallet is chosen, connected, and led to the right chain', async () => {
  const opened = await watched(browser, world.api)
  opened.context.faults = opened.faults
  await addWallet(opened.context, world, { account: accounts[1], chain: '0x1' })
  wallet = await opened.context.newPage()
  wallet.faults = opened.faults
  await wallet.goto(at(salePath(borealis)))
  await wallet.getByRole('link', { name: 'Contribute', exact: true }).click()
  await wallet.getByLabel('Amount in ETH').fill('2.5')
  // Without a wallet in this browser: a code for one elsewhere.
  await wallet.getByText('Pay from a wallet on another device').click()
  const link = wallet.getByRole('link', { name: 'Open in a wallet on this device' })
  assert.equal(await link.getAttribute('href'), `ethereum:${borealis}@${CHAIN}?value=2500000000000000000`)
  await wallet.getByRole('img', { name: 'Code that asks a wallet to pay 2.5 ETH' }).waitFor()
  await isAccessible(wallet, 'pay-code')
  await wallet.locator('main').getByRole('button', { name: 'Connect wallet' }).click()
  await wallet.getByRole('dialog').waitFor()
  await isAccessible(wallet, 'wallets')
  await wallet.evaluate(() => (window.testWallet.declines = true))
  await wallet.getByRole('button', { name: 'Test Wallet' }).click()
  await sees(wallet, 'You declined. The wallet was not connected.')
  await wallet.evaluate(() => (window.testWallet.declines = false))
  await wallet.getByRole('button', { name: 'Test Wallet' }).click()
  await sees(wallet, `Your wallet is on chain 1; this sale is on chain ${CHAIN}.`)
  await isAccessible(wallet, 'wrong-chain')
  await wallet.getByRole('button', { name: `Switch the wallet to chain ${CHAIN}` }).click()
  await sees(wallet, 'Your wallet has 10\u202f000 ETH.')
})

test('more than the wallet has is told before anything is asked of it', async () => {
  await world.rpc('anvil_setBalance', [accounts[1], hex(20n * ETHER)])
  await sees(wallet, 'Your wallet has 20 ETH.')
  await wallet.getByLabel('Amount in ETH').fill('20.5')
  await sees(wallet.locator('#amount-told'), 'Your wallet has 20 ETH.')
  assert.ok(await wallet.getByRole('button', { name: 'Review' }).isDisabled())
  await wallet.getByLabel('Amount in ETH').fill('20')
  await sees(wallet, 'leave some for the network’s fee')
  await isAccessible(wallet, 'contribute-fault')
  await world.rpc('anvil_setBalance', [accounts[1], hex(10_000n * ETHER)])
})

const asked = (method) =>
  wallet.evaluate((one) => window.testWallet.asked.filter((each) => each === one).length, method)

test('what the contract would refuse is said in words, and the wallet is not opened', async () => {
  await wallet.getByLabel('Amount in ETH').fill('2.5')
  await wallet.getByRole('button', { name: 'Review' }).click()
  await wallet.getByRole('heading', { name: 'Check before you confirm' }).waitFor()
  assert.equal(await wallet.evaluate(() => document.activeElement?.id), 'review')
  await isAccessible(wallet, 'review')
  // Behind the page's back, and so soon that it cannot know: in one go, so that no block is read in between.
  await wallet.evaluate(
    ([account, balance]) => {
      const click = () =>
        [...document.querySelectorAll('button')].find((one) => one.textContent === 'Confirm in the wallet').click()
      return window.askDevnet('anvil_setBalance', [account, balance]).then(click)
    },
    [accounts[1], hex(ETHER)],
  )
  await sees(wallet, 'It would not go through')
  assert.equal(await asked('eth_sendTransaction'), 0)
  await world.rpc('anvil_setBalance', [accounts[1], hex(10_000n * ETHER)])
})

test('a contribution that is declined was not sent', async () => {
  await wallet.evaluate(() => (window.testWallet.declines = true))
  const confirm = wallet.getByRole('button', { name: 'Confirm in the wallet' })
  if (!(await confirm.isVisible())) {
    await wallet.getByLabel('Amount in ETH').fill('2.5')
    await wallet.getByRole('button', { name: 'Review' }).click()
  }
  await confirm.click()
  await sees(wallet, 'You declined. Nothing was sent.')
  await isAccessible(wallet, 'declined')
  assert.equal((await read(borealis, 'positionOf', [accounts[1]])).paid, 0n)
  await wallet.evaluate(() => (window.testWallet.declines = false))
})

const card = () => wallet.locator('.transaction').first()
const stateOf = (state) => card().locator('.badge', { hasText: state }).waitFor()

test('a contribution is followed from the wallet to its block, over a reload', async () => {
  await world.rpc('evm_setAutomine', [false])
  await world.rpc('evm_setIntervalMining', [0])
  await wallet.getByLabel('Amount in ETH').fill('2.5')
  await wallet.getByRole('button', { name: 'Review' }).click()
  await wallet.getByRole('button', { name: 'Confirm in the wallet' }).click()
  await stateOf('Pending')
  await sees(card(), 'Sent. You can close this page.')
  await isAccessible(wallet, 'pending')
  await wallet.reload()
  await stateOf('Pending')
  await world.rpc('evm_mine')
  await stateOf('Included')
  assert.equal((await read(borealis, 'positionOf', [accounts[1]])).paid, (5n * ETHER) / 2n)
  await wallet.goto(at(salePath(borealis)))
  await until('the raise is shown', async () => plain(await text(wallet, '.lead .figure')).startsWith('2.5 ETH'))
  await isAccessible(wallet, 'included')
})

test('a reorg takes it back visibly, and it is found again where it comes back', async () => {
  await wallet.locator('#contributions').scrollIntoViewIfNeeded()
  await sees(wallet.locator('table.stack tbody'), 'Included')
  // One block is replaced by an empty one; the node forgets its transactions.
  await world.rpc('anvil_reorg', [1, []])
  await sees(wallet, 'The network reorganised. 1 contribution is pending again')
  await wallet.locator('tr.gone', { hasText: 'Pending again' }).waitFor()
  await stateOf('Pending again')
  await sees(card(), 'The network reorganised; checking again.')
  await until('the raise is shown as it is', async () => plain(await text(wallet, '.lead .figure')).startsWith('0 ETH'))
  await isAccessible(wallet, 'reorged')
})

test('it becomes final once its block is', async () => {
  await world.rpc('evm_setAutomine', [true])
  await wallet.goto(at(`${salePath(borealis)}/contribute`))
  await wallet.getByLabel('Amount in ETH').fill('2.5')
  await wallet.getByRole('button', { name: 'Review' }).click()
  await wallet.getByRole('button', { name: 'Confirm in the wallet' }).click()
  await stateOf('Included')
  await world.rpc('anvil_mine', ['0x50'])
  await stateOf('Final')
  await sees(card(), 'Final. The network will not take it back.')
  // The one that the reorg took had the same nonce: it is not shown as a second payment.
  await wallet.locator('.transaction').nth(1).locator('.badge', { hasText: 'Cancelled' }).waitFor()
  await wallet.goto(at(salePath(borealis)))
  await wallet.locator('.lead .badge', { hasText: 'Final' }).waitFor()
  // The picture of the raise, and the same as a table.
  await wallet.locator('.chart canvas').waitFor()
  const picture = wallet.getByRole('region', { name: 'Raised by day' })
  await picture.getByText('As a table').click()
  const day = picture.locator('tbody tr', { hasText: '1 Mar 2031' })
  assert.match(plain(await day.innerText()), /2\.5 ETH.*2\.5 ETH.*1/)
  const spread = wallet.getByRole('region', { name: 'How it is spread' })
  await spread.getByText('As a table').click()
  assert.match(plain(await spread.locator('tbody tr').first().innerText()), /The largest\s100 %\s2\.5 ETH/)
  await isAccessible(wallet, 'chart')
  await world.rpc('evm_setIntervalMining', [1])
})

test('within the cooling-off one can change one’s mind, and has everything back', async () => {
  const corona = await world.deploy('aurora-eth.toml', (file) =>
    file
      .replaceAll('Aurora', 'Corona')
      .replace('[limits]', 'cooling_off = "7d"\n[limits]')
      .replace(/opens = .*/, 'opens = 2031-03-02T00:00:00Z'),
  )
  await world.moveClockTo('2031-03-02T00:00:00Z')
  await send(accounts[1], corona, ETHER)
  await wallet.goto(at(salePath(corona)))
  await sees(wallet, 'You can change your mind for 7 days after your latest contribution')
  await sees(wallet, 'You can still change your mind about')
  await isAccessible(wallet, 'cooling-off')
  await wallet.getByRole('button', { name: 'Withdraw your contribution' }).click()
  await wallet.getByText('You can still change your mind about').waitFor({ state: 'detached' })
  await until('it is withdrawn', async () => (await read(corona, 'positionOf', [accounts[1]])).paid === 0n)
  await stateOf('Included')
  await wallet.goto(at(salePath(borealis)))
})

test('without the service the page keeps what it has, says how old it is, and comes back by itself', async () => {
  await reader.goto(at('#/'))
  await reader.getByRole('link', { name: 'Aurora' }).waitFor()
  await reader.context().setOffline(true)
  await sees(reader, /The service does not answer\. These figures are .* old/)
  await reader.getByRole('link', { name: 'Aurora' }).waitFor()
  await isAccessible(reader, 'down')
  await reader.context().setOffline(false)
  await reader.getByText('The service does not answer.').waitFor({ state: 'detached' })
})

test('a sale that ended is closed by anybody; below its goal everybody takes back what was paid, to the wei', async () => {
  // One more reaches Aurora's goal.
  await send(accounts[8], aurora, 50n * ETHER)
  await send(accounts[9], aurora, 50n * ETHER)
  await world.moveClockTo('2031-03-29T14:00:00Z')
  await sees(wallet, 'It has ended, and waits to be closed')
  await isAccessible(wallet, 'sale-ended')
  await wallet.getByRole('button', { name: 'Close the sale' }).click()
  await sees(wallet, 'It missed its goal')
  await sees(wallet, 'Yours to take back')
  assert.equal(plain(await text(wallet, '.next .gets .figure')), '2.5 ETH')
  await isAccessible(wallet, 'sale-failed')
  const before = BigInt(await world.rpc('eth_getBalance', [accounts[1], 'latest']))
  await wallet.getByRole('button', { name: 'Get your money back' }).click()
  await sees(wallet, 'This wallet has nothing to take back here')
  const { hash } = await wallet.evaluate(() => JSON.parse(localStorage.getItem('crowdsale.transactions'))[0])
  const receipt = await world.rpc('eth_getTransactionReceipt', [hash])
  const fee = BigInt(receipt.gasUsed) * BigInt(receipt.effectiveGasPrice)
  assert.equal(BigInt(await world.rpc('eth_getBalance', [accounts[1], 'latest'])), before - fee + (5n * ETHER) / 2n)
})

test('a sale that reached its goal gives out its tokens, from the list of one’s positions', async () => {
  await wallet.goto(at(salePath(aurora)))
  await wallet.getByRole('button', { name: 'Close the sale' }).click()
  await sees(wallet, 'It reached its goal')
  await sees(wallet, 'This wallet has nothing to claim here now.')
  await isAccessible(wallet, 'sale-succeeded')
  await wallet.evaluate((account) => window.testWallet.use(account), accounts[4])
  await wallet.goto(at('#/positions'))
  await wallet.getByRole('link', { name: 'Use the address of my wallet' }).click()
  await sees(wallet, 'The sale succeeded. Your tokens wait for you.')
  await isAccessible(wallet, 'positions')
  await wallet.getByRole('button', { name: 'Claim your tokens' }).click()
  await sees(wallet, 'You have everything that is yours from this sale.')
  assert.equal((await read(aurora, 'positionOf', [accounts[4]])).tokens, 0n)
})

test('a sale for a token is paid in two steps: allowed to the unit, then contributed', async () => {
  const harbor = await world.deploy('harbor-usd.toml')
  const dollar = world.place.stablecoin
  const mint = new Interface(['function mint(address,uint256)']).encodeFunctionData('mint', [accounts[4], 500_000_001n])
  await world.rpc('eth_sendTransaction', [{ from: accounts[4], to: dollar, data: mint }])
  await world.moveClockTo('2031-09-01T08:00:00Z')
  await wallet.goto(at(`${salePath(harbor)}/contribute`))
  await sees(wallet, 'Your wallet has 500.000001 USDD.')
  const field = wallet.getByLabel('Amount in USDD')
  await field.fill('500.000002')
  await sees(wallet.locator('#amount-told'), 'Your wallet has 500.000001 USDD.')
  await field.fill('500.0000001')
  await sees(wallet, 'USDD has at most 6 decimals.')
  await field.fill('500.000001')
  await wallet.getByRole('button', { name: 'Review' }).click()
  await wallet.getByRole('button', { name: 'Allow it with a transaction instead' }).click()
  await sees(wallet, 'first you allow the contract of the sale to take exactly 500.000001 USDD')
  await isAccessible(wallet, 'approve')
  await wallet.getByRole('button', { name: 'Allow the sale to take it' }).click()
  await wallet.getByRole('button', { name: 'Confirm in the wallet' }).click()
  await until('it is contributed', async () => (await read(harbor, 'positionOf', [accounts[4]])).paid === 500_000_001n)
  await sees(wallet, 'This wallet has paid 500.000001 USDD into this sale so far.')
})

test('addresses are checked before they are looked up', async () => {
  await reader.goto(at('#/positions'))
  const field = reader.getByRole('textbox', { name: 'Address' })
  const show = reader.getByRole('button', { name: 'Show' })
  await show.click()
  await sees(reader, 'Paste an address.')
  await field.fill('0x70997970c51812dc3A010C7d01b50e0d17dc79C8')
  await show.click()
  await sees(reader, 'One letter of this address is wrong')
  await isAccessible(reader, 'positions-fault')
  await field.fill(accounts[1])
  await show.click()
  await sees(reader, 'You have your money back.')
  await field.fill('0x00000000000000000000000000000000000000ff')
  await show.click()
  await sees(reader, 'This address has no part in any sale')
})

test('what is not there is said to be not there', async () => {
  await reader.goto(at('#/status'))
  await sees(reader, 'Running')
  await isAccessible(reader, 'status')
  await reader.goto(at(`#/sales/${CHAIN}/0x00000000000000000000000000000000000000ff`))
  await sees(reader, 'There is no such sale here')
  await isAccessible(reader, 'sale-unknown')
  await reader.goto(at('#/nowhere'))
  await sees(reader, 'There is no such page')
  await isAccessible(reader, 'unknown')
})

test('the keyboard alone leads from the first key to a sale', async () => {
  await reader.goto(at('#/'))
  await reader.getByRole('link', { name: 'Aurora' }).waitFor()
  await reader.reload()
  await reader.getByRole('link', { name: 'Aurora' }).waitFor()
  await reader.keyboard.press('Tab')
  assert.equal(await reader.evaluate(() => document.activeElement?.textContent), 'Skip to the content')
  await reader.keyboard.press('Enter')
  assert.equal(await reader.evaluate(() => document.activeElement?.id), 'content')
  for (let left = 12; left > 0; left--) {
    await reader.keyboard.press('Tab')
    if ((await reader.evaluate(() => document.activeElement?.textContent)) === 'Aurora') break
  }
  await reader.keyboard.press('Enter')
  await sees(reader, 'The way out')
  assert.equal(await reader.evaluate(() => document.activeElement?.tagName), 'H1')
})

test('nothing broke the page’s policy, and nobody else was asked for anything', () => {
  assert.deepEqual([...faults, ...(wallet?.faults ?? [])], [])
})
