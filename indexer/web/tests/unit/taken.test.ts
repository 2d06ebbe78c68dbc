import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Interface } from 'ethers'
import { observeBatch } from '../../src/lib/batch.ts'
import { type Ask, type Log, observe } from '../../src/lib/observe.ts'
import { type Gate, isLetIn } from '../../src/lib/quote.ts'
import { shortfall, shown, takenBy } from '../../src/lib/taken.ts'
import { type Event, STATES, step, type Transaction } from '../../src/lib/transaction.ts'

test('what falls short is the money first, and then what it buys', () => {
  const said = { accepted: 5n, tokens: 5_500n }
  assert.equal(shortfall(said, { accepted: 5n, tokens: 5_500n }), undefined)
  assert.equal(shortfall(said, { accepted: 5n, tokens: 5_501n }), undefined)
  assert.equal(shortfall(said, { accepted: 4n, tokens: 4_400n }), 'accepted')
  assert.equal(shortfall(said, { accepted: 5n, tokens: 5_499n }), 'tokens')
})

test('tokens that follow from the outcome alone are not compared', () => {
  // The contract answers zero of them there.
  assert.equal(shortfall({ accepted: 5n, tokens: undefined }, { accepted: 5n, tokens: 0n }), undefined)
  assert.equal(shortfall({ accepted: 5n, tokens: undefined }, { accepted: 4n, tokens: 0n }), 'accepted')
})

test('one thing goes with a contribution: it opens another phase where that asks for the very same', () => {
  const phases = [
    { gate: 'voucher' },
    { gate: 'open' },
    { gate: 'voucher' },
    { gate: 'merkle', root: '0xa' },
    { gate: 'merkle', root: '0xa' },
    { gate: 'merkle', root: '0xb' },
  ] as { gate: Gate; root?: string }[]
  const opens = (active: number, held: { vouched?: number[]; isListed: boolean }) =>
    phases.map((_, index) => isLetIn(phases, phases[active], held, index))
  const [no, yes] = [false, true]
  assert.deepEqual(opens(0, { vouched: [0, 2], isListed: false }), [yes, yes, yes, no, no, no])
  assert.deepEqual(opens(0, { vouched: [0], isListed: false }), [yes, yes, no, no, no, no])
  assert.deepEqual(opens(3, { isListed: true }), [no, yes, no, yes, yes, no])
  assert.deepEqual(opens(3, { isListed: false }), [no, yes, no, no, no, no])
  // Of an open phase nothing is asked for, so nothing is there.
  assert.deepEqual(opens(1, { vouched: [0, 2], isListed: true }), [no, yes, no, no, no, no])
  assert.equal(isLetIn(phases, null, { isListed: true }, 6), false)
})

const SALE = '0xDCa029a3fC8AdB9cC52c1310c1bff0b103C0E906'
const ME = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
const OTHER = '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512'
const ETHER = 10n ** 18n
const abi = new Interface([
  'event Contributed(address indexed investor, address indexed payer, uint256 phase, uint256 amount, uint256 tokens, uint256 paid, uint256 raised, uint256 sold)',
  'event ExcessReturned(address indexed payer, uint256 amount)',
])

/** As the chain writes it: addresses in small letters. */
function log(amount: bigint, { address = SALE, payer = ME } = {}): Log {
  const { topics, data } = abi.encodeEventLog('Contributed', [ME, payer, 1n, amount, 7n, 8n, 9n, 10n])
  return { address: address.toLowerCase(), topics, data, transactionHash: '0xa' }
}
const excess = (amount: bigint): Log => ({
  ...abi.encodeEventLog('ExcessReturned', [ME, amount]),
  address: SALE.toLowerCase(),
  transactionHash: '0xa',
})

const t: Transaction = {
  ...{ id: '1', rev: 0, asked: 0, kind: 'contribute', chain: 1, sale: SALE, saleName: 'Aurora', from: ME, to: SALE },
  ...{ data: '0xab', value: (4n * ETHER).toString(), state: 'pending', hash: '0xa', nonce: 3, seenAt: 100 },
  ...{ amount: { raw: (4n * ETHER).toString(), decimals: 18, symbol: 'ETH' }, foreseen: ETHER.toString() },
}

test('what was taken is the sum of the parts that this sale took of this account, to the unit', () => {
  const logs = [
    log(ETHER + 1n),
    log(2n),
    log(2n * ETHER, { address: OTHER }),
    log(5n * ETHER, { payer: OTHER }),
    excess(3n * ETHER),
  ]
  assert.equal(takenBy(logs, t), ETHER + 3n)
  assert.equal(takenBy([excess(4n * ETHER)], t), 0n)
  assert.equal(takenBy([log(2n ** 120n - 1n)], t), 2n ** 120n - 1n)
})

/** A node that has it in a block with these logs. */
const node =
  (block: string, logs: Log[] | undefined, status = '0x1'): Ask =>
  (method) =>
    Promise.resolve(
      method === 'eth_getTransactionReceipt'
        ? { transactionHash: '0xa', blockNumber: '0x65', blockHash: block, status, ...(logs ? { logs } : {}) }
        : null,
    )
const seen = async (from: Transaction, ask: Ask) => (await observe(from, ask)).reduce(step, from)

test('it follows the receipt: in a block, in another one, in none', async () => {
  const once = await seen(t, node('0xb1', [log(ETHER)]))
  assert.deepEqual([once.state, once.taken], ['included', ETHER.toString()])
  // Another block took more of it, as others were not faster there.
  const moved = await seen(once, node('0xb2', [log(ETHER), log(2n)]))
  assert.deepEqual([moved.state, moved.taken], ['reorged', (ETHER + 2n).toString()])
  const waits = step(once, { type: 'waiting', nonce: 3, head: 102 })
  assert.deepEqual([waits.state, waits.taken, waits.foreseen], ['reorged', undefined, ETHER.toString()])
  const sped: Event = { type: 'replaced', hash: '0xc', same: true }
  assert.deepEqual([step(once, sped).taken, step(once, sped).foreseen], [undefined, ETHER.toString()])
  // What is not told is what was known of this block, and nothing of another one.
  assert.equal((await seen(once, node('0xb1', undefined))).taken, ETHER.toString())
  assert.equal((await seen(once, node('0xb3', undefined))).taken, undefined)
  // A wallet of a contract can go through where what it was asked to do has failed.
  assert.equal((await seen(t, node('0xb1', []))).taken, '0')
  const failed = await seen(t, node('0xb1', [], '0x0'))
  assert.deepEqual([failed.state, failed.taken], ['reverted', undefined])
  assert.equal((await seen({ ...t, kind: 'refund' }, node('0xb1', []))).taken, undefined)
})

test('of a batch that went through in part, the receipts of the wallet tell what was taken', async () => {
  const batch = { ...t, batch: '0x1d', hash: undefined } as unknown as Transaction
  const tells = (receipts: object[]) => (method: string) =>
    Promise.resolve(method === 'eth_blockNumber' ? '0x66' : { status: 600, receipts })
  const one = { transactionHash: '0xa', status: '0x1' }
  assert.deepEqual(
    await observeBatch(
      batch,
      '0x1d',
      tells([
        { ...one, logs: [] },
        { ...one, logs: [log(7n)] },
      ]),
    ),
    [{ type: 'batch_failed', how: 'partly', taken: '7' }],
  )
  // Nothing is said where one of them says nothing.
  assert.deepEqual(await observeBatch(batch, '0x1d', tells([one, { ...one, logs: [log(7n)] }])), [
    { type: 'batch_failed', how: 'partly' },
  ])
  assert.deepEqual(
    [step(batch, { type: 'batch_failed', how: 'partly', taken: '7' })].map(({ state, taken }) => [state, taken]),
    [['partial', '7']],
  )
})

test('a card shows what is foreseen before a block, what was taken in one, and what was asked for where it comes into none', () => {
  const raw = (of: Partial<Transaction>) => shown({ ...t, ...of })?.amount.raw
  const [asked, less] = [t.amount?.raw, ETHER.toString()]
  assert.deepEqual(
    STATES.map((state) => [state, raw({ state })]),
    [
      ['awaiting_wallet', less],
      ['interrupted', less],
      ['rejected', asked],
      ['refused', asked],
      ['multisig', less],
      ['pending', less],
      ['dropped', less],
      ['cancelled', asked],
      ['included', asked],
      ['reverted', asked],
      ['partial', asked],
      ['final', asked],
      ['reorged', less],
    ],
  )
  assert.equal(raw({ state: 'interrupted', settled: true }), asked)
  for (const state of ['included', 'final', 'reorged'] as const) assert.equal(raw({ state, taken: '5' }), '5')
  assert.deepEqual(shown({ ...t, state: 'final', taken: '5' })?.less, {
    how: 'was',
    rest: { ...t.amount, raw: (4n * ETHER - 5n).toString() },
  })
  assert.equal(shown(t)?.less?.how, 'would')
  assert.equal(shown({ ...t, state: 'included', taken: asked ?? '' })?.less, undefined)
})
