import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Interface } from 'ethers'
import type { Ask, Log } from '../../src/lib/observe.ts'
import { findAccount, observeSafe, proposed } from '../../src/lib/safe.ts'
import type { Safe, Transaction } from '../../src/lib/transaction.ts'

const SAFE = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
const OWNERS = ['0xDCa029a3fC8AdB9cC52c1310c1bff0b103C0E906', '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512']
const HASH = `0x${'5a'.repeat(32)}`
const abi = new Interface([
  'function getThreshold() view returns (uint256)',
  'function getOwners() view returns (address[])',
  'function nonce() view returns (uint256)',
  'function approvedHashes(address owner, bytes32 hash) view returns (uint256)',
  'function getTransactionHash(address, uint256, bytes, uint8, uint256, uint256, uint256, address, address, uint256 nonce) view returns (bytes32)',
  'event ExecutionSuccess(bytes32 indexed txHash, uint256 payment)',
  'event ExecutionFailure(bytes32 indexed txHash, uint256 payment)',
])
const topic = (name: string) => abi.getEvent(name)?.topicHash ?? ''

const safe: Safe = { hash: HASH, threshold: 2, given: 0, nonce: 7, from: 1_000 }
const t = { from: SAFE, to: OWNERS[0], value: '5', data: '0xab', state: 'multisig', safe } as Transaction

/** A node with a Safe that both owners but the second have approved in, and these logs. */
function node({
  nonce = 7n,
  head = 1_100,
  logs = [] as object[],
  receipt = null as object | null,
  asked = [] as string[],
}) {
  const ask: Ask = async (method, params) => {
    switch (method) {
      case 'eth_blockNumber':
        return `0x${head.toString(16)}`
      case 'eth_getTransactionReceipt':
        return receipt
      case 'eth_getBlockByNumber':
        return null
      case 'eth_getLogs': {
        const { fromBlock, toBlock } = params[0] as { fromBlock: string; toBlock: string }
        asked.push(`${Number(fromBlock)}-${Number(toBlock)}`)
        return logs
      }
    }
    assert.equal(method, 'eth_call')
    const { data } = params[0] as { data: string }
    const name = abi.getFunction(data.slice(0, 10))?.name ?? ''
    const given = abi.decodeFunctionData(name, data)
    const results: Record<string, () => unknown> = {
      getThreshold: () => 2n,
      getOwners: () => OWNERS,
      nonce: () => nonce,
      approvedHashes: () => (given[0] === OWNERS[0] && given[1] === HASH ? 1n : 0n),
      getTransactionHash: () => (given['nonce'] === 9n ? HASH : `0x${'00'.repeat(32)}`),
    }
    return abi.encodeFunctionResult(name, [results[name]?.()])
  }
  return ask
}

const executed = (log: Partial<Log>) => ({ address: SAFE.toLowerCase(), data: '0x', transactionHash: '0xe', ...log })

test('what waits is known by who has approved it on the chain', async () => {
  assert.deepEqual(await observeSafe(t, safe, node({})), [{ type: 'signatures', given: 1, threshold: 2, from: 1_000 }])
})

test('its execution is found in the form of newer Safes and of older ones, and no other is', async () => {
  const event = [{ type: 'executed', hash: '0xe' }]
  const newer = executed({ topics: [topic('ExecutionSuccess'), HASH] })
  const older = executed({ topics: [topic('ExecutionFailure')], data: `${HASH}${'0'.repeat(64)}` })
  assert.deepEqual(await observeSafe(t, safe, node({ logs: [newer] })), event)
  assert.deepEqual(await observeSafe(t, safe, node({ logs: [older] })), event)
  const others = [
    executed({ topics: [topic('ExecutionSuccess'), `0x${'11'.repeat(32)}`] }),
    { ...newer, address: OWNERS[0] },
  ]
  const [found] = await observeSafe(t, safe, node({ logs: others }))
  assert.equal(found?.type, 'signatures')
})

test('it is in a block as the Safe says, whatever became of the transaction around it', async () => {
  const receipt = (name: string) => ({
    blockNumber: '0x3f0',
    blockHash: '0xb1',
    status: '0x1',
    logs: [executed({ topics: [topic(name), HASH] })],
  })
  const sent = { ...t, hash: '0xe' }
  for (const [name, succeeded] of [
    ['ExecutionSuccess', true],
    ['ExecutionFailure', false],
  ] as const)
    assert.deepEqual(await observeSafe(sent, safe, node({ receipt: receipt(name) })), [
      { type: 'in_block', block: { number: 1_008, hash: '0xb1' }, succeeded },
    ])
})

test('what a Safe contributed stands in the logs of its execution', async () => {
  const sale = OWNERS[1] ?? ''
  const contributed = {
    ...new Interface([
      'event Contributed(address indexed investor, address indexed payer, uint256 phase, uint256 amount, uint256 tokens, uint256 paid, uint256 raised, uint256 sold)',
    ]).encodeEventLog('Contributed', [SAFE, SAFE, 0n, 12_345n, 0n, 0n, 0n, 0n]),
    address: sale.toLowerCase(),
  }
  const logs = [contributed, executed({ topics: [topic('ExecutionSuccess'), HASH] })]
  const receipt = { blockNumber: '0x3f0', blockHash: '0xb1', status: '0x1', logs }
  const sent = { ...t, kind: 'contribute', sale, hash: '0xe' } as Transaction
  assert.deepEqual(await observeSafe(sent, safe, node({ receipt })), [
    { type: 'in_block', block: { number: 1_008, hash: '0xb1' }, succeeded: true, taken: '12345' },
  ])
})

test('a place in the queue that went to something else is told, once all blocks were looked through', async () => {
  assert.deepEqual(await observeSafe(t, safe, node({ nonce: 8n })), [{ type: 'outrun' }])
  const { nonce: _, ...unknown } = safe
  const [event] = await observeSafe(t, unknown, node({ nonce: 8n }))
  assert.equal(event?.type, 'signatures')
})

test('after days away, blocks are looked through in pieces that nodes answer', async () => {
  const asked: string[] = []
  const far = node({ head: 3_500, nonce: 8n, asked })
  let at = safe
  for (let look = 0; look < 4; look++) {
    const [event] = await observeSafe(t, at, far)
    if (event?.type === 'signatures') at = { ...at, from: event.from }
    else assert.equal(event?.type, 'outrun')
  }
  assert.deepEqual(asked, ['1000-1999', '2000-2999', '3000-3500', '3000-3500'])
})

test('its place in the Safe’s queue is found by its hash', async () => {
  assert.deepEqual(await proposed(node({}), t, HASH, 2, 50), { hash: HASH, threshold: 2, given: 0, from: 50, nonce: 9 })
  const other = `0x${'77'.repeat(32)}`
  assert.deepEqual(await proposed(node({}), t, other, 2, 50), { hash: other, threshold: 2, given: 0, from: 50 })
})

test('an account is a Safe, another contract, or none', async () => {
  const account = (code: string, ask = node({})) =>
    findAccount((method, params) => (method === 'eth_getCode' ? Promise.resolve(code) : ask(method, params)), SAFE)
  assert.deepEqual(await account('0x'), { isContract: false })
  assert.deepEqual(await account(`0xef0100${'ab'.repeat(20)}`), { isContract: false })
  assert.deepEqual(await account('0x6080'), { isContract: true, threshold: 2 })
  assert.deepEqual(await account('0x6080', () => Promise.resolve('0x')), { isContract: true })
})
