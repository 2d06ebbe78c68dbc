// A team deploys from its file and runs its sales, by wallet, to the wei.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { isAccessible, launch, watched } from './browser.mjs'
import { accountsOf, asked, Chain, CHAIN, connect, ETHER, plain, sees, story, use } from './acts.mjs'
import { addWallet } from './wallet.mjs'
import { until, World } from './world.mjs'

const test = story()

let world, chain, browser, page, faults, accounts, owner, beneficiary, file, sale, token, second

before(async () => {
  world = await World.start()
  chain = new Chain(world)
  browser = await launch()
  accounts = await accountsOf(world)
  ;[, owner, beneficiary] = accounts
  const opened = await watched(browser, world.api)
  faults = opened.faults
  await addWallet(opened.context, world, { account: owner })
  page = await opened.context.newPage()
})

after(async () => {
  await browser?.close()
  await world?.stop()
})

const at = (hash) => `${world.api}/${hash}`
const chosen = () => page.getByLabel('Sale file (TOML)')
const choose = (name, text) => chosen().setInputFiles({ name, mimeType: 'application/toml', buffer: Buffer.from(text) })
const text = async (locator) => plain(await locator.innerText())
const act = (title) =>
  page.locator('section.card').filter({ has: page.getByRole('heading', { name: title, exact: true }) })
const press = (title, button) => act(title).getByRole('button', { name: button }).click()
/** The page shows the sale as of a block that has it. */
const open = async (address) => {
  await world.indexed()
  await page.goto(at(`#/team/${CHAIN}/${address}`))
  await page.getByRole('heading', { level: 1, name: /^Run / }).waitFor()
}

test('files that are none are refused in the browser, with what to do', async () => {
  await page.goto(at('#/team'))
  await sees(page, 'Connect a wallet to see the sales that it owns.')
  await isAccessible(page, 'team')
  await choose('empty.toml', '')
  await sees(page, 'empty.toml is empty.')
  await choose('latin.toml', Buffer.from([0x6e, 0x61, 0x6d, 0x65, 0xe9]))
  await sees(page, 'latin.toml is not UTF-8 text')
  await choose('film.toml', 'x'.repeat(60_001))
  await sees(page, 'film.toml has 60001 bytes; a sale file has at most 60000.')
  await isAccessible(page, 'team-file-fault')
})

test('a file with errors is told line by line in the words of the command, and cannot be deployed', async () => {
  const good = world.example('aurora-eth.toml')
  await choose('broken.toml', good.replace('[limits]', '[limits'))
  await sees(page, 'Line 14, syntax')
  await sees(page, 'The file is not ready. Nothing was sent.')
  const broken = good.replace('soft_cap = "250"', 'soft_cap = "2500"')
  await choose('crossed.toml', broken)
  await sees(page, 'sale.soft_cap')
  const path = join(world.folder, 'crossed.toml')
  writeFileSync(path, broken)
  // The very sentence that the command prints.
  const { stdout } = await world.run('sale', 'lint', path, '--json').then(
    () => assert.fail('it has an error'),
    (error) => error,
  )
  const [problem] = JSON.parse(stdout).problems
  await sees(page, problem.message)
  await sees(page, `Mend: ${problem.mend}`)
  await isAccessible(page, 'team-problems')
  assert.equal(await page.getByRole('heading', { name: 'Deploy it' }).count(), 0)
})

test('a good file shows everything that it comes to before a wallet is there', async () => {
  file = world.example('aurora-eth.toml', (one) =>
    one
      .replace('soft_cap = "250"', 'soft_cap = "100"')
      .replace(
        '[whitepaper]',
        `[[allocation]]\nname = "founders"\nbeneficiary = "${beneficiary}"\namount = "1000.25"\ncliff = "0d"\nduration = "365d"\n\n[whitepaper]`,
      ),
  )
  // Dropped, this time.
  const dropped = await page.evaluateHandle((text) => {
    const data = new DataTransfer()
    data.items.add(new File([text], 'aurora.toml'))
    return data
  }, file)
  await page.dispatchEvent('.drop', 'drop', { dataTransfer: dropped })
  await sees(page, 'The file has no errors.')
  const plan = act('What it comes to')
  const shown = await text(plan)
  for (const part of [
    '100 ETH',
    '1 000 ETH',
    '1 Mar 2031, 14:00 UTC',
    '1 Mar 2031, 15:00 CET',
    'early bird',
    '0.0008 ETH',
  ])
    assert.ok(shown.includes(part), part)
  const flows = async (outcome) => text(plan.getByRole('list', { name: outcome }))
  assert.match(
    await flows('When it is deployed'),
    /1 100 000 AUR → the sale.*1 000\.25 AUR → the allocation’s wallet.*898 999\.75 AUR → the owner/,
  )
  assert.match(await flows('If it reaches its goal'), /100 ETH – 1 000 ETH → the beneficiary/)
  assert.match(await flows('If it ends below its goal'), /0 ETH – 99\.999999999999999999 ETH → investors/)
  assert.match(await flows('If the owner calls it off'), /1 100 000 AUR → the owner/)
  await sees(page, 'Connect the wallet that deploys to see which addresses the sale will have.')
  await isAccessible(page, 'team-plan')
})

test('it is deployed by the wallet, at the addresses that were shown, and recognised ever after', async () => {
  await connect(page)
  const sent = page.getByRole('button', { name: 'Deploy the sale' })
  await sent.waitFor()
  // Only who says to have looked it over can go on.
  assert.ok(await sent.isDisabled())
  await page.getByLabel('I have looked over the terms and every outcome.').check()
  await sees(page, 'The network’s fee is about')
  const row = page.locator('dl.facts > div').filter({ has: page.getByText('Sale', { exact: true }) })
  sale = await row.locator('code').innerText()
  assert.equal(await world.rpc('eth_getCode', [sale, 'latest']), '0x')
  await page.evaluate(() => (window.testWallet.declines = true))
  await sent.click()
  await sees(page, 'You declined. Nothing was sent.')
  await page.evaluate(() => (window.testWallet.declines = false))
  await sent.click()
  await sees(page, 'This file is deployed already by this account.')
  await isAccessible(page, 'team-deployed')
  assert.notEqual(await world.rpc('eth_getCode', [sale, 'latest']), '0x')
  // The command finds the same sale for the same file and account, and sends nothing.
  const path = join(world.folder, 'aurora.toml')
  writeFileSync(path, file)
  const again = JSON.parse(await world.run('sale', 'deploy', path, '--dev-account', '1', '--json'))
  assert.deepEqual([again.created, again.sale], [false, sale])
  token = again.token

  const before = await world.rpc('eth_getTransactionCount', [owner, 'latest'])
  await page.reload()
  await sees(page, 'This file is deployed already by this account.')
  await page.getByRole('button', { name: 'Take another file' }).click()
  await choose('renamed.toml', file)
  await sees(page, 'This file is deployed already by this account.')
  assert.equal(await page.getByRole('button', { name: 'Deploy the sale' }).count(), 0)
  assert.equal(await world.rpc('eth_getTransactionCount', [owner, 'latest']), before)
  await page
    .getByRole('list', { name: 'Sales of the connected account' })
    .getByRole('link', { name: 'Aurora' })
    .waitFor()
})

test('a sale of a token that exists is two steps, gone on with after a reload; the factory takes the tokens to the unit', async () => {
  const created = world.example('aurora-eth.toml', (one) =>
    one
      .replaceAll('Aurora', 'Borealis')
      .replace(
        /\[token\][\s\S]*?\[\[phase\]\]/,
        `[token]\naddress = "${token}"\ndecimals = 18\nsymbol = "AUR"\nfor_sale = "700000.5"\n\n[[phase]]`,
      )
      .replace('hard_cap = "1000"', 'hard_cap = "600"')
      .replace('soft_cap = "250"', 'soft_cap = "100"')
      .replace(
        '[whitepaper]',
        `[[allocation]]\nname = "founders"\nbeneficiary = "${beneficiary}"\namount = "1000.25"\ncliff = "30d"\nduration = "365d"\n\n[whitepaper]`,
      ),
  )
  // One who has too few tokens is told before anything is sent.
  await use(page, accounts[5])
  await choose('borealis.toml', created)
  await sees(page, `is 701000.75 AUR with the allocations, and ${accounts[5]}, who deploys, has 0 AUR`, {
    exact: false,
  })
  await use(page, owner)
  await sees(page, '2 transactions are left.')
  const row = page.locator('dl.facts > div').filter({ has: page.getByText('Sale', { exact: true }) })
  second = await row.locator('code').innerText()
  await page.getByLabel('I have looked over the terms and every outcome.').check()
  await isAccessible(page, 'team-two-steps')
  await page.getByRole('button', { name: 'Allow the factory to take the tokens' }).click()
  await sees(page, 'One transaction is left.')
  const needed = 701_000_750_000_000_000_000_000n
  assert.equal((await chain.read(token, 'allowance', [owner, world.place.factory]))[0], needed)
  await page.reload()
  await sees(page, 'One transaction is left.')
  await page.getByLabel('I have looked over the terms and every outcome.').check()
  const before = (await chain.read(token, 'balanceOf', [owner]))[0]
  await page.getByRole('button', { name: 'Deploy the sale' }).click()
  await sees(page, 'This file is deployed already by this account.')
  assert.equal((await chain.read(token, 'balanceOf', [owner]))[0], before - needed)
  assert.equal((await chain.read(token, 'balanceOf', [second]))[0], 700_000_500_000_000_000_000_000n)
  assert.equal((await chain.read(token, 'allowance', [owner, world.place.factory]))[0], 0n)
})

test('contributions are paused and resumed by the owner alone, who is named to others', async () => {
  await open(second)
  await isAccessible(page, 'team-sale')
  await press('Pause contributions', 'Pause contributions')
  await until('it is paused', async () => (await chain.read(second, 'paused'))[0])
  await page.getByRole('heading', { name: 'Let contributions go on' }).waitFor()
  await use(page, accounts[5])
  const resume = act('Let contributions go on')
  await sees(resume, `Only the owner, ${owner}, can do this. The connected account is ${accounts[5]}.`)
  assert.equal(await resume.getByRole('button').count(), 0)
  await isAccessible(page, 'team-sale-stranger')
  await use(page, owner)
  await press('Let contributions go on', 'Let contributions go on')
  await until('it goes on', async () => !(await chain.read(second, 'paused'))[0])
})

test('an act that the contract would refuse is refused in words, and the wallet is not opened', async () => {
  await page.getByRole('heading', { name: 'Pause contributions' }).waitFor()
  // Behind the page's back, and so soon that it cannot know.
  await world.rpc('evm_setIntervalMining', [0])
  await world.rpc('evm_setAutomine', [true])
  const before = await asked(page, 'eth_sendTransaction')
  const paused = '0x16c38b3c' + '1'.padStart(64, '0')
  await page.evaluate(
    ([from, to, data]) => {
      // In one go, so that no block is read in between.
      const click = () =>
        [...document.querySelectorAll('button')].find((one) => one.textContent === 'Pause contributions').click()
      return window.askDevnet('eth_sendTransaction', [{ from, to, data }]).then(click)
    },
    [owner, second, paused],
  )
  await sees(page, 'Contributions are paused already.')
  assert.equal(await asked(page, 'eth_sendTransaction'), before)
  await chain.send(owner, second, { data: paused.slice(0, -1) + '0' })
  await world.rpc('evm_setIntervalMining', [1])
})

test('roles are handed on: signer of vouchers, compliance, the ownership in two steps, the whitepaper by its hash', async () => {
  await open(second)
  const field = act('Compliance officer').getByLabel('Address of the new officer, or none')
  await field.fill('0x12')
  await sees(page, 'This is no address')
  assert.ok(await act('Compliance officer').getByRole('button', { name: 'Name this officer' }).isDisabled())
  await field.fill(accounts[9])
  await press('Compliance officer', 'Name this officer')
  await until('compliance is named', async () => (await chain.read(second, 'compliance'))[0] === accounts[9])
  await sees(page, `Now ${accounts[9]}.`)
  await act('Compliance officer').getByLabel('Address of the new officer, or none').fill('none')
  await press('Compliance officer', 'Name this officer')
  await until('nobody is', async () => BigInt((await chain.read(second, 'compliance'))[0]) === 0n)

  const paper = act('Publish another whitepaper')
  await paper
    .getByLabel('Whitepaper', { exact: true })
    .setInputFiles({ name: 'w.pdf', mimeType: 'application/pdf', buffer: Buffer.from('abc') })
  await sees(paper, '0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  await paper.getByLabel('Where it is served (may be empty)').fill('javascript:alert(1)')
  await sees(paper, 'Write an address that begins with https://')
  await paper.getByLabel('Where it is served (may be empty)').fill('https://example.org/w.pdf')
  await paper.getByRole('button', { name: 'Publish this whitepaper' }).click()
  await until('it is published', async () => (await chain.read(second, 'whitepapers'))[0].length === 1)
  assert.equal(
    (await chain.read(second, 'whitepapers'))[0][0],
    '0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  )

  await page.getByLabel('Address of the next owner').fill(accounts[6])
  await page.getByRole('button', { name: 'Offer the ownership' }).click()
  await sees(page, `It is offered to ${accounts[6]}.`)
  await use(page, accounts[6])
  await page.getByRole('button', { name: 'Take the ownership' }).click()
  await until('it is handed on', async () => (await chain.read(second, 'owner'))[0] === accounts[6])
})

test('a sale is called off by its owner after typing its name; money and tokens go back to the wei', async () => {
  await world.moveClockTo('2031-03-01T14:00:00Z')
  await chain.send(accounts[4], second, { value: 2n * ETHER + 1n })
  await open(second)
  const cancel = act('Call the sale off')
  await sees(cancel, '2.000000000000000001 ETH in all')
  const button = cancel.getByRole('button', { name: 'Call the sale off' })
  await cancel.getByLabel('Type the name of the sale, Borealis, to go on').fill('borealis')
  assert.ok(await button.isDisabled())
  await cancel.getByLabel('Type the name of the sale, Borealis, to go on').fill('Borealis')
  await isAccessible(page, 'team-cancel')
  const before = (await chain.read(token, 'balanceOf', [accounts[6]]))[0]
  await button.click()
  await until('it is called off', async () => (await chain.read(second, 'state'))[0] === 5n)
  assert.equal((await chain.read(token, 'balanceOf', [accounts[6]]))[0], before + 700_000_500_000_000_000_000_000n)
  // What was set aside for the team goes home too.
  await page.getByRole('button', { name: 'Bring the tokens back' }).click()
  await until(
    'the allocation is back',
    async () => (await chain.read(token, 'balanceOf', [accounts[6]]))[0] === before + 701_000_750_000_000_000_000_000n,
  )
  // The unsold have left with the cancellation: said before the wallet opens.
  const sent = await asked(page, 'eth_sendTransaction')
  await press('Send unsold tokens home', 'Send the unsold tokens home')
  await sees(page, 'No unsold token is left.')
  assert.equal(await asked(page, 'eth_sendTransaction'), sent)
  await isAccessible(page, 'team-cancelled')

  await use(page, accounts[4])
  await page.goto(at(`#/sales/${CHAIN}/${second}`))
  const paid = await chain.balance(accounts[4])
  await page.getByRole('button', { name: 'Get your money back' }).click()
  await sees(page, 'This wallet has nothing to take back here')
  assert.equal(await chain.balance(accounts[4]), paid - (await chain.feeOf(page)) + 2n * ETHER + 1n)
})

test('a sale that reached its goal is closed and its money released, to the wei', async () => {
  for (const [index, value] of [
    [4, 50n * ETHER],
    [5, 50n * ETHER],
    [6, 777_777_777_777_777_777n],
  ])
    await chain.send(accounts[index], sale, { value })
  await world.moveClockTo('2031-03-29T14:00:00Z')
  await use(page, owner)
  await open(sale)
  await sees(page, 'It has reached its goal')
  await isAccessible(page, 'team-close')
  await press('Close the sale', 'Close the sale')
  await sees(page, 'Pay the beneficiary what is due')
  const raised = 100n * ETHER + 777_777_777_777_777_777n
  const release = act('Pay the beneficiary what is due')
  await until('what is due is shown', async () => (await text(release)).includes('Due now 100.777777777777777777 ETH'))
  await isAccessible(page, 'team-release')
  const before = await chain.balance(beneficiary)
  await press('Pay the beneficiary what is due', 'Pay what is due')
  await until('it is paid', async () => (await chain.balance(beneficiary)) === before + raised)
  await sees(release, 'Nothing is due now.')
  assert.ok(await release.getByRole('button', { name: 'Pay what is due' }).isDisabled())
})

test('what the team keeps is paid out as it vests, to the unit', async () => {
  await world.moveClockTo('2031-07-07T14:00:00Z')
  await open(sale)
  await sees(page, 'What the team keeps: 1\u202f000.25 AUR')
  await isAccessible(page, 'team-allocation')
  assert.equal((await chain.read(token, 'balanceOf', [beneficiary]))[0], 0n)
  await page.getByRole('button', { name: 'Pay what has vested' }).click()
  await until('it is paid', async () => (await chain.read(token, 'balanceOf', [beneficiary]))[0] > 0n)
  const { hash } = await page.evaluate(() => JSON.parse(localStorage.getItem('crowdsale.transactions'))[0])
  const { blockNumber } = await world.rpc('eth_getTransactionReceipt', [hash])
  const { timestamp } = await world.rpc('eth_getBlockByNumber', [blockNumber, false])
  const elapsed = BigInt(timestamp) - BigInt(Date.parse('2031-03-29T14:00:00Z') / 1000)
  const vested = (1_000_250_000_000_000_000_000n * elapsed) / (365n * 86_400n)
  assert.equal((await chain.read(token, 'balanceOf', [beneficiary]))[0], vested)
})

test('a service without a node checks the file, tells no addresses, and says what it lacks', async () => {
  const alone = await world.serve()
  try {
    const opened = await watched(browser, alone.url)
    await addWallet(opened.context, world, { account: owner })
    const elsewhere = await opened.context.newPage()
    await elsewhere.goto(`${alone.url}/#/team`)
    await connect(elsewhere)
    const given = {
      name: 'sale.toml',
      mimeType: 'application/toml',
      buffer: Buffer.from(file.replace('2031-03-01', '2031-08-01').replaceAll('2031-03', '2031-09')),
    }
    await elsewhere.getByLabel('Sale file (TOML)').setInputFiles(given)
    await sees(elsewhere, 'This service has no node of this chain')
    await sees(elsewhere, 'The file has no errors.')
    await elsewhere.getByRole('heading', { name: 'Every outcome' }).waitFor()
    assert.equal(await elsewhere.getByRole('heading', { name: 'Deploy it' }).count(), 0)
    await isAccessible(elsewhere, 'team-no-node')
    assert.deepEqual(opened.faults, [])
    await opened.context.close()
  } finally {
    await alone.stop()
  }
})

test('a service that cannot sign anybody in says so', async () => {
  const meridian = await world.deploy('meridian-prorata.toml', (one) => one.replaceAll('2031-05', '2031-12'))
  await page.goto(at(`#/sales/${CHAIN}/${meridian}`))
  await page.getByRole('button', { name: 'Sign in for my vouchers' }).click()
  await sees(page, 'Nobody can sign in to this service: whoever runs it has set no master key.')
  await isAccessible(page, 'sign-in-unconfigured')
})

test('nothing broke the page’s policy, and nobody else was asked for anything', () => {
  assert.deepEqual(faults, [])
})
