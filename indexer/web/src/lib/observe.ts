// What a node tells about a transaction now.

import { unlessSilent } from './patience.ts'
import { takenBy } from './taken.ts'
import { type Event, isOver, PATIENCE, type Patience, searchOf, type Transaction } from './transaction.ts'

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
  timestamp: string
  transactions: RawTransaction[]
}

/** Most blocks that are looked through one by one for what took a transaction's place. */
const SEARCHED = 128
/** Blocks below the one in which it was last known that are searched too: a reorg can put the other one there. */
const BELOW = 64

export interface Receipt {
  transactionHash?: string
  blockNumber: string
  blockHash: string
  status: string
  /** Some wallets leave them out of what they answer. */
  logs?: Log[]
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
  if (known) return [{ type: 'waiting', nonce: nonceOf(t, known), head }]
  const unknown = async (): Promise<Event[]> => [
    { type: 'unknown', head: await counted(t.seenAt, head, PATIENCE, ask), spent: false },
  ]
  if (t.nonce === undefined) return unknown()
  if (t.state === 'cancelled') return settle(t.from, t.nonce, ask)
  const count = Number(await ask('eth_getTransactionCount', [t.from, 'latest']))
  if (count <= t.nonce) return unknown()
  const other = await find(t, t.nonce, head, ask)
  if (other === 'unsearchable') return [{ type: 'unknown', head, spent: true }]
  // The chain moved, or it came, while it was looked for.
  if (!other || other.hash === t.hash) return []
  return [{ type: 'replaced', hash: other.hash, same: isSame(t, other) }]
}

/** Its nonce, if it is the account's: what a contract's account does, another one sends. */
const nonceOf = (t: Transaction, known: RawTransaction) =>
  known.from.toLowerCase() === t.from.toLowerCase() ? Number(known.nonce) : undefined

/** That it is in a block, and whether that is final. */
export async function inBlock(t: Transaction, receipt: Receipt, succeeded: boolean, ask: Ask): Promise<Event[]> {
  const block = { number: Number(receipt.blockNumber), hash: receipt.blockHash }
  const event: Event = { type: 'in_block', block, succeeded }
  if (succeeded && t.kind === 'contribute' && receipt.logs) event.taken = takenBy(receipt.logs, t).toString()
  if (t.nonce === undefined && t.batch === undefined && t.safe === undefined) {
    // Known now, it tells later, when a reorg has taken the block away, whether something else took its place.
    const known = (await ask('eth_getTransactionByHash', [t.hash])) as RawTransaction | null
    const nonce = known ? nonceOf(t, known) : undefined
    if (nonce !== undefined) event.nonce = nonce
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

/** Nonces that are looked at for what a wallet sent while no page was there. */
const NONCES = 3

/** Looks for what a wallet may have sent after the page that asked it was gone, or after it answered with an error. */
async function lookFor(t: Transaction, ask: Ask): Promise<Event[]> {
  // Of a contract's account, nonces say nothing.
  if (t.nonce === undefined || t.seenAt === undefined) return []
  const head = Number(await ask('eth_blockNumber', []))
  const count = Number(await ask('eth_getTransactionCount', [t.from, 'latest']))
  const events: Event[] = []
  for (let nonce = t.nonce; nonce < count; nonce++) {
    const found = nonce < t.nonce + NONCES ? await find(t, nonce, head, ask) : undefined
    // What could not be seen might be it: that it was not sent is not said then, and what will never be seen is not looked for again.
    if (nonce >= t.nonce + NONCES || found === 'unsearchable') return [...events, { type: 'unsearchable' }]
    if (!found) return events
    if (isSame(t, found)) events.push({ type: 'sent', hash: found.hash, head: t.seenAt })
  }
  const next = Math.max(count, t.nonce)
  const known = await ask('eth_getTransactionCount', [t.from, 'pending']).then(Number, () => undefined)
  if (known !== undefined && known > next) {
    // Something of the account waits for a block. It may be this one: as long as it waits, nothing else is said.
    const waiting = await findWaiting(t, ask)
    return waiting ? [...events, { type: 'sent', hash: waiting.hash, head: t.seenAt }] : events
  }
  // What took the nonces was something else, if it was none of these. A wallet that stumbled can have sent it behind them.
  const blind = known === undefined ? ({ isBlind: true } as const) : {}
  if (count > t.nonce && !t.isUnsure) return [...events, { type: 'searched', head: Infinity, ...blind }]
  const from = t.isUnsure ? t.lookedFrom : t.seenAt
  const upTo = await counted(from, head, searchOf(t, known === undefined), ask)
  return [...events, { type: 'searched', head: upTo, ...blind }]
}

/** The head, or the last block that still is within patience, where there are blocks enough but not yet the seconds. */
async function counted(from: number | undefined, head: number, patience: Patience, ask: Ask): Promise<number> {
  if (from === undefined || head <= from + patience.blocks) return head
  const [began, now] = await Promise.all([from, head].map((height) => timeOf(height, ask)))
  // A node that does not keep what was has seen more than this go by. One that has not got its own head, as one of several behind a name may
  // not, tells nothing.
  const isLate = now !== undefined && (began === undefined || now - began >= patience.seconds)
  return isLate ? head : from + patience.blocks
}

async function timeOf(height: number, ask: Ask): Promise<number | undefined> {
  const answer = ask('eth_getBlockByNumber', [hex(height), false]).catch(unlessSilent(null))
  const block = (await answer) as RawBlock | null
  return block ? Number(block.timestamp) : undefined
}

/** What waits for a block and does the same, of a node that shows what waits. */
async function findWaiting(t: Transaction, ask: Ask): Promise<RawTransaction | undefined> {
  const block = (await ask('eth_getBlockByNumber', ['pending', true]).catch(() => null)) as RawBlock | null
  const nonce = t.nonce ?? 0
  return block?.transactions.find(
    (one) => one.from.toLowerCase() === t.from.toLowerCase() && Number(one.nonce) >= nonce && isSame(t, one),
  )
}

const hex = (height: number) => `0x${height.toString(16)}`

/** The transaction that used a nonce of the account, if it is where it seems to be. */
async function find(
  t: Transaction,
  nonce: number,
  head: number,
  ask: Ask,
): Promise<RawTransaction | 'unsearchable' | undefined> {
  const low = Math.max(0, (t.seenAt ?? head) - BELOW)
  const at = await heightOf(t.from, nonce, low, head, ask).catch(unlessSilent(undefined))
  if (at !== undefined) return inBlockOf(t.from, nonce, at, ask)
  // A node that does not keep what was: block by block, as far as that is no flood.
  const first = Math.max(0, (t.seenAt ?? head) - 1)
  if (head - first > SEARCHED) return 'unsearchable'
  for (let number = head; number >= first; number--) {
    const found = await inBlockOf(t.from, nonce, number, ask)
    if (found) return found
  }
  return undefined
}

/** The block in which an account used a nonce, by halves: above it the account has more of them. */
async function heightOf(from: string, nonce: number, low: number, head: number, ask: Ask): Promise<number> {
  let [below, at] = [low, head]
  while (at - below > 1) {
    const middle = Math.floor((below + at) / 2)
    if (Number(await ask('eth_getTransactionCount', [from, hex(middle)])) > nonce) at = middle
    else below = middle
  }
  return at
}

async function inBlockOf(from: string, nonce: number, height: number, ask: Ask): Promise<RawTransaction | undefined> {
  const block = (await ask('eth_getBlockByNumber', [hex(height), true])) as RawBlock | null
  return block?.transactions.find((one) => one.from.toLowerCase() === from.toLowerCase() && Number(one.nonce) === nonce)
}

/** Sped up is what does the same. */
function isSame(t: Transaction, other: RawTransaction): boolean {
  return (
    other.to?.toLowerCase() === t.to.toLowerCase() &&
    other.input.toLowerCase() === t.data.toLowerCase() &&
    BigInt(other.value) === BigInt(t.value)
  )
}
