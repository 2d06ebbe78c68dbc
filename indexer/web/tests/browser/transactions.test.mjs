// Every state of a transaction, as the chain and the wallet bring it about.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { after, before } from 'node:test'
import { isAccessible, launch, watched } from './browser.mjs'
import { deploy } from './compiled.mjs'
import { CHAIN, ETHER, hex, read, sees, send, story } from './steps.mjs'
import { addWallet } from './wallet.mjs'
import { until, World } from './world.mjs'

const { Interface } = createRequire(import.meta.url)('ethers')
const saleAbi = new Interface([
  'function positionOf(address) view returns (uint256 paid, uint256 tokens)',
  'function setPaused(bool)',
])

const test = story()
let world, browser, accounts, sale, context, faults, wallet

before(async () => {
  world = await World.start()
  browser = await launch()
  accounts = await world.rpc('eth_accounts')
  sale = await world.deploy('aurora-eth.toml')
  await world.moveClockTo('2031-03-01T14:00:00Z')
  // From here on blocks come when a step says so.
  await world.rpc('evm_setIntervalMining', [0])
  await world.rpc('evm_setAutomine', [false])
  ;({ context, faults } = await watched(browser, world.api))
  await addWallet(context, world, { account: accounts[2] })
  wallet = await context.newPage()
  await wallet.goto(contribute())
  await connect(wallet)
})

after(async () => {
  await browser?.close()
  await world?.stop()
})

const contribute = () => `${world.api}/#/sales/${CHAIN}/${sale}/contribute`
const mine = () => world.rpc('evm_mine')
const paid = async (account) => (await read(world, saleAbi, sale, 'positionOf', [account])).paid

async function connect(page) {
  await page.locator('main').getByRole('button', { name: 'Connect wallet' }).click()
  await page.getByRole('button', { name: 'Test Wallet' }).click()
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
}
async function confirm(page, amount) {
  await page.getByLabel('Amount in ETH').fill(amount)
  await page.getByRole('button', { name: 'Review' }).click()
  await page.getByRole('button', { name: 'Confirm in the wallet' }).click()
}
const card = (page = wallet, at = 0) => page.locator('.transaction').nth(at)
const is = (state, page = wallet, at = 0) => card(page, at).locator('.badge', { hasText: state }).waitFor()
const kept = (page = wallet) => page.evaluate(() => JSON.parse(localStorage.getItem('crowdsale.transactions')))
const hashOf = (page = wallet) => until('its hash is kept', async () => (await kept(page))[0].hash)
/** What is in a block becomes final, and is put away. */
async function clear() {
  await world.rpc('anvil_mine', ['0x50'])
  await until('all are over', async () => {
    for (const button of await wallet.getByRole('button', { name: 'Remove from this list' }).all())
      await button.click({ timeout: 1_000 })
    return (await wallet.locator('.transaction').count()) === 0
  })
}

test('while the wallet asks, every tab says so; when the page that asked is gone, the others know', async () => {
  await wallet.evaluate(() => window.testWallet.hold('eth_sendTransaction'))
  await confirm(wallet, '1.5')
  await is('Confirm in your wallet')
  await isAccessible(wallet, 'tx-awaiting')
  const other = await context.newPage()
  await other.goto(contribute())
  await is('Confirm in your wallet', other)
  const call = (await kept())[0]
  await wallet.reload()
  await is('Interrupted', other)
  await is('Interrupted')
  await sees(card(), 'Look in the wallet whether it was sent before you try again.')
  await isAccessible(wallet, 'tx-interrupted')
  // Until that is known, the same button does not do it twice.
  await wallet.getByLabel('Amount in ETH').fill('1.5')
  await wallet.getByRole('button', { name: 'Review' }).click()
  await sees(wallet, 'One like it may be on its way already')
  assert.equal(await wallet.getByRole('button', { name: 'Confirm in the wallet' }).isDisabled(), true)
  await wallet.getByRole('button', { name: 'Change the amount' }).click()
  // The wallet’s own window is still there, and its person confirms in it.
  const { from, to, data, value } = call
  await world.rpc('eth_sendTransaction', [{ from, to, data, value: hex(value) }])
  await mine()
  await is('Included')
  await is('Included', other)
  assert.equal(await paid(accounts[2]), (3n * ETHER) / 2n)
  await other.close()
})

test('what is declined was not sent', async () => {
  await wallet.evaluate(() => (window.testWallet.declines = true))
  await confirm(wallet, '1')
  await is('Declined')
  await sees(card(), 'You declined. Nothing was sent.')
  await wallet.evaluate(() => (window.testWallet.declines = false))
  await wallet.reload()
  await is('Declined')
})

test('a wallet that goes elsewhere in the middle is asked for nothing', async () => {
  for (const move of [
    () => window.testWallet.goTo('0x1'),
    () => (window.testWallet.account = '0x0000000000000000000000000000000000000001'),
  ]) {
    await wallet.evaluate((text) => {
      const go = new Function(`return (${text})()`)
      // After it was tried, and before it is sent.
      window.testWallet.when.eth_getTransactionCount = () => {
        window.testWallet.when = {}
        go()
      }
    }, move.toString())
    await confirm(wallet, '1')
    await is('Not sent')
    await sees(card(), 'Your wallet went to another account or another chain meanwhile.')
    const asked = await wallet.evaluate(() => window.testWallet.asked)
    assert.ok(!asked.includes('eth_sendTransaction'))
    await isAccessible(wallet, 'tx-moved')
    await wallet.evaluate((account) => {
      window.testWallet.use(account)
      window.testWallet.goTo('0x7a69')
    }, accounts[2])
  }
  assert.equal(await paid(accounts[2]), (3n * ETHER) / 2n)
})

test('one that was sped up is the same one with another hash', async () => {
  await clear()
  await confirm(wallet, '2')
  await is('Pending')
  await isAccessible(wallet, 'tx-pending')
  const first = await hashOf()
  await until('its nonce is known', async () => (await kept())[0].nonce !== undefined)
  const slow = await world.rpc('eth_getTransactionByHash', [first])
  const { from, to, input, value, nonce } = slow
  const fee = {
    maxFeePerGas: hex(BigInt(slow.maxFeePerGas ?? slow.gasPrice) * 4n),
    maxPriorityFeePerGas: hex(4n * 10n ** 9n),
  }
  const second = await world.rpc('eth_sendTransaction', [{ from, to, data: input, value, nonce, ...fee }])
  await mine()
  await is('Included')
  await sees(card(), 'Sped up.')
  assert.equal((await kept())[0].hash, second)
  assert.equal(await paid(accounts[2]), (7n * ETHER) / 2n)
  await isAccessible(wallet, 'tx-sped-up')
})

test('one whose nonce went to something else is cancelled, and for good once that is final', async () => {
  await clear()
  await confirm(wallet, '2')
  await is('Pending')
  await until('its nonce is known', async () => (await kept())[0].nonce !== undefined)
  const { from, nonce, ...slow } = await world.rpc('eth_getTransactionByHash', [await hashOf()])
  const fee = {
    maxFeePerGas: hex(BigInt(slow.maxFeePerGas ?? slow.gasPrice) * 4n),
    maxPriorityFeePerGas: hex(4n * 10n ** 9n),
  }
  await world.rpc('eth_sendTransaction', [{ from, to: from, value: '0x0', nonce, ...fee }])
  await mine()
  await is('Cancelled')
  await sees(card(), 'Cancelled: another transaction of yours took its place.')
  await isAccessible(wallet, 'tx-cancelled')
  await wallet.reload()
  await is('Cancelled')
  await world.rpc('anvil_mine', ['0x50'])
  await sees(card(), 'Cancelled for good')
  assert.equal(await paid(accounts[2]), (7n * ETHER) / 2n)
})

test('one that the network forgets is dropped after some blocks, and found if it comes back', async () => {
  await clear()
  await confirm(wallet, '1')
  await is('Pending')
  const hash = await hashOf()
  await until('its nonce is known', async () => (await kept())[0].nonce !== undefined)
  const raw = await world.rpc('eth_getRawTransactionByHash', [hash])
  await world.rpc('anvil_dropTransaction', [hash])
  await world.rpc('anvil_mine', ['0x18', '0xc'])
  await is('Dropped')
  await sees(card(), 'Not mined; it is safe to retry.')
  await isAccessible(wallet, 'tx-dropped')
  await wallet.reload()
  await is('Dropped')
  await world.rpc('eth_sendRawTransaction', [raw])
  await is('Pending')
  await mine()
  await is('Included')
  assert.equal(await paid(accounts[2]), (9n * ETHER) / 2n)
})

test('one that fails in its block says so, and settles once that is final', async () => {
  await clear()
  await confirm(wallet, '1')
  await is('Pending')
  // In the same block and before it, the owner pauses the sale.
  const fee = { maxFeePerGas: hex(10n ** 12n), maxPriorityFeePerGas: hex(10n ** 11n) }
  const pause = (paused) => saleAbi.encodeFunctionData('setPaused', [paused])
  await world.rpc('eth_sendTransaction', [{ from: accounts[1], to: sale, data: pause(true), ...fee }])
  await mine()
  await is('Failed')
  await sees(card(), 'It was in a block, but failed: nothing was moved but the fee.')
  await isAccessible(wallet, 'tx-failed')
  assert.equal(await paid(accounts[2]), (9n * ETHER) / 2n)
  await world.rpc('eth_sendTransaction', [{ from: accounts[1], to: sale, data: pause(false) }])
  await world.rpc('anvil_mine', ['0x50'])
  await sees(card(), 'It failed, and that is final')
  // Nothing is asked about it any more.
  await wallet.evaluate(() => (window.testWallet.asked = []))
  await confirm(wallet, '1')
  await is('Pending')
  await until('the node was asked', () =>
    wallet.evaluate(() => window.testWallet.asked.filter((one) => one === 'eth_getTransactionByHash').length > 2),
  )
  const receipts = await wallet.evaluate(() => window.testWallet.asked.filter((one) => /Receipt|ByHash/.test(one)))
  assert.equal(
    receipts.filter((one) => /Receipt/.test(one)).length,
    receipts.filter((one) => /ByHash/.test(one)).length,
  )
  await mine()
  await is('Included')
  assert.equal(await paid(accounts[2]), (11n * ETHER) / 2n)
})

test('a reorg takes one out of its block, it comes back in another one, and is final there', async () => {
  await clear()
  await confirm(wallet, '1')
  await is('Pending')
  const hash = await hashOf()
  const raw = await world.rpc('eth_getRawTransactionByHash', [hash])
  await mine()
  await is('Included')
  await until('its nonce is known', async () => (await kept())[0].nonce !== undefined)
  await world.rpc('anvil_reorg', [1, []])
  await is('Pending again')
  await sees(card(), 'The network reorganised; checking again.')
  await isAccessible(wallet, 'tx-reorged')
  await wallet.reload()
  await is('Pending again')
  await world.rpc('eth_sendRawTransaction', [raw])
  await mine()
  await is('Included')
  assert.equal((await kept())[0].hash, hash)
  assert.equal(await paid(accounts[2]), (13n * ETHER) / 2n)
  await world.rpc('anvil_mine', ['0x50'])
  await is('Final')
  await sees(card(), 'Final. The network will not take it back.')
})

test('without the wallet, the index of the service tells what it knows, with its finality', async () => {
  await clear()
  await confirm(wallet, '0.5')
  await is('Pending')
  await wallet.getByRole('banner').getByRole('button', { name: 'Your wallet' }).click()
  await wallet.getByRole('button', { name: 'Disconnect' }).click()
  await wallet.getByRole('dialog').getByRole('button', { name: 'Close' }).click()
  await wallet.reload()
  await sees(card(), 'Your wallet is not connected, so this is what the index of this service knows.')
  await isAccessible(wallet, 'tx-unconnected')
  await mine()
  await is('Included')
  await world.rpc('anvil_reorg', [1, []])
  await is('Pending again')
  // The wallet sends the same again.
  const { from, to, data, value } = (await kept())[0]
  await connect(wallet)
  await world.rpc('eth_sendTransaction', [{ from, to, data, value: hex(value) }])
  await mine()
  await is('Included')
  await world.rpc('anvil_mine', ['0x50'])
  await is('Final')
  assert.equal(await paid(accounts[2]), 7n * ETHER)
})

test('two tabs keep one list: what is sent or put away in one, the other has', async () => {
  const other = await context.newPage()
  await other.goto(contribute())
  await connect(other)
  await is('Final', other)
  await confirm(other, '0.5')
  await is('Pending')
  await confirm(wallet, '0.25')
  for (const at of [1, 0]) await is('Pending', other, at)
  await mine()
  for (const page of [wallet, other]) for (const at of [0, 1]) await is('Included', page, at)
  assert.equal(await paid(accounts[2]), (31n * ETHER) / 4n)
  await card(other, 2).getByRole('button', { name: 'Remove from this list' }).click()
  await until('it is gone in both', async () => (await wallet.locator('.transaction').count()) === 2)
  await wallet.reload()
  await is('Included')
  assert.equal(await wallet.locator('.transaction').count(), 2)
  await other.close()
})

test('where the browser keeps nothing, the page follows all the same and says what that means', async () => {
  await clear()
  await wallet.evaluate(() => {
    let size = 1 << 22
    while (size > 0) {
      try {
        localStorage.setItem(`full ${size}`, 'x'.repeat(size))
      } catch {
        // Then less.
      }
      size >>= 1
    }
  })
  await confirm(wallet, '0.25')
  await is('Pending')
  await sees(card(), 'This browser does not keep it for this page')
  await isAccessible(wallet, 'tx-unkept')
  await mine()
  await is('Included')
  assert.equal(await paid(accounts[2]), 8n * ETHER)
  await world.rpc('anvil_mine', ['0x50'])
  await is('Final')
  await wallet.evaluate(() =>
    Object.keys(localStorage).forEach((key) => key.startsWith('full') && localStorage.removeItem(key)),
  )
})

test('where the browser forbids the page to keep anything, it works all the same', async () => {
  await world.rpc('evm_setAutomine', [true])
  const opened = await watched(browser, world.api)
  await opened.context.addInitScript(() => {
    const forbidden = () => {
      throw new DOMException('Access is denied for this document.', 'SecurityError')
    }
    Object.defineProperty(window, 'localStorage', { get: forbidden })
  })
  await addWallet(opened.context, world, { account: accounts[7] })
  const page = await opened.context.newPage()
  await page.goto(contribute())
  await connect(page)
  await confirm(page, '0.75')
  await is('Included', page)
  await sees(card(page), 'This browser does not keep it for this page')
  assert.equal(await paid(accounts[7]), (3n * ETHER) / 4n)
  assert.deepEqual(opened.faults, [])
  await opened.context.close()
})

test('a Safe’s transaction waits for its owners, and is followed from their signatures to its block', async () => {
  await world.rpc('evm_setAutomine', [true])
  const owners = accounts.slice(3, 6)
  const { abi, address: safe } = await deploy(world, 'Safe', accounts[3], [owners, 2])
  await send(world, { from: accounts[3], to: safe, value: hex(20n * ETHER) })
  const NOBODY = `0x${'0'.repeat(40)}`
  const rest = [0, 0, 0, 0, NOBODY, NOBODY]
  /** As the Safe’s app does: in its queue, behind what waits there already. */
  let queued = []
  const propose = async ({ to, data, value }) => {
    const nonce = (await read(world, abi, safe, 'nonce'))[0] + BigInt(queued.length)
    const call = [to, BigInt(value), data ?? '0x', ...rest]
    const [hash] = await read(world, abi, safe, 'getTransactionHash', [...call, nonce])
    queued.push({ hash, call })
    return hash
  }
  const act = (from, name, values) =>
    // With gas enough: that of what may fail within is not estimated.
    send(world, { from, to: safe, data: abi.encodeFunctionData(name, values), gas: hex(1_000_000) })
  const approve = (owner, { hash }) => act(owner, 'approveHash', [hash])
  const execute = async ({ call }) => {
    queued.shift()
    return act(accounts[3], 'execTransaction', [...call, '0x'])
  }

  const opened = await watched(browser, world.api)
  await addWallet(opened.context, world, { account: safe, safe: propose })
  const page = await opened.context.newPage()
  await page.goto(contribute())
  await connect(page)
  await confirm(page, '3')
  await is('Waiting for signatures', page)
  await sees(card(page), '0 of 2 signatures on the chain.')
  assert.equal((await kept(page))[0].safe.hash, queued[0].hash)
  assert.equal((await kept(page))[0].hash, undefined)
  await approve(owners[0], queued[0])
  await sees(card(page), '1 of 2 signatures on the chain.')
  await isAccessible(page, 'tx-multisig')
  await page.reload()
  await is('Waiting for signatures', page)
  await approve(owners[1], queued[0])
  await sees(card(page), '2 of 2 signatures on the chain.')
  assert.equal(await paid(safe), 0n)
  const [executed] = queued
  const { transactionHash } = await execute(executed)
  await is('Included', page)
  assert.equal((await kept(page))[0].hash, transactionHash)
  assert.equal(await paid(safe), 3n * ETHER)
  // As the log says that the sale left in its execution.
  assert.equal((await kept(page))[0].taken, (3n * ETHER).toString())
  // Its block is taken back, with the execution and nothing else in it; it is executed again.
  const [{ safe: before }] = await kept(page)
  await world.rpc('anvil_reorg', [1, []])
  await is('Pending again', page)
  assert.equal(await paid(safe), 0n)
  assert.equal((await kept(page))[0].taken, undefined)
  const again = await act(accounts[3], 'execTransaction', [...executed.call, '0x'])
  await is('Included', page)
  assert.deepEqual(
    [(await kept(page))[0].hash, (await kept(page))[0].safe.nonce],
    [again.transactionHash, before.nonce],
  )
  assert.equal(await paid(safe), 3n * ETHER)
  assert.equal((await kept(page))[0].taken, (3n * ETHER).toString())

  // One that the owners put another one in the place of.
  await confirm(page, '4')
  await sees(card(page), '0 of 2 signatures on the chain.')
  const replaced = queued.pop()
  await propose({ to: safe, data: '0x', value: '0x0' })
  for (const owner of owners.slice(0, 2)) await approve(owner, queued[0])
  await execute(queued[0])
  await is('Cancelled', page)
  assert.equal(await paid(safe), 3n * ETHER)
  assert.notEqual(replaced.hash, transactionHash)

  // One that fails within the Safe, whose own transaction goes through.
  await confirm(page, '5')
  await sees(card(page), '0 of 2 signatures on the chain.')
  for (const owner of owners.slice(0, 2)) await approve(owner, queued[0])
  await send(world, { from: accounts[1], to: sale, data: saleAbi.encodeFunctionData('setPaused', [true]) })
  await execute(queued[0])
  await is('Failed', page)
  assert.equal(await paid(safe), 3n * ETHER)
  await send(world, { from: accounts[1], to: sale, data: saleAbi.encodeFunctionData('setPaused', [false]) })
  await world.rpc('anvil_mine', ['0x50'])
  await sees(card(page), 'It failed, and that is final')
  await sees(card(page, 1), 'Cancelled for good')
  await is('Final', page, 2)
  assert.deepEqual(opened.faults, [])
  await opened.context.close()
})

test('nothing broke the page’s policy, and nobody else was asked for anything', () => {
  assert.deepEqual(faults, [])
})
