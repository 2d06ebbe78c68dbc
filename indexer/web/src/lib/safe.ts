// A Safe as the account of a wallet: what it is asked to send waits for its owners, and its contract tells on the chain what became of
// it. No service of the Safe's makers is asked, so signatures that are gathered off the chain are not seen. Loaded with ethers.

import { Interface } from 'ethers/abi'
import { type Ask, inBlock, type Log, type Receipt } from './observe.ts'
import type { Event, Safe, Transaction } from './transaction.ts'

const abi = new Interface([
  'function getThreshold() view returns (uint256)',
  'function getOwners() view returns (address[])',
  'function nonce() view returns (uint256)',
  'function approvedHashes(address owner, bytes32 hash) view returns (uint256)',
  'function getTransactionHash(address to, uint256 value, bytes data, uint8 operation, uint256 safeTxGas, uint256 baseGas, uint256 gasPrice, address gasToken, address refundReceiver, uint256 nonce) view returns (bytes32)',
  'event ExecutionSuccess(bytes32 txHash, uint256 payment)',
  'event ExecutionFailure(bytes32 txHash, uint256 payment)',
])
const topic = (name: string) => abi.getEvent(name)?.topicHash ?? ''
const SUCCESS = topic('ExecutionSuccess')
const FAILURE = topic('ExecutionFailure')
const NOBODY = `0x${'0'.repeat(40)}`

/** Blocks that are asked for at once: nodes limit it. */
const SPAN = 1_000
/** Blocks below the head that are looked at again: a reorg can put it there. */
const AGAIN = 128
/** Places of the Safe's queue that are tried for a transaction. */
const QUEUE = 16

async function read(ask: Ask, to: string, name: string, values: unknown[] = [], block = 'latest'): Promise<unknown> {
  const result = await ask('eth_call', [{ to, data: abi.encodeFunctionData(name, values) }, block])
  return abi.decodeFunctionResult(name, String(result))[0]
}

export interface Account {
  isContract: boolean
  /** How many owners have to sign, of a Safe. */
  threshold?: number
}

export async function findAccount(ask: Ask, account: string): Promise<Account> {
  const code = String(await ask('eth_getCode', [account, 'latest']))
  // One that lent itself code (EIP-7702) sends its transactions itself.
  if (code === '0x' || code.startsWith('0xef0100')) return { isContract: false }
  try {
    const [threshold] = await Promise.all([read(ask, account, 'getThreshold'), read(ask, account, 'nonce')])
    return { isContract: true, threshold: Number(threshold as bigint) }
  } catch {
    return { isContract: true }
  }
}

type Asked = Pick<Transaction, 'from' | 'to' | 'value' | 'data'>

/** What a Safe has just been asked to do, by its own hash of it. */
export async function proposed(ask: Ask, t: Asked, hash: string, threshold: number, head: number): Promise<Safe> {
  const safe: Safe = { hash, threshold, given: 0, from: head }
  const nonce = await findNonce(ask, t, hash).catch(() => undefined)
  return nonce === undefined ? safe : { ...safe, nonce }
}

/** The place in the queue with which the Safe's hash is this one. A call without a refund of gas is what wallets ask for. */
async function findNonce(ask: Ask, t: Asked, hash: string): Promise<number | undefined> {
  const first = Number((await read(ask, t.from, 'nonce')) as bigint)
  for (let nonce = first; nonce < first + QUEUE; nonce++) {
    const values = [t.to, BigInt(t.value), t.data, 0, 0, 0, 0, NOBODY, NOBODY, nonce]
    if ((await read(ask, t.from, 'getTransactionHash', values)) === hash.toLowerCase()) return nonce
  }
  return undefined
}

const ofHash = (log: Log, account: string, hash: string) =>
  log.address.toLowerCase() === account.toLowerCase() &&
  (log.topics[0] === SUCCESS || log.topics[0] === FAILURE) &&
  // Indexed in newer Safes, in the data of older ones.
  (log.topics[1] ?? log.data.slice(0, 66)).toLowerCase() === hash.toLowerCase()

/** What the chain tells about what a Safe was asked to do. */
export async function observeSafe(t: Transaction, safe: Safe, ask: Ask): Promise<Event[]> {
  if (t.hash !== undefined) {
    const receipt = (await ask('eth_getTransactionReceipt', [t.hash])) as Receipt | null
    const log = receipt?.logs?.find((one) => ofHash(one, t.from, safe.hash))
    // A Safe's own transaction goes through where what it was asked to do fails.
    if (receipt && log) return inBlock(t, receipt, log.topics[0] === SUCCESS, ask)
  }
  const head = Number(await ask('eth_blockNumber', []))
  const gone: Event[] = t.block ? [{ type: 'unknown', head, spent: false }] : []
  // A reorg can take it below where the search is.
  const from = Math.min(safe.from, t.block?.number ?? safe.from)
  const to = Math.min(head, from + SPAN - 1)
  const hex = (height: number) => `0x${height.toString(16)}`
  const range = { fromBlock: hex(from), toBlock: hex(to) }
  const logs = (await ask('eth_getLogs', [{ address: t.from, topics: [[SUCCESS, FAILURE]], ...range }])) as Log[]
  const log = logs.find((one) => ofHash(one, t.from, safe.hash))
  if (log) return [...gone, { type: 'executed', hash: log.transactionHash }]
  if (t.state === 'cancelled') return settle(t, safe, ask)
  if (to === head && safe.nonce !== undefined && ((await read(ask, t.from, 'nonce')) as bigint) > safe.nonce)
    return [...gone, { type: 'outrun' }]
  const next = to === head ? Math.max(safe.from, head - AGAIN) : to + 1
  return [...gone, { type: 'signatures', ...(await signatures(t, safe, ask)), from: next }]
}

async function signatures(t: Transaction, safe: Safe, ask: Ask): Promise<{ given: number; threshold: number }> {
  const owners = (await read(ask, t.from, 'getOwners')) as string[]
  const approvals = await Promise.all(owners.map((owner) => read(ask, t.from, 'approvedHashes', [owner, safe.hash])))
  const threshold = Number((await read(ask, t.from, 'getThreshold')) as bigint)
  return { given: approvals.filter((one) => one !== 0n).length, threshold }
}

/** Whether the Safe's nonce is used up for good. */
async function settle(t: Transaction, safe: Safe, ask: Ask): Promise<Event[]> {
  const nonce = await read(ask, t.from, 'nonce', [], 'finalized').catch(() => undefined)
  return safe.nonce !== undefined && nonce !== undefined && (nonce as bigint) > safe.nonce ? [{ type: 'settled' }] : []
}
