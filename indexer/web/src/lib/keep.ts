// Transactions in the storage of the browser, which several tabs share. Each has its own list in memory; this makes one of both.

import { isOver, STATES, type Transaction } from './transaction.ts'

/** Those that are kept: the newest, and all that are not over. */
const KEPT = 20

/** What storage holds, read with care: an older or a newer page may have written it. */
export function parse(text: string | null): Transaction[] {
  try {
    const kept: unknown = JSON.parse(text ?? '[]')
    if (!Array.isArray(kept)) return []
    return (kept as Partial<Transaction>[])
      .filter((t): t is Transaction => typeof t?.id === 'string' && STATES.some((state) => state === t.state))
      .map((t) => ({ ...t, rev: t.rev ?? 0, asked: t.asked ?? 0 }))
  } catch {
    return []
  }
}

/**
 * @param mine In the memory of this tab.
 * @param known Ids that storage had when it was last looked at: what is gone since, another tab has removed.
 * @param stored What storage has now.
 */
export function merge(mine: Transaction[], known: ReadonlySet<string>, stored: Transaction[]): Transaction[] {
  const theirs = new Map(stored.map((t) => [t.id, t]))
  const both = mine
    .filter((t) => theirs.has(t.id) || !known.has(t.id))
    .map((t) => {
      const other = theirs.get(t.id)
      theirs.delete(t.id)
      return other && other.rev > t.rev ? other : t
    })
  // What is new to this tab, unless it was removed here.
  const added = [...theirs.values()].filter((t) => !known.has(t.id))
  const all = [...both, ...added].sort((a, b) => b.asked - a.asked)
  return all.filter((t, index) => index < KEPT || !isOver(t))
}
