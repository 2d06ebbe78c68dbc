import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chainNow, days, newer, span, toSeconds, utc } from '../../src/lib/time.ts'

test('the chain’s clock goes on from the block that was read, whatever the visitor’s clock says', () => {
  const reading = { seconds: 1_930_000_000, readAt: 5_000 }
  assert.equal(chainNow(reading, 5_000), 1_930_000_000)
  assert.equal(chainNow(reading, 7_999), 1_930_000_002)
  // A reading from later than now, as after a sleep of the machine.
  assert.equal(chainNow(reading, 0), 1_930_000_000)
})

test('the same block does not begin the clock anew, another does, earlier or later', () => {
  const first = newer(undefined, 100, 1_000)
  assert.equal(newer(first, 100, 9_000), first)
  assert.deepEqual(newer(first, 112, 9_000), { seconds: 112, readAt: 9_000 })
  assert.deepEqual(newer(first, 88, 9_000), { seconds: 88, readAt: 9_000 })
})

test('times are written in UTC, and spans in their two largest units', () => {
  assert.equal(utc('2031-03-01T14:00:00Z'), '1 Mar 2031, 14:00\u00a0UTC')
  assert.equal(utc(toSeconds('2031-03-01T00:00:00Z')), '1 Mar 2031, 00:00\u00a0UTC')
  assert.equal(span(0), '0 s')
  assert.equal(span(-5), '0 s')
  assert.equal(span(61), '1 min 1 s')
  assert.equal(span(3600), '1 h')
  assert.equal(span(3 * 86_400 + 4 * 3600 + 59), '3 d 4 h')
  assert.equal(span(86_400 + 30), '1 d')
  assert.equal(days(14 * 86_400), '14 days')
  assert.equal(days(86_400), '1 day')
  assert.equal(days(90), '1 min 30 s')
})
