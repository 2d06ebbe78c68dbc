// Contributions that a reorg took out while nobody listened, as in a tab that nobody saw: two readings of the list tell.

interface Listed {
  transaction_hash: string
  block: { number: number; finality: string }
}

/**
 * What a newer reading of a list, the newest first, should have and has not.
 * @param isAll Whether the newer one goes on to the first: else it says nothing of what is as old as its last.
 */
export function missing<T extends Listed>(before: T[], now: T[], isAll: boolean): T[] {
  const there = new Set(now.map((one) => one.transaction_hash))
  const oldest = isAll ? -1 : (now.at(-1)?.block.number ?? Infinity)
  return before.filter(
    (one) => !there.has(one.transaction_hash) && one.block.number > oldest && one.block.finality !== 'finalized',
  )
}

/**
 * What of that is gone, and of what only a later reading tells: a replica that lags may have answered, which does not have these blocks yet.
 * @param at The block in which the newer one was read.
 */
export function parted<T extends Listed>(lacking: T[], at: number): { gone: T[]; open: T[] } {
  return {
    gone: lacking.filter((one) => one.block.number <= at),
    open: lacking.filter((one) => one.block.number > at),
  }
}
