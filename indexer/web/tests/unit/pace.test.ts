// Of a chain that stands still it is said, of one that is only slow it is not.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { heard, type Pace, quietFor } from '../../src/lib/pace.ts'

const SECOND = 1000

/** Blocks from 0 on, so many seconds apart. */
function blocks(count: number, apart: number): Pace {
  let pace = heard(undefined, '0x0', 0, 0)
  for (let block = 1; block <= count; block++) pace = heard(pace, `0x${block}`, block, block * apart * SECOND)
  return pace
}
/** The same block, some seconds later. */
const later = (pace: Pace, seconds: number) => heard(pace, pace.hash, pace.number, pace.since + seconds * SECOND)

test('a page that opens at a chain that stands still hears it from the service', () => {
  const pace = heard(undefined, '0xa', 7, 50 * SECOND)
  assert.equal(quietFor(pace, 120), undefined)
  assert.equal(quietFor(pace, 180), 180)
})

test('of a chain whose clock is ahead, the page counts itself', () => {
  const pace = heard(undefined, '0xa', 7, 50 * SECOND)
  assert.equal(quietFor(later(pace, 120), 0), undefined)
  assert.equal(quietFor(later(pace, 121), 0), 121)
})

test('a chain that goes on is not quiet, however old its blocks say they are, and when it stops, it is since then', () => {
  const pace = blocks(1, 12)
  assert.equal(quietFor(later(pace, 8), 1_000_000), undefined)
  assert.equal(quietFor(later(pace, 128), 1_000_000), 128)
})

test('some missed blocks of a chain of twelve seconds are nothing', () => {
  const pace = blocks(10, 12)
  assert.equal(quietFor(later(pace, 60), 60), undefined)
  assert.equal(quietFor(later(pace, 121), 121), 121)
})

test('a chain that makes blocks when there is something to put in them takes its time', () => {
  const pace = blocks(3, 100)
  assert.equal(quietFor(later(pace, 1_000), 1_000), undefined)
  assert.equal(quietFor(later(pace, 1_001), 1_001), 1_001)
})

test('another block of the same height is a new one', () => {
  const pace = later(heard(undefined, '0xa', 7, 0), 500)
  assert.equal(quietFor(pace, 0), 500)
  assert.equal(quietFor(heard(pace, '0xb', 7, 501 * SECOND), 0), undefined)
})
