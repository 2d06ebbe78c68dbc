import assert from 'node:assert/strict'
import { test } from 'node:test'
import { merge, parse } from '../../src/lib/keep.ts'
import type { State, Transaction } from '../../src/lib/transaction.ts'

const one = (id: string, rev = 0, state: State = 'pending', asked = 0) => ({ id, rev, asked, state }) as Transaction
const ids = (list: Transaction[]) => list.map((t) => t.id).join(' ')

test('of two tabs, the one that has seen more is right', () => {
  const merged = merge([one('a', 2), one('b', 5)], new Set(['a', 'b']), [
    one('a', 3, 'included'),
    one('b', 4, 'dropped'),
  ])
  assert.deepEqual(
    merged.map((t) => [t.id, t.rev, t.state]),
    [
      ['a', 3, 'included'],
      ['b', 5, 'pending'],
    ],
  )
})

test('what another tab has added is taken up, and what one has removed stays away', () => {
  // `b` is new there; `c` was removed there; `d` was removed here; `e` is new here.
  const merged = merge([one('a'), one('c'), one('e')], new Set(['a', 'c', 'd']), [one('a'), one('b'), one('d')])
  assert.equal(ids(merged), 'a e b')
})

test('the newest come first; old ones go once they are over, and no other', () => {
  const many = Array.from({ length: 30 }, (_, i) => one(`t${i}`, 0, i === 3 ? 'pending' : 'final', i))
  const kept = merge(many, new Set(), [])
  assert.equal(kept.length, 21)
  assert.deepEqual([kept[0]?.id, kept.at(-1)?.id], ['t29', 't3'])
})

test('what is no transaction of this page is left out', () => {
  assert.deepEqual(parse(null), [])
  assert.deepEqual(parse('{'), [])
  assert.deepEqual(parse('{"id":"a"}'), [])
  const text = '[null,1,{"id":"a","state":"pending"},{"id":"b","state":"of a newer page"},{"state":"final"}]'
  assert.deepEqual(parse(text), [{ id: 'a', state: 'pending', rev: 0, asked: 0 }])
})
