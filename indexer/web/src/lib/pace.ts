// Whether a chain stands still. The service says how old its newest block is, by its own clock; that says nothing of a chain whose clock is
// another one, as a devnet's may be. So the page also counts for how long it was itself told of no new block, by a clock that only runs
// forward.

/** The newest block of a chain, and how the page has seen the chain go on. Times are milliseconds of `performance.now()`. */
export interface Pace {
  hash: string
  number: number
  /** When this page first heard of it, */
  since: number
  /** and last: between the answers, and while a tab sleeps, nobody knows. */
  until: number
  /** The first block that this page heard of. */
  first: { number: number; at: number }
}

/** Seconds without a block that a chain of 12 s a block, some of them missed, practically never has. */
const ORDINARY = 120
/** Of a chain that was seen to be slower: so many of its blocks. */
const BLOCKS = 10

export function heard(before: Pace | undefined, hash: string, number: number, now: number): Pace {
  if (before?.hash === hash) return { ...before, until: now }
  return { hash, number, since: now, until: now, first: before?.first ?? { number, at: now } }
}

/**
 * Seconds for which the chain has made no block, where that is longer than it mostly takes.
 * @param lag Age of the newest block by the service's clock, seconds.
 */
export function quietFor({ number, since, until, first }: Pace, lag: number): number | undefined {
  const still = Math.floor((until - since) / 1000)
  // Once it was seen to go on, it is known when it stopped.
  const age = since === first.at ? Math.max(still, lag) : still
  const mean = number > first.number ? (since - first.at) / 1000 / (number - first.number) : 0
  return age > Math.max(ORDINARY, BLOCKS * mean) ? age : undefined
}
