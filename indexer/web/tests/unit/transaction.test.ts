import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Ask, type Event, isOver, observe, PATIENCE, step, type Transaction } from '../../src/lib/transaction.ts'

const FROM = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
const TO = '0xDCa029a3fC8AdB9cC52c1310c1bff0b103C0E906'

const asked: Transaction = {
  id: '1',
  kind: 'contribute',
  chain: 1,
  sale: TO,
  saleName: 'Aurora',
  from: FROM,
  to: TO,
  data: '0xab',
  value: '5',
  state: 'awaiting_wallet',
}
const run = (events: Event[], from = asked) => events.reduce(step, from)
const sent: Event = { type: 'sent', hash: '0xa', head: 100 }
const inBlock = (hash: string, number = 101): Event => ({ type: 'in_block', block: { number, hash }, succeeded: true })

test('the straight way: asked, sent, in a block, final', () => {
  const states = [
    sent,
    { type: 'waiting', nonce: 3, head: 100 },
    inBlock('0xb1'),
    { type: 'finalized', number: 100 },
    { type: 'finalized', number: 101 },
  ] as Event[]
  const seen: string[] = []
  states.reduce((t, event) => {
    const next = step(t, event)
    seen.push(next.state)
    return next
  }, asked)
  assert.deepEqual(seen, ['pending', 'pending', 'included', 'included', 'final'])
})

test('what the wallet says no to is over, and was not sent', () => {
  assert.equal(run([{ type: 'declined' }]).state, 'rejected')
  assert.deepEqual(
    [run([{ type: 'refused', message: 'x' }])].map((t) => [t.state, t.message]),
    [['refused', 'x']],
  )
  assert.equal(run([{ type: 'reloaded' }]).state, 'interrupted')
  // Once it is sent, none of these can be.
  for (const event of [{ type: 'declined' }, { type: 'refused', message: 'x' }, { type: 'reloaded' }] as Event[]) {
    assert.equal(run([sent, event]).state, 'pending')
  }
  assert.equal(run([{ type: 'declined' }, sent]).state, 'rejected')
})

test('one that fails in a block is never called final', () => {
  const failed: Event = { type: 'in_block', block: { number: 101, hash: '0xb1' }, succeeded: false }
  assert.equal(run([sent, failed]).state, 'reverted')
  assert.equal(run([sent, failed, { type: 'finalized', number: 200 }]).state, 'reverted')
})

test('a reorg is said, and followed to wherever the transaction comes back', () => {
  const gone = run([sent, inBlock('0xb1'), { type: 'waiting', nonce: 3, head: 101 }])
  assert.equal(gone.state, 'reorged')
  assert.equal(gone.block, undefined)
  assert.equal(run([inBlock('0xb2', 102)], gone).state, 'included')
  // Moved between two looks.
  const moved = run([sent, inBlock('0xb1'), inBlock('0xc1')])
  assert.equal(moved.state, 'reorged')
  assert.equal(run([{ type: 'finalized', number: 500 }], moved).state, 'reorged')
  assert.equal(run([inBlock('0xc1')], moved).state, 'included')
  // And forgotten altogether.
  const lost = run([sent, inBlock('0xb1'), { type: 'unknown', head: 102, spent: false }])
  assert.equal(lost.state, 'reorged')
  assert.equal(run([{ type: 'unknown', head: 103, spent: false }], lost).state, 'reorged')
})

test('one that nobody knows is dropped after some blocks, and found again if it comes', () => {
  const unknown = (head: number): Event => ({ type: 'unknown', head, spent: false })
  assert.equal(run([sent, unknown(100 + PATIENCE)]).state, 'pending')
  const dropped = run([sent, unknown(100 + PATIENCE + 1)])
  assert.equal(dropped.state, 'dropped')
  assert.ok(!isOver(dropped.state))
  assert.equal(run([inBlock('0xb1', 130)], dropped).state, 'included')
})

test('one whose place was taken is sped up if the other does the same, else cancelled', () => {
  const fast = run([sent, { type: 'replaced', hash: '0xf', same: true }])
  assert.deepEqual([fast.state, fast.hash, fast.spedUp], ['pending', '0xf', true])
  assert.equal(run([sent, { type: 'replaced', hash: '0xf', same: false }]).state, 'cancelled')
  assert.equal(run([sent, { type: 'unknown', head: 101, spent: true }]).state, 'cancelled')
})

/** A node that answers from a table. */
const node =
  (table: Record<string, unknown>): Ask =>
  (method, params) => {
    const key = [method, ...params.filter((p) => typeof p === 'string')].join(' ')
    if (!(key in table)) return Promise.reject(new Error(`not expected: ${key}`))
    return Promise.resolve(table[key])
  }
const pending = { ...run([sent]), nonce: 3 }

test('a node is asked for no more than is needed', async () => {
  const receipt = { blockNumber: '0x65', blockHash: '0xb1', status: '0x1' }
  const included: Record<string, unknown> = {
    'eth_getTransactionReceipt 0xa': receipt,
    'eth_getBlockByNumber finalized': { number: '0x64', hash: '0x0' },
  }
  assert.deepEqual(await observe(pending, node(included)), [inBlock('0xb1')])
  // Final is what stands in the chain at a height that is final.
  included['eth_getBlockByNumber finalized'] = { number: '0x65', hash: '0xb1' }
  included['eth_getBlockByNumber 0x65'] = { number: '0x65', hash: '0xb1' }
  assert.deepEqual(await observe(pending, node(included)), [inBlock('0xb1'), { type: 'finalized', number: 101 }])
  included['eth_getBlockByNumber 0x65'] = { number: '0x65', hash: '0xc1' }
  assert.deepEqual(await observe(pending, node(included)), [inBlock('0xb1')])
  assert.deepEqual(await observe({ ...pending, state: 'final' }, node({})), [])
})

test('what took the place of a transaction is looked for among the blocks since', async () => {
  const other = {
    hash: '0xf',
    from: FROM.toLowerCase(),
    to: TO.toLowerCase(),
    input: '0xAB',
    value: '0x5',
    nonce: '0x3',
  }
  const table = (found: object): Record<string, unknown> => ({
    'eth_getTransactionReceipt 0xa': null,
    eth_blockNumber: '0x66',
    'eth_getTransactionByHash 0xa': null,
    [`eth_getTransactionCount ${FROM} latest`]: '0x4',
    'eth_getBlockByNumber 0x66': { number: '0x66', hash: '0x1', transactions: [{ ...other, nonce: '0x2' }] },
    'eth_getBlockByNumber 0x65': { number: '0x65', hash: '0x2', transactions: [found] },
    'eth_getBlockByNumber 0x64': { number: '0x64', hash: '0x3', transactions: [] },
    'eth_getBlockByNumber 0x63': { number: '0x63', hash: '0x4', transactions: [] },
  })
  assert.deepEqual(await observe(pending, node(table(other))), [{ type: 'replaced', hash: '0xf', same: true }])
  assert.deepEqual(await observe(pending, node(table({ ...other, value: '0x0' }))), [
    { type: 'replaced', hash: '0xf', same: false },
  ])
  assert.deepEqual(await observe(pending, node(table({ ...other, from: TO }))), [
    { type: 'unknown', head: 102, spent: true },
  ])
  assert.deepEqual(
    await observe(pending, node({ ...table(other), [`eth_getTransactionCount ${FROM} latest`]: '0x3' })),
    [{ type: 'unknown', head: 102, spent: false }],
  )
})
