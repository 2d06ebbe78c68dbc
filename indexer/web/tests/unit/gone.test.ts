import assert from 'node:assert/strict'
import { test } from 'node:test'
import { missing, parted } from '../../src/lib/gone.ts'

const one = (transaction_hash: string, number: number, finality = 'included') => ({
  transaction_hash,
  block: { number, finality },
})
const before = [one('0xc', 12), one('0xb', 11), one('0xa', 10)]

test('what a newer reading of a list lacks is gone, and what has moved is not', () => {
  assert.deepEqual(missing(before, [one('0xb', 11), one('0xa', 10)], true), [one('0xc', 12)])
  assert.deepEqual(missing(before, [one('0xc', 14), ...before.slice(1)], true), [])
  assert.deepEqual(missing(before, [], true), before)
  assert.deepEqual(missing([], before, true), [])
})

test('what newer ones have pushed off the end of a list is not gone', () => {
  const now = [one('0xe', 14), one('0xd', 13), one('0xb', 11)]
  assert.deepEqual(missing(before, now, false), [one('0xc', 12)])
  assert.deepEqual(missing(before, [one('0xe', 14), one('0xd', 12)], false), [])
})

test('what an older reading lacks is open, and what was final is never gone', () => {
  assert.deepEqual(parted(before, 11), { gone: before.slice(1), open: [one('0xc', 12)] })
  assert.deepEqual(missing([one('0xc', 12, 'finalized'), one('0xb', 11, 'safe')], [], true), [one('0xb', 11, 'safe')])
})
