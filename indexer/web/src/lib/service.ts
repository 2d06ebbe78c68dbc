// What the index of the service tells about a transaction. It knows those that did something in the sale, once they are in a block; of one
// that waits, failed or was replaced it knows nothing.

import type { Activity, Answer, ChainMeta } from './api.types.ts'
import { type Event, isOver, type Kind, type Transaction } from './transaction.ts'

/** Pages of the activity that are looked through. */
const PAGES = 3
/** What leaves a trace in the sale whenever it goes through. */
const TRACED: Kind[] = ['contribute', 'claim', 'refund', 'withdraw', 'close']

/** The activity of the transaction's sale, the newest first. */
export type Activities = (
  cursor: string | undefined,
) => Promise<Answer<{ data: Activity[]; meta: ChainMeta; next_cursor?: string | null }>>

/** Whether the service could know it. */
export const isIndexed = (t: Transaction) => t.hash !== undefined && t.kind !== 'approve'

export async function observeByService(t: Transaction, activities: Activities): Promise<Event[]> {
  if (isOver(t) || !isIndexed(t)) return []
  let cursor: string | undefined
  /** What happened in its transaction: of a contribution, a part in each phase that it fell into. */
  const own: Activity[] = []
  for (let page = 0; page < PAGES; page++) {
    const found = await activities(cursor)
    if (!found.ok) return []
    const { data, meta, next_cursor } = found.body
    const last = data.at(-1)
    own.push(...data.filter((each) => each.transaction_hash === t.hash && isOf(t, each)))
    // A page may end in the middle of it.
    const isWhole = !next_cursor || last?.transaction_hash !== t.hash
    if (own[0] && (isWhole || page === PAGES - 1)) return told(t, own[0], isWhole ? own : [])
    const below = t.block?.number ?? t.seenAt ?? 0
    if (last !== undefined && (own[0] || last.block.number >= below) && next_cursor) {
      cursor = next_cursor
      continue
    }
    // It went through in a block that the index has read, and has it no longer in.
    const isGone = t.state === 'included' && t.block && meta.indexed_block.number >= t.block.number
    return isGone && TRACED.includes(t.kind) ? [{ type: 'unknown', head: meta.indexed_block.number, spent: false }] : []
  }
  return []
}

/** What is done to one account's position. */
const OF_ACCOUNT: Kind[] = ['contribute', 'claim', 'refund', 'withdraw']

/** A transaction that bundles what several accounts do has a trace of each: this one is of the sender's, or of whom the call names. */
function isOf(t: Transaction, { account }: Activity): boolean {
  if (!account || !OF_ACCOUNT.includes(t.kind)) return true
  const one = account.toLowerCase()
  return one === t.from.toLowerCase() || t.data.toLowerCase().includes(one.slice(2))
}

function told(t: Transaction, { block }: Activity, own: Activity[]): Event[] {
  const event: Event = { type: 'in_block', block: { number: block.number, hash: block.hash }, succeeded: true }
  // Others can have paid for the same account in it.
  const paid = own.filter(({ kind, actor }) => kind === 'contributed' && actor?.toLowerCase() === t.from.toLowerCase())
  if (t.kind === 'contribute' && paid.length > 0)
    event.taken = paid.reduce((sum, { amount }) => sum + BigInt(amount?.raw ?? 0), 0n).toString()
  return block.finality === 'finalized' ? [event, { type: 'finalized', number: block.number }] : [event]
}
