// What a node tells about a transaction now.

import { type Event, isOver, type Transaction } from './transaction.ts'

/** How a node is asked: EIP-1193's `request`. */
export type Ask = (method: string, params: unknown[]) => Promise<unknown>

interface RawTransaction {
  hash: string
  from: string
  to: string | null
  input: string
  value: string
  nonce: string
}

interface RawBlock {
  number: string
  hash: string
  transactions: RawTransaction[]
}

/** Most blocks that are searched for what took a transaction's place. */
const SEARCHED = 128

export interface Receipt {
  transactionHash?: string
  blockNumber: string
  blockHash: string
  status: string
  logs: Log[]
}

export interface Log {
  address: string
  topics: string[]
  data: string
  transactionHash: string
}

/** What a node tells about a transaction now. */
export async function observe(t: Transaction, ask: Ask): Promise<Event[]> {
  if (isOver(t)) return []
  if (t.state === 'interrupted') return lookFor(t, ask)
  if (t.hash === undefined) return []
  const receipt = (await ask('eth_getTransactionReceipt', [t.hash])) as Receipt | null
  if (receipt) {
    const events: Event[] = []
    // A wallet may answer for a hash of its own with the transaction that it has become.
    if (receipt.transactionHash !== undefined && receipt.transactionHash.toLowerCase() !== t.hash.toLowerCase())
      events.push({ type: 'executed', hash: receipt.transactionHash })
    return [...events, ...(await inBlock(t, receipt, BigInt(receipt.status) === 1n, ask))]
  }
  const head = Number(await ask('eth_blockNumber', []))
  const known = (await ask('eth_getTransactionByHash', [t.hash])) as RawTransaction | null
  if (known) return [{ type: 'waiting', nonce: Number(known.nonce), head }]
  if (t.nonce === undefined) return [{ type: 'unknown', head, spent: false }]
  if (t.state === 'cancelled') return settle(t.from, t.nonce, ask)
  const count = Number(await ask('eth_getTransactionCount', [t.from, 'latest']))
  if (count <= t.nonce) return [{ type: 'unknown', head, spent: false }]
  const other = await replacement(t, t.nonce, head, ask)
  if (!other) return [{ type: 'unknown', head, spent: true }]
  // It came while it was looked for.
  if (other.hash === t.hash) return []
  return [{ type: 'replaced', hash: other.hash, same: isSame(t, other) }]
}

/** That it is in a block, and whether that is final. */
export async function inBlock(t: Transaction, receipt: Receipt, succeeded: boolean, ask: Ask): Promise<Event[]> {
  const block = { number: Number(receipt.blockNumber), hash: receipt.blockHash }
  const event: Event = { type: 'in_block', block, succeeded }
  if (t.nonce === undefined && t.batch === undefined && t.safe === undefined) {
    // Known now, it tells later, when a reorg has taken the block away, whether something else took its place.
    const known = (await ask('eth_getTransactionByHash', [t.hash])) as RawTransaction | null
    if (known) event.nonce = Number(known.nonce)
  }
  const finalized = await finalizedBlock(ask)
  if (finalized === undefined || finalized < block.number) return [event]
  const there = (await ask('eth_getBlockByNumber', [receipt.blockNumber, false])) as RawBlock | null
  return there?.hash === block.hash ? [event, { type: 'finalized', number: finalized }] : [event]
}

/** Its height, where the chain has the tag. */
async function finalizedBlock(ask: Ask): Promise<number | undefined> {
  const block = (await ask('eth_getBlockByNumber', ['finalized', false]).catch(() => null)) as RawBlock | null
  return block ? Number(block.number) : undefined
}

/** Whether a nonce is used up for good. */
async function settle(from: string, nonce: number, ask: Ask): Promise<Event[]> {
  const count = await ask('eth_getTransactionCount', [from, 'finalized']).catch(() => undefined)
  return count !== undefined && Number(count) > nonce ? [{ type: 'settled' }] : []
}

/** Looks for what a wallet may have sent after the page that asked it was gone. */
async function lookFor(t: Transaction, ask: Ask): Promise<Event[]> {
  if (t.nonce === undefined || t.seenAt === undefined) return []
  const head = Number(await ask('eth_blockNumber', []))
  const count = Number(await ask('eth_getTransactionCount', [t.from, 'latest']))
  for (let nonce = t.nonce; nonce < Math.min(count, t.nonce + 3); nonce++) {
    const found = await replacement(t, nonce, head, ask)
    if (found && isSame(t, found)) return [{ type: 'sent', hash: found.hash, head: t.seenAt }]
  }
  // The nonces are gone, and what took them is something else; or it is still to come.
  return count > t.nonce ? [{ type: 'searched', head: Infinity }] : [{ type: 'searched', head }]
}

async function replacement(t: Transaction, nonce: number, head: number, ask: Ask): Promise<RawTransaction | undefined> {
  for (let number = head; number >= Math.max(0, (t.seenAt ?? head) - 1, head - SEARCHED); number--) {
    const block = (await ask('eth_getBlockByNumber', [`0x${number.toString(16)}`, true])) as RawBlock | null
    const found = block?.transactions.find(
      (one) => one.from.toLowerCase() === t.from.toLowerCase() && Number(one.nonce) === nonce,
    )
    if (found) return found
  }
  return undefined
}

/** Sped up is what does the same. */
function isSame(t: Transaction, other: RawTransaction): boolean {
  return (
    other.to?.toLowerCase() === t.to.toLowerCase() &&
    other.input.toLowerCase() === t.data.toLowerCase() &&
    BigInt(other.value) === BigInt(t.value)
  )
}
