// Who may take part, and who can stop the payments: the voucher desk, lists, signing in, objections, as people meet them.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { isAccessible, launch, watched } from './browser.mjs'
import { accountsOf, asked, Chain, CHAIN, connect, ETHER, plain, sees, story, use } from './acts.mjs'
import { addWallet } from './wallet.mjs'
import { binary, root, until, World } from './world.mjs'

const test = story()
/** Of the devnet's account 8, which signs Meridian's vouchers: the service signs with it too. */
const SIGNER_KEY = '0xdbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97'
const MEMBERS = join(root, 'contracts/examples/polar-members.json')
const masterKey = () =>
  execFileSync(binary, ['secrets', 'new-key'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()

let world, chain, browser, page, faults, accounts, owner, signer, meridian, other, voucher, harvest

before(async () => {
  world = await World.start({
    env: { CROWDSALE_MASTER_KEY: masterKey(), CROWDSALE_VOUCHER_SIGNER: SIGNER_KEY },
    args: ['--allowlist', MEMBERS],
  })
  chain = new Chain(world)
  browser = await launch()
  accounts = await accountsOf(world)
  owner = accounts[1]
  signer = accounts[8]
  const opened = await watched(browser, world.api, { permissions: ['clipboard-read', 'clipboard-write'] })
  faults = opened.faults
  await addWallet(opened.context, world, { account: accounts[3] })
  page = await opened.context.newPage()
})

after(async () => {
  await browser?.close()
  await world?.stop()
})

const at = (hash) => `${world.api}/${hash}`
const text = async (locator) => plain(await locator.innerText())
const open = async (hash) => {
  await world.indexed()
  await page.goto(at(hash))
  // As somebody comes to it anew: what was typed there before is gone.
  await page.reload()
}
const salePage = (sale) => open(`#/sales/${CHAIN}/${sale}`)
const check = () => page.getByRole('button', { name: 'Check whether you can take part' }).click()
const told = (words) => sees(page.locator('#eligibility-told'), words)

test('before a sale opens, whoever has connected a wallet is told what they need to take part', async () => {
  meridian = await world.deploy('meridian-prorata.toml')
  other = await world.deploy('meridian-prorata.toml', (file) =>
    file.replaceAll('Meridian', 'Noon').replaceAll('MRD', 'NOO'),
  )
  await salePage(meridian)
  await connect(page)
  // The wallet is asked about without being typed in.
  assert.equal(await page.getByLabel('Your address').inputValue(), accounts[3])
  await check()
  await told('Phase 1: with a voucher.')
  await page.getByLabel('Voucher, if you have one').fill('0x1234')
  await check()
  await told('the voucher is not complete')
  await isAccessible(page, 'eligibility-voucher')
})

test('the desk’s page signs with the sale’s signer alone', async () => {
  await open(`#/team/${CHAIN}/${meridian}/vouchers`)
  await sees(page, `The vouchers of this sale are signed by ${signer}. The connected account is ${accounts[3]}`)
  await isAccessible(page, 'desk-stranger')
  assert.equal(await page.getByRole('button', { name: 'Sign the voucher' }).count(), 0)
  await use(page, signer)
  const sign = page.getByRole('button', { name: 'Sign the voucher' })
  await sign.click()
  await sees(page, 'Paste an address.')
  await page.getByLabel('Address of the investor').fill(accounts[3])
  await page.getByLabel('May have paid in all, in ETH').fill('40.000000000000000001')
  await page.getByLabel('Good until (UTC)').fill('2031-06-01T00:00')
  await page.getByLabel('Phase 1, until').uncheck()
  await sign.click()
  await sees(page, 'The terms let an investor pay 40 ETH at most.')
  await sees(page, 'Choose a phase at least.')
  await sees(page, 'a voucher need not be good for longer')
  await isAccessible(page, 'desk-faults')
  await page.getByLabel('Phase 1, until').check()
  await page.getByLabel('Good until (UTC)').fill('2031-04-01T00:00')
  await sign.click()
  await sees(page, 'It would end before the phases that it is for begin.')
  assert.equal(await asked(page, 'eth_signTypedData_v4'), 0)

  await page.getByLabel('May have paid in all, in ETH').fill('2.5')
  await page.getByLabel('Good until (UTC)').fill('2031-05-20T09:00')
  await page.evaluate(() => (window.testWallet.declines = true))
  await sign.click()
  await sees(page, 'You declined. Nothing was signed.')
  await page.evaluate(() => (window.testWallet.declines = false))
  await sign.click()
  await sees(page, `For ${accounts[3]}, up to 2.5 ETH in all, until 20 May 2031, 09:00`)
  await isAccessible(page, 'desk-voucher')
  await page.getByRole('button', { name: 'Copy Voucher' }).click()
  voucher = await page.evaluate(() => navigator.clipboard.readText())
  assert.equal(voucher, await page.getByLabel('Voucher', { exact: true }).inputValue())
  // The command makes the same of the same terms, to the byte.
  const issued = JSON.parse(
    await world.run(
      ...['voucher', 'issue', meridian, accounts[3], '--max-paid', '2.5', '--phases', '0'],
      ...['--deadline', '2031-05-20T09:00:00Z', '--dev-account', '8', '--json'],
    ),
  )
  assert.equal(voucher, issued.eligibility)
})

test('the investor finds out that the voucher is good, and for whom it is not', async () => {
  await use(page, accounts[3])
  await salePage(meridian)
  await page.getByLabel('Voucher, if you have one').fill(voucher)
  await check()
  await told('Phase 1: yes, with this voucher, up to 2.5 ETH in all, until 20 May 2031, 09:00')
  await page.getByLabel('Your address').fill(accounts[4])
  await check()
  await told('no, this voucher was made for another address or another sale')
  await salePage(other)
  await page.getByLabel('Voucher, if you have one').fill(voucher)
  await check()
  await told('no, this voucher was made for another address or another sale')
})

/** Tries a voucher on the contribute screen; the wallet must not be opened by one that is refused. */
async function refused(sale, eligibility, words) {
  await open(`#/sales/${CHAIN}/${sale}/contribute`)
  await page.getByLabel('Amount in ETH').fill('1')
  await page.getByLabel('Voucher', { exact: true }).fill(eligibility)
  await page.getByRole('button', { name: 'Review' }).click()
  await page.getByRole('button', { name: 'Confirm in the wallet' }).click()
  await sees(page, words)
  assert.equal(await asked(page, 'eth_sendTransaction'), 0)
  assert.equal((await chain.read(sale, 'positionOf', [accounts[3]]))[0], 0n)
}

const issue = async (sale, ...rest) =>
  JSON.parse(
    await world.run(
      ...['voucher', 'issue', sale, accounts[3], '--max-paid', '2.5', '--phases', '0'],
      ...['--dev-account', '8', '--json', ...rest],
    ),
  ).eligibility

test('a voucher of another sale, or one that has expired, is refused with its sentence before the wallet opens', async () => {
  const short = await issue(meridian, '--deadline', '2031-05-01T09:30:00Z')
  await world.moveClockTo('2031-05-01T10:00:00Z')
  await refused(meridian, await issue(other, '--deadline', '2031-05-20T09:00:00Z'), 'The voucher was not made for')
  await refused(meridian, short, 'The voucher was good until 1 May 2031, 09:30')
  await isAccessible(page, 'voucher-expired')
})

test('a good voucher lets its investor in, up to its limit', async () => {
  await open(`#/sales/${CHAIN}/${meridian}/contribute`)
  await page.getByLabel('Amount in ETH').fill('2.500000000000000001')
  await page.getByLabel('Voucher', { exact: true }).fill(voucher)
  await sees(page, 'This voucher lets this address pay at most 2.5 ETH.')
  assert.ok(await page.getByRole('button', { name: 'Review' }).isDisabled())
  await page.getByRole('button', { name: 'Use 2.5 ETH' }).click()
  await page.getByRole('button', { name: 'Review' }).click()
  await page.getByRole('button', { name: 'Confirm in the wallet' }).click()
  await until(
    'it is contributed',
    async () => (await chain.read(meridian, 'positionOf', [accounts[3]]))[0] === (5n * ETHER) / 2n,
  )
})

test('the owner voids all vouchers, and they are refused from then on', async () => {
  const good = await issue(other, '--deadline', '2031-05-20T09:00:00Z')
  await use(page, owner)
  await open(`#/team/${CHAIN}/${other}`)
  const card = page
    .locator('section.card')
    .filter({ has: page.getByRole('heading', { name: 'Vouchers', exact: true }) })
  await sees(card, `Signed by ${signer}, epoch 0.`)
  const button = card.getByRole('button', { name: 'Void all vouchers' })
  assert.ok(await button.isDisabled())
  await card.getByLabel('Type VOID to go on').fill('VOID')
  await isAccessible(page, 'void-vouchers')
  await button.click()
  await until('the epoch is another', async () => (await chain.read(other, 'voucherSigner'))[1] === 1n)
  await use(page, accounts[3])
  await refused(other, good, 'The voucher was not made for')
})

test('an investor signs in with the wallet, and the voucher that the desk’s system made fills itself in', async () => {
  const { secret } = JSON.parse(
    await world.run(
      'keys',
      'create',
      'desk',
      '--scope',
      'vouchers:write',
      '--database-url-file',
      world.place.database_url_file,
      '--json',
    ),
  )
  const answer = await fetch(`${world.api}/v1/sales/${CHAIN}/${other}/vouchers`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${secret}`,
      'content-type': 'application/json',
      'idempotency-key': crypto.randomUUID(),
    },
    body: JSON.stringify({
      investor: accounts[3],
      max_paid: (3n * ETHER).toString(),
      phases: [0],
      deadline: '2031-05-21T00:00:00Z',
      kyc_reference: 'case 1',
    }),
  })
  assert.equal(answer.status, 201, await answer.clone().text())

  await open(`#/sales/${CHAIN}/${other}/contribute`)
  await page.evaluate(() => (window.testWallet.declines = true))
  await page.getByRole('button', { name: 'Sign in for my vouchers' }).click()
  await sees(page, 'You declined. You are not signed in.')
  await isAccessible(page, 'sign-in')
  await page.evaluate(() => (window.testWallet.declines = false))
  await page.getByRole('button', { name: 'Sign in for my vouchers' }).click()
  await sees(page, 'Your voucher is filled in: up to 3 ETH in all, until 21 May 2031, 00:00')
  await isAccessible(page, 'signed-in')
  // It outlives a reload of this tab, and stands nowhere that outlives the tab.
  await page.reload()
  await sees(page, 'Your voucher is filled in')
  assert.ok(!(await page.evaluate(() => JSON.stringify(localStorage))).includes('cws_'))
  await page.getByLabel('Amount in ETH').fill('3')
  await page.getByRole('button', { name: 'Review' }).click()
  await page.getByRole('button', { name: 'Confirm in the wallet' }).click()
  await until('it is contributed', async () => (await chain.read(other, 'positionOf', [accounts[3]]))[0] === 3n * ETHER)
  // Another account is not signed in by it.
  await use(page, accounts[4])
  await page.getByRole('button', { name: 'Sign in for my vouchers' }).click()
  await sees(page, 'This service has no voucher for you that is good in this sale now.')
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('button', { name: 'Sign in for my vouchers' }).waitFor()
  assert.equal(await page.evaluate(() => sessionStorage.getItem('crowdsale.session')), null)
})

test('a holder of a restricted token is approved, and an investor rejected, by who may; the money goes back to the wei', async () => {
  const card = (title) =>
    page.locator('section.card').filter({ has: page.getByRole('heading', { name: title, exact: true }) })
  await use(page, owner)
  await open(`#/team/${CHAIN}/${meridian}`)
  await isAccessible(page, 'team-powers')
  const { token } = (await world.get(`/v1/sales/${CHAIN}/${meridian}`)).data
  await card('Approve a holder').getByLabel('Address of the holder').fill(accounts[3])
  await card('Approve a holder').getByRole('button', { name: 'Approve this holder' }).click()
  await until(
    'the holder is approved',
    async () => (await chain.read(token.address, 'approvedUntil', [accounts[3]]))[0] === 2n ** 40n - 1n,
  )
  await card('Another signer of vouchers').getByLabel('Address of the new signer').fill(accounts[7])
  await card('Another signer of vouchers').getByRole('button', { name: 'Name this signer' }).click()
  await until('another signs', async () => (await chain.read(meridian, 'voucherSigner'))[0] === accounts[7])

  const reject = card('Reject an investor')
  await sees(reject, `Only compliance, ${accounts[9]}, can do this. The connected account is ${owner}.`)
  await use(page, accounts[9])
  await reject.getByLabel('Address of the investor').fill(accounts[3])
  await reject.getByRole('button', { name: 'Reject this investor' }).click()
  await sees(page, 'Rejection of an investor')
  // Sent, and not only asked for: a wallet that goes to another account before is asked for nothing.
  await until('it is rejected', async () => {
    const { data } = await world.get(`/v1/investors/${accounts[3]}`)
    return data.some((one) => one.rejected)
  })
  await use(page, accounts[3])
  await world.indexed()
  // Where it paid, though the sale is open: to the rejected one alone.
  await open(`#/sales/${CHAIN}/${meridian}`)
  await sees(card('It is open'), 'Compliance rejected this position. Its money waits for you.')
  await sees(card('It is open'), 'Yours to take back')
  await page.getByRole('button', { name: 'Get your money back' }).waitFor()
  await isAccessible(page, 'sale-rejected')
  await use(page, accounts[4])
  await page.getByText('Compliance rejected this position').waitFor({ state: 'detached' })
  assert.equal(await page.getByRole('button', { name: 'Get your money back' }).count(), 0)
  await use(page, accounts[3])
  await open(`#/positions/${accounts[3]}`)
  await sees(page, 'Compliance rejected this position. Its money waits for you.')
  const before = await chain.balance(accounts[3])
  await page.getByRole('button', { name: 'Get your money back' }).click()
  await sees(page, 'Compliance rejected this position. Its money is back.')
  assert.equal(await chain.balance(accounts[3]), before - (await chain.feeOf(page)) + (5n * ETHER) / 2n)
})

test('a service that was not told its name says who has to tell it', async () => {
  const name = world.api.replace('127.0.0.1', 'sales.localhost')
  const opened = await watched(browser, name)
  await addWallet(opened.context, world, { account: accounts[3] })
  const elsewhere = await opened.context.newPage()
  await elsewhere.goto(`${name}/#/sales/${CHAIN}/${other}/contribute`)
  await connect(elsewhere)
  await elsewhere.getByRole('button', { name: 'Sign in for my vouchers' }).click()
  await sees(elsewhere, 'This service has not been told its own name')
  await isAccessible(elsewhere, 'sign-in-unnamed')
  assert.deepEqual(opened.faults, [])
  await opened.context.close()
})

test('a list lets in those who are on it, and tells the others before the wallet opens', async () => {
  const polar = await world.deploy('polar-auction.toml', (file) =>
    file.replace('list = "polar-members.json"', `list_root = "${JSON.parse(readFileSync(MEMBERS, 'utf8')).root}"`),
  )
  await use(page, accounts[4])
  await salePage(polar)
  await check()
  await told('Phase 1: yes, you are on its list, with up to 50 ETH.')
  await told('Phase 2: yes, it is open to everybody.')
  await page.getByLabel('Your address').fill(accounts[7])
  await check()
  await told('Phase 1: no, this address is not on its list.')
  await world.moveClockTo('2031-07-01T12:00:00Z')
  await open(`#/sales/${CHAIN}/${polar}/contribute`)
  await page.getByLabel('Amount in ETH').fill('1.5')
  await page.getByRole('button', { name: 'Review' }).click()
  await page.getByRole('button', { name: 'Confirm in the wallet' }).click()
  await until(
    'it is contributed',
    async () => (await chain.read(polar, 'positionOf', [accounts[4]]))[0] === (3n * ETHER) / 2n,
  )
  await use(page, accounts[7])
  await open(`#/sales/${CHAIN}/${polar}/contribute`)
  await sees(page, 'This address is not on the list of the phase that is open now.')
  await page.getByLabel('Amount in ETH').fill('1')
  await page.getByRole('button', { name: 'Review' }).click()
  await page.getByRole('button', { name: 'Confirm in the wallet' }).click()
  await sees(page, 'In phase 1, only those on its list can contribute.')
  assert.equal(await asked(page, 'eth_sendTransaction'), 0)
})

test('investors see what an objection does to their money, and stop the payments', async () => {
  harvest = await world.deploy('aurora-eth.toml', (file) =>
    file
      .replaceAll('Aurora', 'Harvest')
      .replace('soft_cap = "250"', 'soft_cap = "100"')
      .replaceAll('2031-03-01', '2031-08-01')
      .replaceAll('2031-03-08', '2031-08-08')
      .replaceAll('2031-03-29', '2031-08-29')
      .replace('[whitepaper]', '[release]\nat_once = "25%"\nduration = "100d"\nobjection = "50%"\n\n[whitepaper]'),
  )
  await world.moveClockTo('2031-08-01T14:00:00Z')
  for (const [index, value] of [
    [4, 50n * ETHER],
    [5, 30n * ETHER + 7n],
    [6, 40n * ETHER],
  ])
    await chain.send(accounts[index], harvest, { value })
  await world.moveClockTo('2031-08-29T14:00:00Z')
  await world.run('sale', 'close', harvest, '--dev-account', '0')
  await world.run('release', harvest, '--dev-account', '0')
  const vault = (await chain.read(harvest, 'vault'))[0]
  const { received, released } = await chain.read(vault, 'account')
  assert.equal(received, 120n * ETHER + 7n)

  await use(page, accounts[7])
  await salePage(harvest)
  const card = page
    .locator('section.card')
    .filter({ has: page.getByRole('heading', { name: 'Payments to the team, and how to stop them' }) })
  await sees(card, 'This wallet has no part in the money of this sale')
  assert.equal(await card.getByRole('button', { name: 'Object to the payments' }).count(), 0)
  await use(page, accounts[4])
  await sees(card, 'Your objection counts')
  const share = (50n * ETHER * (received - released)) / received
  const units = (raw) => `${raw / ETHER}.${String(raw % ETHER).padStart(18, '0')}`.replace(/\.?0+$/, '')
  const shown = await text(card)
  for (const part of [`Kept by the sale ${units(received)} ETH`, `Paid to the team ${units(released)} ETH`])
    assert.ok(shown.includes(part), `${part}: ${shown}`)
  assert.ok(shown.includes(`Yours, if it were stopped now ${units(share)} ETH`), shown)
  assert.ok(shown.includes(`Needed: more than ${units(received / 2n)} ETH`), shown)
  await isAccessible(page, 'objection')
  await card.getByRole('button', { name: 'Object to the payments' }).click()
  await until('it has objected', async () => (await chain.read(vault, 'hasObjected', [accounts[4]]))[0])
  await sees(card, 'This wallet has objected.')
  assert.equal((await chain.read(vault, 'objections')).stopped, false)

  // From the list of one's positions, too.
  await use(page, accounts[5])
  await open(`#/positions/${accounts[5]}`)
  await page.getByText('Payments to the team, and how to stop them').click()
  await sees(page, 'You can object to the payments to the team.')
  await isAccessible(page, 'positions-objection')
  await page.getByRole('button', { name: 'Object to the payments' }).click()
  await until('the payments have stopped', async () => (await chain.read(vault, 'objections')).stopped)
})

test('the rest goes back to everybody by their share, to the wei', async () => {
  const vault = (await chain.read(harvest, 'vault'))[0]
  const { received, released } = await chain.read(vault, 'account')
  const rest = received - released
  for (const [index, stake, place, button] of [
    [6, 40n * ETHER, `#/sales/${CHAIN}/${harvest}`, 'Take your share of the rest'],
    [5, 30n * ETHER + 7n, `#/positions/${accounts[5]}`, 'Take your share of the rest'],
  ]) {
    const account = accounts[index]
    const share = (stake * rest) / received
    assert.equal((await chain.read(vault, 'refundable', [account]))[0], share)
    await use(page, account)
    await open(place)
    const before = await chain.balance(account)
    await page.getByRole('button', { name: button }).waitFor()
    await isAccessible(page, `rest-${index}`)
    await page.getByRole('button', { name: button }).click()
    await until('the share is taken', async () => (await chain.read(vault, 'refundable', [account]))[0] === 0n)
    assert.equal(await chain.balance(account), before - (await chain.feeOf(page)) + share)
  }
  await salePage(harvest)
  await sees(page, 'This wallet has no share of the rest to take, or has had it.')
  // The team’s own page says that nothing more is paid.
  await open(`#/team/${CHAIN}/${harvest}`)
  await sees(page, 'Investors have stopped the payments. Nothing more is paid.')
})

test('nothing broke the page’s policy, and nobody else was asked for anything', () => {
  assert.deepEqual(faults, [])
})
