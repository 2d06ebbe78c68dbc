import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Ask, observe } from '../../src/lib/observe.ts'
import { type Event, isOver, PATIENCE, SEARCH, step, type Transaction } from '../../src/lib/transaction.ts'

const FROM = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
const TO = '0xDCa029a3fC8AdB9cC52c1310c1bff0b103C0E906'

const asked: Transaction = {
  id: '1',
  rev: 0,
  asked: 0,
  page: 'this',
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

const failed: Event = { type: 'in_block', block: { number: 101, hash: '0xb1' }, succeeded: false }

test('one that fails in a block is never called final, and is settled once its block is', () => {
  const reverted = run([sent, failed])
  assert.deepEqual([reverted.state, isOver(reverted)], ['reverted', false])
  assert.equal(isOver(run([{ type: 'finalized', number: 100 }], reverted)), false)
  const settled = run([{ type: 'finalized', number: 101 }], reverted)
  assert.deepEqual([settled.state, isOver(settled)], ['reverted', true])
  // Until then, a reorg can let it go through.
  assert.equal(run([inBlock('0xb2', 102), inBlock('0xb2', 102)], reverted).state, 'included')
})

test('one whose place was taken can come back until that is final', () => {
  const cancelled = run([sent, { type: 'replaced', hash: '0xf', same: false }])
  assert.deepEqual([cancelled.state, isOver(cancelled)], ['cancelled', false])
  assert.equal(run([inBlock('0xb1')], cancelled).state, 'included')
  assert.equal(run([{ type: 'unknown', head: 500, spent: false }], cancelled).state, 'cancelled')
  assert.equal(isOver(run([{ type: 'settled' }], cancelled)), true)
  assert.equal(isOver(run([sent, { type: 'settled' }])), false)
})

test('what a page asked that is gone is looked for, and what the wallet says counts', () => {
  const asking: Event = { type: 'asking', head: 100, nonce: 7 }
  const gone = run([asking, { type: 'reloaded' }])
  assert.deepEqual([gone.state, gone.nonce, gone.seenAt, gone.page], ['interrupted', 7, 100, undefined])
  assert.equal(run([{ type: 'searched', head: 100 + SEARCH.blocks }], gone).settled, undefined)
  assert.equal(isOver(run([{ type: 'searched', head: 101 + SEARCH.blocks }], gone)), true)
  const found = run([sent], gone)
  assert.deepEqual([found.state, found.hash, found.nonce], ['pending', '0xa', undefined])
  assert.equal(run([{ type: 'declined' }], gone).state, 'rejected')
})

test('one of which the wallet does not say whether it was sent is looked for, and never said not to be before', () => {
  const asking: Event = { type: 'asking', head: 100, nonce: 7 }
  const unsure = run([asking, { type: 'unsure', message: 'internal error', isFindable: true }])
  assert.deepEqual([unsure.state, unsure.isUnsure, unsure.nonce, unsure.seenAt], ['interrupted', true, 7, 100])
  assert.deepEqual([unsure.message, unsure.page, isOver(unsure)], ['internal error', undefined, false])
  // However long the wallet has asked, blocks count from its answer on: it can have sent right before.
  const looked = run([{ type: 'searched', head: 500 }], unsure)
  assert.deepEqual([looked.lookedFrom, looked.seenAt, isOver(looked)], [500, 100, false])
  assert.equal(isOver(run([{ type: 'searched', head: 500 + PATIENCE.blocks }], looked)), false)
  assert.equal(isOver(run([{ type: 'searched', head: 501 + PATIENCE.blocks }], looked)), true)
  // Longer where the node does not tell what waits, and where the wallet may still ask.
  const open = run([asking, { type: 'unsure', message: 'x', isFindable: true, mayAsk: true }])
  for (const [from, isBlind] of [
    [unsure, { isBlind: true }],
    [open, {}],
  ] as const) {
    const at = (head: number): Event => ({ type: 'searched', head, ...isBlind })
    assert.equal(isOver(run([at(500), at(501 + PATIENCE.blocks), at(500 + SEARCH.blocks)], from)), false)
    assert.equal(isOver(run([at(500), at(501 + SEARCH.blocks)], from)), true)
  }
  const { lookedFrom, mayAsk } = run([{ type: 'searched', head: 500 }, sent], open)
  assert.deepEqual([lookedFrom, mayAsk], [undefined, undefined])
  // What can never be seen is not looked for, and not said to be unsent.
  const hidden = run([{ type: 'unsearchable' }, { type: 'searched', head: 900 }], unsure)
  assert.deepEqual([hidden.state, hidden.nonce, isOver(hidden)], ['interrupted', undefined, false])
  assert.equal(run([sent, { type: 'waiting', nonce: 7, head: 100 }, { type: 'unsearchable' }], unsure).nonce, 7)
  const found = run([sent, inBlock('0xb1'), { type: 'finalized', number: 101 }], unsure)
  assert.deepEqual([found.state, found.hash, found.isUnsure, found.message], ['final', '0xa', undefined, undefined])
  // Where another tab has taken it for interrupted meanwhile, the same.
  assert.equal(run([{ type: 'reloaded' }, { type: 'unsure', message: 'x', isFindable: true }]).isUnsure, true)
  // Of a contract's account, nonces say nothing: it is not looked for by them.
  assert.equal(run([asking, { type: 'unsure', message: 'x', isFindable: false }]).nonce, undefined)
  // What is known to be sent stays so.
  assert.equal(run([sent, { type: 'unsure', message: 'x', isFindable: true }]).state, 'pending')
})

const safe = { hash: '0x5afe', threshold: 2, given: 0, nonce: 4, from: 100 }

test('a Safe gathers signatures, sends it, and is followed over a reorg', () => {
  const waits = run([{ type: 'proposed', safe }])
  assert.deepEqual([waits.state, waits.hash], ['multisig', undefined])
  const signed = run([{ type: 'signatures', given: 1, threshold: 3, from: 120 }], waits)
  assert.deepEqual([signed.state, signed.safe], ['multisig', { ...safe, given: 1, threshold: 3, from: 120 }])
  const executed = run([{ type: 'executed', hash: '0xe' }], signed)
  assert.deepEqual([executed.state, executed.hash], ['pending', '0xe'])
  const reorged = run([inBlock('0xb1', 120), { type: 'unknown', head: 121, spent: false }], executed)
  assert.equal(reorged.state, 'reorged')
  assert.equal(run([{ type: 'signatures', given: 1, threshold: 3, from: 120 }], reorged).state, 'reorged')
  const again = run([{ type: 'executed', hash: '0xe2' }, inBlock('0xb2', 122)], reorged)
  assert.deepEqual([again.state, again.hash], ['included', '0xe2'])
  // It can be stopped by another one in its place, for as long as that is not final.
  const outrun = run([{ type: 'outrun' }], signed)
  assert.deepEqual([outrun.state, isOver(outrun)], ['cancelled', false])
})

test('a hash of a wallet’s own is never taken for dropped', () => {
  const opaque = run([{ type: 'sent', hash: '0x0f', head: 100, isOpaque: true }])
  const later = run([{ type: 'unknown', head: 1_000, spent: false }], opaque)
  assert.deepEqual([later.state, later.isOpaque], ['pending', true])
  const known = run([{ type: 'executed', hash: '0xa' }], later)
  assert.deepEqual([known.hash, known.isOpaque], ['0xa', undefined])
  assert.equal(run([{ type: 'unknown', head: 1_000, spent: false }], known).state, 'dropped')
})

test('a batch is what the wallet says of it', () => {
  // Taken, and without an id: on its way all the same, and not to be followed.
  const idless = run([{ type: 'batched', id: undefined, head: 100 }])
  assert.deepEqual([idless.state, idless.batch, idless.isOpaque], ['pending', undefined, true])
  const batched = run([{ type: 'batched', id: '0x1d', head: 100 }])
  assert.deepEqual([batched.state, batched.batch, batched.hash], ['pending', '0x1d', undefined])
  const states = (['not_sent', 'reverted', 'partly'] as const).map((how) =>
    run([{ type: 'batch_failed', how }], batched),
  )
  assert.deepEqual(
    states.map((t) => [t.state, isOver(t)]),
    [
      ['refused', true],
      ['reverted', true],
      ['partial', true],
    ],
  )
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
  assert.equal(run([sent, unknown(100 + PATIENCE.blocks)]).state, 'pending')
  const dropped = run([sent, unknown(100 + PATIENCE.blocks + 1)])
  assert.equal(dropped.state, 'dropped')
  assert.ok(!isOver(dropped))
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

test('a hash of a wallet’s own gives way to that of the transaction', async () => {
  const table = {
    'eth_getTransactionReceipt 0xa': { transactionHash: '0xB', blockNumber: '0x65', blockHash: '0xb1', status: '0x0' },
    'eth_getBlockByNumber finalized': null,
  }
  assert.deepEqual(await observe(pending, node(table)), [{ type: 'executed', hash: '0xB' }, failed])
})

test('the nonce of one that is in a block already is asked for once', async () => {
  const table = {
    'eth_getTransactionReceipt 0xa': { transactionHash: '0xa', blockNumber: '0x65', blockHash: '0xb1', status: '0x1' },
    'eth_getTransactionByHash 0xa': { from: FROM.toLowerCase(), nonce: '0x9' },
    'eth_getBlockByNumber finalized': null,
  }
  assert.deepEqual(await observe(run([sent]), node(table)), [{ ...inBlock('0xb1'), nonce: 9 }])
  // Of what another account sends for this one, the nonce is that one's.
  const other = { ...table, 'eth_getTransactionByHash 0xa': { from: TO, nonce: '0x9' } }
  assert.deepEqual(await observe(run([sent]), node(other)), [inBlock('0xb1')])
  const waits = { eth_blockNumber: '0x66', ...other, 'eth_getTransactionReceipt 0xa': null }
  assert.equal(run(await observe(run([sent]), node(waits)), run([sent])).nonce, undefined)
})

test('a cancelled one is settled by the nonce of the final block alone', async () => {
  const cancelled = { ...pending, state: 'cancelled' as const }
  const table = (count: string) => ({
    'eth_getTransactionReceipt 0xa': null,
    eth_blockNumber: '0x66',
    'eth_getTransactionByHash 0xa': null,
    [`eth_getTransactionCount ${FROM} finalized`]: count,
  })
  assert.deepEqual(await observe(cancelled, node(table('0x3'))), [])
  assert.deepEqual(await observe(cancelled, node(table('0x4'))), [{ type: 'settled' }])
})

test('many blocks count for nothing on a chain on which they are a moment', async () => {
  const at = (head: number, seconds: number | undefined) => ({
    'eth_getTransactionReceipt 0xa': null,
    'eth_getTransactionByHash 0xa': null,
    [`eth_getTransactionCount ${FROM} latest`]: '0x3',
    [`eth_getTransactionCount ${FROM} pending`]: '0x3',
    eth_blockNumber: `0x${head.toString(16)}`,
    'eth_getBlockByNumber 0x64': { number: '0x64', timestamp: '0x3e8' },
    [`eth_getBlockByNumber 0x${head.toString(16)}`]:
      seconds === undefined
        ? null
        : { number: `0x${head.toString(16)}`, timestamp: `0x${(1_000 + seconds).toString(16)}` },
  })
  const seen = async (from: Transaction, head: number, seconds: number | undefined) =>
    run(await observe(from, node(at(head, seconds))), from)
  const late = 100 + PATIENCE.blocks * 4
  assert.equal((await seen(pending, late, PATIENCE.seconds - 1)).state, 'pending')
  assert.equal((await seen(pending, late, PATIENCE.seconds)).state, 'dropped')
  // Seconds alone are not enough either. A node that keeps no old blocks is believed by their number.
  assert.equal((await seen(pending, 100 + PATIENCE.blocks, 9_999)).state, 'pending')
  // And one that has not got the block that it calls its head tells nothing.
  assert.equal((await seen(pending, late, undefined)).state, 'pending')
  const bare = { ...at(late, PATIENCE.seconds), 'eth_getBlockByNumber 0x64': null }
  assert.equal(run(await observe(pending, node(bare)), pending).state, 'dropped')
  const unsure = run([
    { type: 'asking', head: 90, nonce: 3 },
    { type: 'unsure', message: 'x', isFindable: true },
    { type: 'searched', head: 100 },
  ])
  assert.equal(isOver(await seen(unsure, late, PATIENCE.seconds - 1)), false)
  assert.equal(isOver(await seen(unsure, late, PATIENCE.seconds)), true)
})

/** Blocks up to 0x66, of which some have transactions, and the nonces that the account has used up to each. */
function chain(blocks: Record<string, object[]>, counts: Record<string, string>): Record<string, unknown> {
  const table: Record<string, unknown> = { eth_blockNumber: '0x66' }
  for (let height = 0x24; height <= 0x66; height++) {
    const number = `0x${height.toString(16)}`
    table[`eth_getBlockByNumber ${number}`] = { number, hash: '0x0', transactions: blocks[number] ?? [] }
    table[`eth_getTransactionCount ${FROM} ${number}`] = counts[number] ?? (height < 0x65 ? '0x3' : '0x4')
  }
  return { ...table, [`eth_getTransactionCount ${FROM} latest`]: counts['latest'] ?? '0x4' }
}
/** A node that does not keep the state of old blocks. */
const forgetful = (table: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(table).filter(([key]) => !/^eth_getTransactionCount .* 0x/.test(key)))

test('what the wallet sent for a page that is gone is found by its nonce and what it does', async () => {
  const gone = run([{ type: 'asking', head: 100, nonce: 3 }, { type: 'reloaded' }])
  const one = { hash: '0xf', from: FROM, to: TO, input: '0xab', value: '0x5', nonce: '0x3' }
  const seen = async (found: object, counts = {}, from = gone) =>
    observe(from, node(chain({ '0x65': [found] }, counts)))
  // This node does not tell what waits for a block.
  assert.deepEqual(await seen(one, { latest: '0x3' }), [{ type: 'searched', head: 102, isBlind: true }])
  const events = await seen(one)
  assert.deepEqual(events[0], { type: 'sent', hash: '0xf', head: 100 })
  assert.deepEqual([run(events, gone).state, run(events, gone).hash], ['pending', '0xf'])
  // Something else of the same account: then it was not sent.
  assert.equal(isOver(run(await seen({ ...one, value: '0x6' }), gone)), true)
  // Too many to look at, or a node that cannot tell: that it was not sent is never said.
  const other = (nonce: string) => ({ ...one, value: '0x6', nonce })
  const many = chain({ '0x65': [other('0x3')], '0x66': [other('0x4'), other('0x5')] }, { latest: '0x9' })
  assert.deepEqual(await observe(gone, node(many)), [{ type: 'unsearchable' }])
  // The chain moved while it was looked at: it is looked at again.
  assert.deepEqual(await seen(other('0x3'), { latest: '0x9' }), [])
  const { nonce: _, ...account } = gone
  assert.deepEqual(await seen(one, {}, account), [])
  const long = { ...gone, seenAt: 0 }
  const far = { ...forgetful(chain({ '0x65': [one] }, {})), eth_blockNumber: '0xff' }
  assert.deepEqual(await observe(long, node(far)), [{ type: 'unsearchable' }])
})

test('what waits for a block is found where the node shows it, and as long as something waits nothing is said', async () => {
  const unsure = run([
    { type: 'asking', head: 100, nonce: 3 },
    { type: 'unsure', message: 'x', isFindable: true },
  ])
  const one = { hash: '0xf', from: FROM, to: TO, input: '0xab', value: '0x5', nonce: '0x3' }
  const table = (waiting: object[] | undefined, count: string, counts = {}) => ({
    ...chain({ '0x65': [{ ...one, value: '0x6' }] }, counts),
    [`eth_getTransactionCount ${FROM} pending`]: count,
    ...(waiting ? { 'eth_getBlockByNumber pending': { number: '0x67', hash: '0x0', transactions: waiting } } : {}),
  })
  const seen = (waiting: object[] | undefined, count: string, counts = {}) =>
    observe(unsure, node(table(waiting, count, counts)))
  const found: Event[] = [{ type: 'sent', hash: '0xf', head: 100 }]
  const unused = { latest: '0x3' }
  assert.deepEqual(await seen([one], '0x4', unused), found)
  // Behind another one of the account, whether that waits or is in a block.
  assert.deepEqual(
    await seen(
      [
        { ...one, value: '0x6' },
        { ...one, nonce: '0x4' },
      ],
      '0x5',
      unused,
    ),
    found,
  )
  assert.deepEqual(await seen([{ ...one, nonce: '0x4' }], '0x5'), found)
  assert.deepEqual(await seen([{ ...one, value: '0x6' }], '0x4', unused), [])
  assert.deepEqual(await seen(undefined, '0x4', unused), [])
  // Nothing waits: the blocks since have it not, and more of them may.
  assert.deepEqual(await seen(undefined, '0x3', unused), [{ type: 'searched', head: 102 }])
  assert.deepEqual(await seen(undefined, '0x4'), [{ type: 'searched', head: 102 }])
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
  const lost = { 'eth_getTransactionReceipt 0xa': null, 'eth_getTransactionByHash 0xa': null }
  const table = (found: object, counts = {}) => ({ ...lost, ...chain({ '0x65': [found] }, counts) })
  const replaced = (same: boolean) => [{ type: 'replaced', hash: '0xf', same }]
  for (const kind of [(all: Record<string, unknown>) => all, forgetful]) {
    assert.deepEqual(await observe(pending, node(kind(table(other)))), replaced(true))
    assert.deepEqual(await observe(pending, node(kind(table({ ...other, value: '0x0' })))), replaced(false))
    // The chain moved while it was looked for: it is looked for again.
    assert.deepEqual(await observe(pending, node(kind(table({ ...other, from: TO })))), [])
    assert.deepEqual(await observe(pending, node(kind(table(other, { latest: '0x3' })))), [
      { type: 'unknown', head: 102, spent: false },
    ])
  }
  // Long ago, with a node that does not keep what was: it is gone, and nobody can say for what.
  const far = { ...forgetful(table(other)), eth_blockNumber: '0x166' }
  const events = await observe(pending, node(far))
  assert.deepEqual(events, [{ type: 'unknown', head: 358, spent: true }])
  assert.deepEqual([run(events, pending).state, run(events, pending).unfound], ['cancelled', true])
})
