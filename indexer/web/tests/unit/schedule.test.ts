// The figures of `api/schedule.rs`, which are those of `Schedule.sol`.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freed, milestones, nextUnlock, type Schedule } from '../../src/lib/schedule.ts'

const schedule: Schedule = { atOnce: 2_500, cliff: 10, duration: 100 }

test('a share at once, a cliff and a line, rounded down', () => {
  for (const [elapsed, free] of [
    [0, 250n],
    [9, 250n],
    [10, 325n],
    [99, 993n],
    [100, 1_001n],
    [1_000, 1_001n],
  ] as const)
    assert.equal(freed(1_001n, schedule, elapsed), free, String(elapsed))
  assert.equal(freed(7n, { atOnce: 0, cliff: 0, duration: 0 }, 0), 7n)
})

test('the next unlock is the first second with more, for every second of many schedules', () => {
  for (const total of [0n, 1n, 7n, 1_001n])
    for (const atOnce of [0, 1, 3_333, 10_000])
      for (const cliff of [0, 1, 13])
        for (const more of [0, 1, 29]) {
          const one = { atOnce, cliff, duration: cliff + more }
          for (let elapsed = 0; elapsed < 60; elapsed++) {
            const now = freed(total, one, elapsed)
            const next = nextUnlock(total, one, elapsed)
            if (next === undefined) {
              assert.equal(now, total)
              continue
            }
            assert.ok(next > elapsed && freed(total, one, next) > now)
            assert.equal(freed(total, one, next - 1), now)
          }
        }
})

test('a table of it begins with the success, has the cliff, and ends where all is free', () => {
  assert.deepEqual(milestones(schedule, 4), [0, 10, 25, 50, 75, 100])
  assert.deepEqual(milestones({ atOnce: 0, cliff: 100, duration: 100 }, 4), [0, 100])
  assert.deepEqual(milestones({ atOnce: 0, cliff: 0, duration: 0 }), [0])
})
