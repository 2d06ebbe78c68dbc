// The screens of teams, the voucher desk and signing in, by the keyboard alone: nothing here is clicked. The focus can be seen wherever it is,
// is never lost when what had it goes away, and is caught nowhere; every state is held against WCAG, wide and narrow, light and dark.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, before } from 'node:test'
import { accountsOf, Chain, CHAIN, ETHER, sees, story, use } from './acts.mjs'
import { ALL_VIEWS, isAccessible, launch, watched } from './browser.mjs'
import { Keys } from './keys.mjs'
import { addWallet } from './wallet.mjs'
import { binary, until, World } from './world.mjs'

const test = story()
/** Of the devnet's account 8, which signs Meridian's vouchers: the service signs with it too. */
const SIGNER_KEY = '0xdbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97'

let world, chain, browser, page, keys, faults, accounts, owner, beneficiary, aurora, meridian

before(async () => {
  const master = execFileSync(binary, ['secrets', 'new-key'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  world = await World.start({ env: { CROWDSALE_MASTER_KEY: master.trim(), CROWDSALE_VOUCHER_SIGNER: SIGNER_KEY } })
  chain = new Chain(world)
  browser = await launch()
  accounts = await accountsOf(world)
  ;[, owner, beneficiary] = accounts
  const opened = await watched(browser, world.api)
  faults = opened.faults
  await addWallet(opened.context, world, { account: owner })
  await Keys.watch(opened.context)
  page = await opened.context.newPage()
  keys = new Keys(page)
})

after(async () => {
  await browser?.close()
  await world?.stop()
})

/** The page shows the sale as of a block that has it. */
const open = async (hash) => {
  await world.indexed()
  await page.goto(`${world.api}/${hash}`)
  await page.reload()
}
const consoleOf = async (sale) => {
  await open(`#/team/${CHAIN}/${sale}`)
  await page.getByRole('heading', { name: 'What can be done' }).waitFor()
}
const isGood = (name) => isAccessible(page, `keys-${name}`, ALL_VIEWS)
/** By default a heading of a screen, where one begins to read it. */
const focused = (name, kind = 'H1') =>
  until(`“${name}” has the focus`, async () => {
    const at = await keys.focus()
    return at.name === name && at.tag === kind
  })

test('the dialog of wallets is opened, left and opened again, and gives the focus back', async () => {
  await page.goto(`${world.api}/#/team`)
  await sees(page, 'Connect a wallet to see the sales that it owns.')
  await isGood('team')
  await keys.goesRound()
  await keys.use('Connect wallet')
  await page.getByRole('dialog').waitFor()
  await isGood('wallets')
  await keys.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
  await keys.isOn('Connect wallet')
  // The one that stands in the page goes away with the connection: what comes in its place is the part that it stood in.
  await keys.use('Connect wallet', 'Space')
  await page.getByRole('dialog').waitFor()
  await keys.use('Test Wallet')
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
  await keys.isOn('Your sales')
  await sees(page, 'The connected account owns no sale that this service follows.')
  await isGood('team-none')
})

test('a wallet that is slow, or declines, leaves the focus where it was asked', async () => {
  await page.evaluate(() => localStorage.removeItem('crowdsale.wallet'))
  await page.reload()
  await sees(page, 'Connect a wallet to see the sales that it owns.')
  await keys.use('Connect wallet')
  await page.evaluate(() => {
    window.testWallet.declines = true
    window.testWallet.hold('eth_requestAccounts')
  })
  await keys.use('Test Wallet')
  await sees(page, 'Look at Test Wallet: it asks you something.')
  await isGood('wallet-asks')
  await keys.isOn('Test Wallet')
  await page.evaluate(() => window.testWallet.release())
  await sees(page, 'You declined. The wallet was not connected.')
  await keys.isOn('Test Wallet')
  await page.evaluate(() => Object.assign(window.testWallet, { declines: false, when: {} }))
  await keys.press('Enter')
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
  // From the head of the page, where the button stays and has the account in it.
  assert.match((await keys.focus()).name, /^Your wallet/)
  await keys.wasNeverLost()
})

test('a sale is deployed from its file', async () => {
  const file = world.example('aurora-eth.toml', (one) =>
    one
      .replace('soft_cap = "250"', 'soft_cap = "100"')
      .replace(
        '[whitepaper]',
        `[[allocation]]\nname = "founders"\nbeneficiary = "${beneficiary}"\namount = "1000.25"\ncliff = "0d"\nduration = "365d"\n\n[whitepaper]`,
      ),
  )
  const given = (text) => ({ name: 'aurora.toml', mimeType: 'application/toml', buffer: Buffer.from(text) })
  await keys.choose('Sale file (TOML)', given(file.replace('soft_cap = "100"', 'soft_cap = "2000"')), 'Space')
  await sees(page, 'The file is not ready. Nothing was sent.')
  await isGood('file-problems')
  await keys.use('Take another file')
  await keys.isOn('Sale file (TOML)')
  await keys.chooseHere(given(file))
  await sees(page, 'The file has no errors.')
  await keys.goesRound()
  await keys.use('I have looked over the terms and every outcome.', 'Space')
  assert.ok(await page.getByLabel('I have looked over the terms').isChecked())
  await isGood('file-plan')
  await page.evaluate(() => (window.testWallet.declines = true))
  await keys.act('Deploy the sale')
  await sees(page, 'You declined. Nothing was sent.')
  await keys.isOn('Deploy the sale')
  await isGood('deploy-declined')
  await page.evaluate(() => (window.testWallet.declines = false))
  await keys.press('Enter')
  await sees(page, 'This file is deployed already by this account.')
  await keys.isOn('Deploy it')
  await isGood('deployed')
  await keys.use('Run this sale')
  await page.getByRole('heading', { level: 1, name: 'Run Aurora' }).waitFor()
  await focused('Run Aurora')
  await keys.wasNeverLost()
  aurora = page.url().split('/').at(-1)
})

test('from the list of one’s sales, or by an address, a sale is opened, and one goes back', async () => {
  await keys.use('Team', 'Enter', { after: 'My positions' })
  await focused('Team')
  await sees(page, 'Open another sale')
  await keys.use('Aurora')
  await focused('Run Aurora')
  await page.goBack()
  await focused('Team')
  await keys.use('Open another sale', 'Space')
  await keys.write('Address of the sale', '0x12')
  await keys.press('Enter')
  await sees(page, 'This is no address')
  await keys.isOn('Address of the sale')
  await isGood('team-open-fault')
  await keys.press('Control+A')
  await page.keyboard.type(aurora)
  await keys.use('Open')
  await focused('Run Aurora')
  await keys.wasNeverLost()
})

test('contributions are paused and let go on by one button, which keeps the focus', async () => {
  await page.getByRole('heading', { name: 'What can be done' }).waitFor()
  await isGood('console-upcoming')
  await keys.goesRound()
  await keys.act('Pause contributions', 'Space')
  await until('it is paused', async () => (await chain.read(aurora, 'paused'))[0])
  await page.getByRole('button', { name: 'Let contributions go on' }).waitFor()
  await keys.isOn('Let contributions go on')
  await isGood('console-paused')
  await keys.press('Enter')
  await until('it goes on', async () => !(await chain.read(aurora, 'paused'))[0])
  await page.getByRole('button', { name: 'Pause contributions' }).waitFor()
  await keys.isOn('Pause contributions')
})

test('what is on its way is put away, and the focus stays near it', async () => {
  await page.locator('.transaction .badge', { hasText: 'Included' }).first().waitFor()
  await world.rpc('anvil_mine', ['0x50'])
  await page.getByRole('button', { name: 'Remove from this list' }).nth(1).waitFor()
  await keys.use('Remove from this list')
  await keys.isOn('Your transactions here')
})

test('roles are handed on: compliance, a whitepaper, the ownership', async () => {
  await keys.write('Address of the new officer, or none', accounts[9])
  await keys.act('Name this officer')
  await until('compliance is named', async () => (await chain.read(aurora, 'compliance'))[0] === accounts[9])
  await sees(page, `Now ${accounts[9]}.`)
  // With the field empty again, the button has nothing to do, and keeps the focus all the same.
  await keys.isOn('Name this officer')
  await keys.choose('Whitepaper', { name: 'w.pdf', mimeType: 'application/pdf', buffer: Buffer.from('abc') })
  await keys.write('Where it is served (may be empty)', 'javascript:')
  await sees(page, 'Write an address that begins with https://')
  await isGood('console-whitepaper-fault')
  await keys.write('Where it is served (may be empty)', 'https://example.org/w.pdf')
  await keys.act('Publish this whitepaper')
  await until('it is published', async () => (await chain.read(aurora, 'whitepapers'))[0].length === 1)
  await keys.isOn('Publish this whitepaper')
  await keys.write('Address of the next owner', accounts[6])
  await keys.act('Offer the ownership')
  await sees(page, `It is offered to ${accounts[6]}.`)
  await keys.isOn('Offer the ownership')
  await isGood('console-offered')
  await use(page, accounts[6])
  await keys.act('Take the ownership')
  await until('it is handed on', async () => (await chain.read(aurora, 'owner'))[0] === accounts[6])
  await page.getByText('From then on you own the sale.').waitFor({ state: 'detached' })
  await keys.isOn('What can be done')
  // Back to its first owner, for the next steps.
  await keys.write('Address of the next owner', owner)
  await keys.act('Offer the ownership')
  await sees(page, `It is offered to ${owner}.`)
  await use(page, owner)
  await keys.act('Take the ownership')
  await until('it is back', async () => (await chain.read(aurora, 'owner'))[0] === owner)
  await page.getByText('From then on you own the sale.').waitFor({ state: 'detached' })
})

test('who may not do it is told so, and is led past it', async () => {
  await use(page, accounts[5])
  await sees(page, `The connected account is ${accounts[5]}.`)
  await isGood('console-stranger')
  await keys.goesRound()
  await use(page, owner)
  await page.evaluate(() => window.testWallet.goTo('0x1'))
  await page
    .getByRole('button', { name: `Switch the wallet to chain ${CHAIN}` })
    .first()
    .waitFor()
  await isGood('console-elsewhere')
  await keys.use(`Switch the wallet to chain ${CHAIN}`)
  await page.getByRole('button', { name: 'Pause contributions' }).waitFor()
  await keys.isOn('Pause contributions')
})

test('without a wallet every act asks for one, and the focus goes to what it has become', async () => {
  await page.evaluate(() => localStorage.removeItem('crowdsale.wallet'))
  await consoleOf(aurora)
  await isGood('console-unconnected')
  // The first of them, and not the one in the head of the page.
  await keys.use('Connect wallet', 'Enter', {
    after: 'Copy Owner: pauses, names the others, calls it off below the goal',
  })
  await page.getByRole('dialog').waitFor()
  await keys.use('Test Wallet')
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
  await focused('Pause contributions', 'BUTTON')
  await keys.isOn('Pause contributions')
})

test('a sale is called off after its name is typed, and what is left is brought home', async () => {
  const second = await world.deploy('aurora-eth.toml', (one) =>
    one
      .replaceAll('Aurora', 'Borealis')
      .replace(
        '[whitepaper]',
        `[[allocation]]\nname = "founders"\nbeneficiary = "${beneficiary}"\namount = "1000.25"\ncliff = "0d"\nduration = "365d"\n\n[whitepaper]`,
      ),
  )
  await consoleOf(second)
  await keys.write('Type the name of the sale, Borealis, to go on', 'Borealis')
  await isGood('console-cancel')
  await keys.act('Call the sale off')
  await until('it is called off', async () => (await chain.read(second, 'state'))[0] === 5n)
  await page.getByRole('heading', { name: 'Call the sale off' }).waitFor({ state: 'detached' })
  await keys.isOn('What can be done')
  await isGood('console-cancelled')
  await keys.act('Bring the tokens back')
  await sees(page, 'Nothing more is free now.')
  await keys.isOn('Bring the tokens back')
  await keys.act('Send the unsold tokens home')
  await sees(page, 'No unsold token is left.')
  await keys.isOn('Send the unsold tokens home')
  await isGood('console-no-unsold')
})

test('a sale that has ended is closed, its money paid, and what the team keeps', async () => {
  await world.moveClockTo('2031-03-01T14:00:00Z')
  for (const [index, value] of [
    [4, 50n * ETHER],
    [5, 50n * ETHER],
    [6, ETHER / 20n + 7n],
  ])
    await chain.send(accounts[index], aurora, { value })
  await consoleOf(aurora)
  await isGood('console-open')
  await use(page, accounts[9])
  await keys.write('Address of the investor', accounts[6])
  await keys.act('Reject this investor')
  await until('it is rejected', async () => (await chain.read(aurora, 'positionOf', [accounts[6]]))[1] === 0n)
  await keys.isOn('Reject this investor')
  await use(page, owner)
  await world.moveClockTo('2031-03-29T14:00:00Z')
  await page.getByRole('button', { name: 'Close the sale' }).waitFor()
  await isGood('console-ended')
  await keys.act('Close the sale')
  await page.getByRole('heading', { name: 'Close the sale' }).waitFor({ state: 'detached' })
  await keys.isOn('What can be done')
  await sees(page, 'Due now')
  await isGood('console-succeeded')
  const before = await chain.balance(beneficiary)
  await keys.act('Pay what is due')
  await until('it is paid', async () => (await chain.balance(beneficiary)) === before + 100n * ETHER)
  await sees(page, 'Nothing is due now.')
  await keys.isOn('Pay what is due')
  await isGood('console-released')
  await world.moveClockTo('2031-04-20T14:00:00Z')
  await keys.act('Pay what has vested')
  const { token } = (await world.get(`/v1/sales/${CHAIN}/${aurora}`)).data
  await until('it is paid', async () => (await chain.read(token.address, 'balanceOf', [beneficiary]))[0] > 0n)
  await keys.isOn('Pay what has vested')
})

test('the desk signs a voucher, and says first what is wrong with one', async () => {
  meridian = await world.deploy('meridian-prorata.toml')
  await consoleOf(meridian)
  await keys.use('Voucher desk')
  await focused('Vouchers for Meridian')
  await sees(page, 'The vouchers of this sale are signed by')
  await isGood('desk-stranger')
  await use(page, accounts[8])
  await page.getByRole('button', { name: 'Sign the voucher' }).waitFor()
  await isGood('desk')
  await keys.goesRound()
  await keys.write('Address of the investor', '0x12')
  await keys.use('Phase 1, until 31 May 2031, 09:00 UTC', 'Space')
  await keys.use('Sign the voucher')
  await sees(page, 'Choose a phase at least.')
  // The first thing that is wrong.
  await focused('Address of the investor', 'INPUT')
  await isGood('desk-faults')
  await keys.press('Control+A')
  await page.keyboard.type(accounts[3])
  await keys.write('May have paid in all, in ETH', '2.5')
  await keys.use('Phase 1, until 31 May 2031, 09:00 UTC', 'Space')
  await keys.reach('Good until (UTC)')
  const date = () => page.getByLabel('Good until (UTC)').inputValue()
  // Its parts have another order in each language: the day is the one that goes down by a day.
  for (let left = 5; left > 0; left--) {
    await keys.press('ArrowDown')
    if ((await date()) === '2031-05-30T09:00') break
    await keys.press('ArrowUp')
    await keys.press('ArrowRight')
  }
  for (let day = 30; day > 20; day--) await keys.press('ArrowDown')
  assert.equal(await date(), '2031-05-20T09:00')
  await page.evaluate(() => (window.testWallet.declines = true))
  await keys.use('Sign the voucher')
  await sees(page, 'You declined. Nothing was signed.')
  await keys.isOn('Sign the voucher')
  await isGood('desk-declined')
  await page.evaluate(() => {
    window.testWallet.declines = false
    window.testWallet.hold('eth_signTypedData_v4')
  })
  await keys.press('Enter')
  await sees(page, 'Look at your wallet: it shows the voucher.')
  await isGood('desk-asks')
  await keys.isOn('Sign the voucher')
  await page.evaluate(() => window.testWallet.release())
  await sees(page, `For ${accounts[3]}, up to 2.5 ETH in all, until 20 May 2031, 09:00`)
  await focused('The voucher', 'H2')
  await isGood('desk-voucher')
  await keys.reach('Voucher')
  await keys.reach('Copy Voucher')
  await keys.isOn('Copy Voucher')
  await keys.use('Run Meridian', 'Enter', { back: true })
  await focused('Run Meridian')
  await keys.wasNeverLost()
})

test('vouchers are voided, their signer replaced, a holder approved, an investor rejected', async () => {
  await use(page, owner)
  await page.getByRole('button', { name: 'Void all vouchers' }).waitFor()
  await isGood('console-vouchers')
  await keys.write('Type VOID to go on', 'VOID')
  await keys.act('Void all vouchers')
  await until('the epoch is another', async () => (await chain.read(meridian, 'voucherSigner'))[1] === 1n)
  await keys.isOn('Void all vouchers')
  await keys.write('Address of the new signer', accounts[7])
  await keys.act('Name this signer')
  await until('another signs', async () => (await chain.read(meridian, 'voucherSigner'))[0] === accounts[7])
  await keys.isOn('Name this signer')
  await keys.write('Address of the new signer', accounts[8])
  await keys.act('Name this signer')
  await until('the first signs again', async () => (await chain.read(meridian, 'voucherSigner'))[0] === accounts[8])
  await keys.write('Address of the holder', accounts[4])
  await keys.act('Approve this holder')
  const { token } = (await world.get(`/v1/sales/${CHAIN}/${meridian}`)).data
  await until(
    'the holder is approved',
    async () => (await chain.read(token.address, 'approvedUntil', [accounts[4]]))[0] > 0n,
  )
  await keys.isOn('Approve this holder')
  // Of somebody who has paid nothing there is nothing to reject: said, and nothing is sent.
  await use(page, accounts[9])
  await keys.write('Address of the investor', accounts[4])
  await keys.act('Reject this investor')
  await sees(page, 'It would not go through')
  await keys.isOn('Reject this investor')
  await isGood('console-refused')
})

test('an investor signs in for a voucher, and out again', async () => {
  await world.moveClockTo('2031-05-01T09:00:00Z')
  await use(page, accounts[3])
  await open(`#/sales/${CHAIN}/${meridian}/contribute`)
  await page.getByRole('button', { name: 'Sign in for my vouchers' }).waitFor()
  await isGood('sign-in')
  await page.evaluate(() => (window.testWallet.declines = true))
  await keys.use('Sign in for my vouchers')
  await sees(page, 'You declined. You are not signed in.')
  await keys.isOn('Sign in for my vouchers')
  await isGood('sign-in-declined')
  await page.evaluate(() => (window.testWallet.declines = false))
  await keys.press('Enter')
  await sees(page, 'This service has no voucher for you that is good in this sale now.')
  await keys.isOn('Sign out')
  await isGood('signed-in')
  await keys.press('Enter')
  await focused('Sign in for my vouchers', 'BUTTON')
  await keys.isOn('Sign in for my vouchers')
})

test('from the amount to the review, back to it, and on to what was sent, the focus goes along', async () => {
  const corona = await world.deploy('aurora-eth.toml', (one) =>
    one.replaceAll('Aurora', 'Corona').replaceAll('2031-03', '2031-06'),
  )
  await world.moveClockTo('2031-06-01T14:00:00Z')
  await open(`#/sales/${CHAIN}/${corona}/contribute`)
  await page.getByRole('button', { name: 'Review' }).waitFor()
  await keys.write('Amount in ETH', '60')
  await sees(page, 'The most is 50 ETH an investor.')
  await keys.use('Review')
  // Nothing to be looked over yet.
  await keys.isOn('Review')
  await keys.write('Amount in ETH', '1.5')
  await keys.press('Enter')
  await focused('Check before you confirm', 'H2')
  await keys.use('Change the amount')
  await keys.isOn('Amount in ETH')
  await keys.use('Review')
  await focused('Check before you confirm', 'H2')
  await keys.act('Confirm in the wallet')
  await page.locator('.transaction').waitFor()
  await until('the focus is on what was sent', async () => /^Contribution/.test((await keys.focus()).name))
  await keys.wasNeverLost()
  await page.locator('.transaction .badge', { hasText: 'Included' }).waitFor()
  assert.equal((await chain.read(corona, 'positionOf', [accounts[3]]))[0], (3n * ETHER) / 2n)
})

test('nothing broke the page’s policy, and nobody else was asked for anything', () => {
  assert.deepEqual(faults, [])
})
