// How much of a sum is free at a time, rounded exactly as `Schedule.sol` rounds.

export interface Schedule {
  /** Free at once, in hundredths of a percent. */
  atOnce: number
  /** Seconds before which nothing but that share is free. */
  cliff: number
  /** Seconds over which the rest becomes free; zero: all at once. */
  duration: number
}

/** What is free `elapsed` seconds after the start. */
export function freed(total: bigint, schedule: Schedule, elapsed: number): bigint {
  if (elapsed >= schedule.duration) return total
  const first = (total * BigInt(schedule.atOnce)) / 10_000n
  if (elapsed < schedule.cliff) return first
  return first + ((total - first) * BigInt(elapsed)) / BigInt(schedule.duration)
}

/** The first second after `elapsed` at which more is free; none if all is. */
export function nextUnlock(total: bigint, schedule: Schedule, elapsed: number): number | undefined {
  const now = freed(total, schedule, elapsed)
  if (now >= total) return undefined
  const first = (total * BigInt(schedule.atOnce)) / 10_000n
  const rest = total - first
  const linear = Number(((now - first + 1n) * BigInt(schedule.duration) + rest - 1n) / rest)
  return Math.min(schedule.duration, Math.max(linear, schedule.cliff, elapsed + 1))
}

/** When something happens that is worth a line of a table: the beginning, the cliff, and equal steps to the end. */
export function milestones(schedule: Schedule, steps = 8): number[] {
  if (schedule.duration === 0) return [0]
  const found = new Set([0])
  if (schedule.cliff > 0) found.add(schedule.cliff)
  for (let step = 1; step <= steps; step++) {
    const at = Math.floor((schedule.duration * step) / steps)
    if (at >= schedule.cliff) found.add(at)
  }
  return [...found].sort((a, b) => a - b)
}
