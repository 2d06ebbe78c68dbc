// A transaction from the wallet's question to finality. This is the only state machine of it: `step` is pure, and `observe` asks a node
// what has happened since.

import type { Amount } from './amount.ts'

export type Kind = 'contribute' | 'claim' | 'refund' | 'withdraw' | 'close' | 'approve'

export interface Block {
  number: number
  hash: string
}

export type State =
  | 'awaiting_wallet'
  /** The page was closed while the wallet asked. */
  | 'interrupted'
  | 'rejected'
  /** The wallet or its node did not take it. */
  | 'refused'
  | 'pending'
  | 'dropped'
  | 'cancelled'
  | 'included'
  | 'reverted'
  | 'final'
  | 'reorged'

export interface Transaction {
  id: string
  kind: Kind
  chain: number
  sale: string
  saleName: string
  from: string
  to: string
  data: string
  /** Wei, decimal digits. */
  value: string
  /** What it moves, where that is known. */
  amount?: Amount
  state: State
  hash?: string
  /** The account's, once known. */
  nonce?: number
  /** Whether `hash` took the place of the one that was sent. */
  spedUp?: boolean
  block?: Block
  /** The newest block in which the node knew it, or before it was sent. */
  seenAt?: number
  /** Why it was refused. */
  message?: string
}

export type Event =
  | { type: 'sent'; hash: string; head: number }
  | { type: 'declined' }
  | { type: 'refused'; message: string }
  | { type: 'reloaded' }
  /** The node has it and waits for a block. */
  | { type: 'waiting'; nonce: number; head: number }
  | { type: 'in_block'; block: Block; succeeded: boolean }
  | { type: 'finalized'; number: number }
  /** The node does not know it; `spent`: its nonce went to another one that was not found. */
  | { type: 'unknown'; head: number; spent: boolean }
  | { type: 'replaced'; hash: string; same: boolean }

/** So many blocks after a node has last known of it, with its nonce unused, a transaction is taken for dropped. */
export const PATIENCE = 20

/** Whether nothing more can happen to it. */
export function isOver(state: State): boolean {
  return ['interrupted', 'rejected', 'refused', 'cancelled', 'final'].includes(state)
}

export function step(t: Transaction, event: Event): Transaction {
  if (isOver(t.state)) return t
  switch (event.type) {
    case 'sent':
      return t.state === 'awaiting_wallet' ? { ...t, state: 'pending', hash: event.hash, seenAt: event.head } : t
    case 'declined':
      return t.state === 'awaiting_wallet' ? { ...t, state: 'rejected' } : t
    case 'refused':
      return t.state === 'awaiting_wallet' ? { ...t, state: 'refused', message: event.message } : t
    case 'reloaded':
      return t.state === 'awaiting_wallet' ? { ...t, state: 'interrupted' } : t
    case 'waiting': {
      // It was in a block, and waits again: the block was reorged away.
      const state = t.block ? 'reorged' : 'pending'
      return without(t, { state, nonce: event.nonce, seenAt: event.head })
    }
    case 'in_block': {
      const done = event.succeeded ? 'included' : 'reverted'
      // Another block than before: said once, and then where it is now.
      const moved = t.block !== undefined && t.block.hash !== event.block.hash
      return { ...t, state: moved ? 'reorged' : done, block: event.block, seenAt: event.block.number }
    }
    case 'finalized':
      if (t.state !== 'included' || !t.block || event.number < t.block.number) return t
      return { ...t, state: 'final' }
    case 'unknown': {
      if (t.block) return without(t, { state: 'reorged' })
      if (event.spent) return { ...t, state: 'cancelled' }
      const patient = event.head <= (t.seenAt ?? event.head) + PATIENCE
      return {
        ...t,
        seenAt: t.seenAt ?? event.head,
        state: patient ? (t.state === 'dropped' ? 'dropped' : keep(t.state)) : 'dropped',
      }
    }
    case 'replaced':
      if (!event.same) return { ...t, state: 'cancelled' }
      return without(t, { state: 'pending', hash: event.hash, spedUp: true })
  }
}

/** A reorged one that is waited for stays so. */
const keep = (state: State): State => (state === 'reorged' ? 'reorged' : 'pending')

/** Changed, and in no block any more. */
function without(t: Transaction, change: Partial<Transaction>): Transaction {
  const changed = { ...t, ...change }
  delete changed.block
  return changed
}

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

/** What a node tells about a transaction now. */
export async function observe(t: Transaction, ask: Ask): Promise<Event[]> {
  if (t.hash === undefined || isOver(t.state)) return []
  const receipt = (await ask('eth_getTransactionReceipt', [t.hash])) as {
    blockNumber: string
    blockHash: string
    status: string
  } | null
  if (receipt) {
    const block = { number: Number(receipt.blockNumber), hash: receipt.blockHash }
    const events: Event[] = [{ type: 'in_block', block, succeeded: BigInt(receipt.status) === 1n }]
    // Not every chain has the tag.
    const finalized = (await ask('eth_getBlockByNumber', ['finalized', false]).catch(() => null)) as RawBlock | null
    if (finalized && Number(finalized.number) >= block.number) {
      const there = (await ask('eth_getBlockByNumber', [receipt.blockNumber, false])) as RawBlock | null
      if (there?.hash === block.hash) events.push({ type: 'finalized', number: Number(finalized.number) })
    }
    return events
  }
  const head = Number(await ask('eth_blockNumber', []))
  const known = (await ask('eth_getTransactionByHash', [t.hash])) as RawTransaction | null
  if (known) return [{ type: 'waiting', nonce: Number(known.nonce), head }]
  if (t.nonce === undefined) return [{ type: 'unknown', head, spent: false }]
  const count = Number(await ask('eth_getTransactionCount', [t.from, 'latest']))
  if (count <= t.nonce) return [{ type: 'unknown', head, spent: false }]
  const other = await replacement(t, t.nonce, head, ask)
  if (!other) return [{ type: 'unknown', head, spent: true }]
  // It came while it was looked for.
  if (other.hash === t.hash) return []
  return [{ type: 'replaced', hash: other.hash, same: isSame(t, other) }]
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
