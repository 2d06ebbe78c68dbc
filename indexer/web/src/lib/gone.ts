// Contributions that a reorg took out while nobody listened, as in a tab that nobody saw: two readings of the list tell.

interface Listed {
  transaction_hash: string
  block: { number: number }
}

/**
 * What a newer reading of a list, the newest first, should have and has not.
 * @param isAll Whether the newer one goes on to the first: else it says nothing of what is as old as its last.
 */
export function missing<T extends Listed>(before: T[], now: T[], isAll: boolean): T[] {
  const there = new Set(now.map((one) => one.transaction_hash))
  const oldest = isAll ? -1 : (now.at(-1)?.block.number ?? Infinity)
  return before.filter((one) => !there.has(one.transaction_hash) && one.block.number > oldest)
}
