import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findAtomic, observeBatch, sendCalls } from '../../src/lib/batch.ts'
import { appLinks } from '../../src/lib/deeplinks.ts'
import type { Ask } from '../../src/lib/observe.ts'
import type { Transaction } from '../../src/lib/transaction.ts'

const wallet =
  (answer: unknown): Ask =>
  (method) =>
    answer instanceof Error
      ? Promise.reject(answer)
      : Promise.resolve(method === 'eth_blockNumber' ? '0x66' : method.startsWith('eth_') ? null : answer)

test('a wallet takes batches where it says so of the chain', async () => {
  const can = (answer: unknown) => findAtomic(wallet(answer), '0xa', 31337)
  assert.equal(await can({ '0x7a69': { atomic: { status: 'supported' } } }), 'supported')
  assert.equal(await can({ '0x7A69': { atomic: { status: 'ready' } } }), 'ready')
  assert.equal(await can({ '0x0': { atomic: { status: 'supported' } } }), 'supported')
  for (const none of [
    {},
    null,
    'x',
    { '0x1': { atomic: { status: 'supported' } } },
    { '0x7a69': { atomic: { status: 'unsupported' } } },
    { '0x7a69': { atomic: true } },
    { '0x7a69': null },
    new Error('no such method'),
  ])
    assert.equal(await can(none), 'unsupported')
})

test('a batch is asked for as a whole, and known by its id', async () => {
  const calls = [
    { to: '0x1', data: '0xaa', value: 0n },
    { to: '0x2', data: '0xbb', value: 10n ** 18n },
  ]
  let params: unknown
  const ask: Ask = (_, given) => {
    params = given
    return Promise.resolve({ id: '0x1d' })
  }
  assert.equal(await sendCalls(ask, '0xf', 31337, calls), '0x1d')
  assert.deepEqual(params, [
    {
      version: '2.0.0',
      from: '0xf',
      chainId: '0x7a69',
      atomicRequired: true,
      calls: [
        { to: '0x1', data: '0xaa', value: '0x0' },
        { to: '0x2', data: '0xbb', value: '0xde0b6b3a7640000' },
      ],
    },
  ])
  // It has taken them all the same: that is no failure.
  assert.equal(await sendCalls(() => Promise.resolve({}), '0xf', 1, calls), undefined)
  await assert.rejects(sendCalls(() => Promise.reject(new Error('no')), '0xf', 1, calls))
})

test('each status of a batch is what it means', async () => {
  const t = { id: '1', batch: '0x1d', state: 'pending' } as Transaction
  const seen = (answer: unknown, of = t) => observeBatch(of, '0x1d', wallet(answer))
  assert.deepEqual(await seen({ status: 100 }), [])
  const receipts = [{ transactionHash: '0xa' }]
  assert.deepEqual(await seen({ status: 200, receipts }), [{ type: 'executed', hash: '0xa' }])
  assert.deepEqual(await seen({ status: 400 }), [{ type: 'batch_failed', how: 'not_sent' }])
  assert.deepEqual(await seen({ status: 500 }), [{ type: 'batch_failed', how: 'reverted' }])
  // Others can be in the same transaction, so its hash does not say that the batch went through.
  assert.deepEqual(await seen({ status: 500, receipts }), [{ type: 'batch_failed', how: 'reverted' }])
  const [good, bad] = ['0x1', '0x0'].map((status) => ({ transactionHash: '0xa', status }))
  assert.deepEqual(await seen({ status: 200, receipts: [good] }), [{ type: 'executed', hash: '0xa' }])
  assert.deepEqual(await seen({ status: 200, receipts: [bad] }), [{ type: 'batch_failed', how: 'reverted' }])
  assert.deepEqual(await seen({ status: 200, receipts: [bad, good] }), [{ type: 'batch_failed', how: 'partly' }])
  assert.deepEqual(await seen({ status: 600, receipts }), [{ type: 'batch_failed', how: 'partly' }])
  // Its block is gone.
  const was = { ...t, hash: '0xa', block: { number: 101, hash: '0xb1' } }
  assert.deepEqual(await seen({ status: 100 }, was), [{ type: 'unknown', head: 102, spent: false }])
})

test('a link into the app of a wallet leads to this very screen', () => {
  const links = new Map(appLinks('https://sale.example/x/#/sales/1/0xab').map(({ name, href }) => [name, href]))
  assert.equal(links.get('MetaMask'), 'https://link.metamask.io/dapp/sale.example/x/#/sales/1/0xab')
  const encoded = 'https%3A%2F%2Fsale.example%2Fx%2F%23%2Fsales%2F1%2F0xab'
  assert.equal(links.get('Coinbase Wallet'), `https://go.cb-w.com/dapp?cb_url=${encoded}`)
  assert.equal(links.get('Trust Wallet'), `https://link.trustwallet.com/open_url?coin_id=60&url=${encoded}`)
  assert.equal(links.get('imToken'), `imtokenv2://navigate/DappView?url=${encoded}`)
  const okx = new URL(links.get('OKX Wallet') ?? '').searchParams.get('deeplink')
  assert.equal(okx, `okx://wallet/dapp/url?dappUrl=${encoded}`)
})
