import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Activity, ChainMeta } from '../../src/lib/api.types.ts'
import { type Activities, observeByService } from '../../src/lib/service.ts'
import type { Transaction } from '../../src/lib/transaction.ts'

const t = { id: '1', kind: 'contribute', state: 'pending', hash: '0xa', seenAt: 100 } as Transaction
const one = (transaction_hash: string, number: number, finality = 'latest') =>
  ({ transaction_hash, block: { number, hash: `0xb${number}`, finality } }) as Activity

/** A service with these pages, which has read up to block 120. */
function service(pages: Activity[][], asked: (string | undefined)[] = []): Activities {
  return (cursor) => {
    asked.push(cursor)
    const at = Number(cursor ?? 0)
    const next_cursor = at + 1 < pages.length ? String(at + 1) : null
    const meta = { indexed_block: { number: 120 } } as ChainMeta
    return Promise.resolve({ ok: true, body: { data: pages[at] ?? [], meta, next_cursor }, origin: undefined })
  }
}

const inBlock = (number: number) => ({ type: 'in_block', block: { number, hash: `0xb${number}` }, succeeded: true })

test('it is found in the activity of the sale, with its finality', async () => {
  assert.deepEqual(await observeByService(t, service([[one('0xf', 110), one('0xa', 105)]])), [inBlock(105)])
  assert.deepEqual(await observeByService(t, service([[one('0xa', 105, 'finalized')]])), [
    inBlock(105),
    { type: 'finalized', number: 105 },
  ])
})

test('what others do in the same transaction says nothing of this one', async () => {
  const mine = { ...t, from: '0xAbC1', data: '0x12' }
  const of = (account: string) => service([[{ ...one('0xa', 105), account }]])
  assert.deepEqual(await observeByService(mine, of('0xdef2')), [])
  assert.deepEqual(await observeByService(mine, of('0xabc1')), [inBlock(105)])
  // Paid for by somebody else.
  assert.deepEqual(await observeByService({ ...mine, data: '0x12def2' }, of('0xDEF2')), [inBlock(105)])
})

test('what was taken is the sum of its parts, on whatever page they stand', async () => {
  const mine = { ...t, from: '0xAbC1', data: '0x12' }
  const part = (raw: string, actor = '0xabc1') =>
    ({ ...one('0xa', 105), kind: 'contributed', account: '0xabc1', actor, amount: { raw } }) as Activity
  const back = { ...one('0xa', 105), kind: 'excess_returned', account: '0xabc1', amount: { raw: '9' } } as Activity
  const taken = (sum: string) => [{ ...inBlock(105), taken: sum }]
  const parts = [back, part('4'), part('30'), part('500', '0xdef2')]
  assert.deepEqual(await observeByService(mine, service([[...parts, one('0xf', 104)]])), taken('34'))
  assert.deepEqual(
    await observeByService(
      mine,
      service([
        [back, part('4')],
        [part('30'), one('0xf', 104)],
      ]),
    ),
    taken('34'),
  )
  assert.deepEqual(await observeByService(mine, service([[one('0xf', 110), back], parts.slice(1)])), taken('34'))
  // Below where it was last seen, as a reorg has put it.
  assert.deepEqual(await observeByService({ ...mine, seenAt: 106 }, service([[part('4')], [part('30')]])), taken('34'))
  // Where it is cut off, nothing is said of the sum.
  const long = Array<Activity[]>(9).fill([part('1')])
  assert.deepEqual(await observeByService(mine, service(long)), [inBlock(105)])
})

test('what happened before it is not looked through, nor more than a few pages', async () => {
  const old: (string | undefined)[] = []
  assert.deepEqual(await observeByService(t, service([[one('0xf', 99)], [one('0xa', 98)]], old)), [])
  assert.deepEqual(old, [undefined])
  const long: (string | undefined)[] = []
  assert.deepEqual(await observeByService(t, service(Array<Activity[]>(9).fill([one('0xf', 110)]), long)), [])
  assert.deepEqual(long, [undefined, '1', '2'])
})

test('only one that went through can be missed, by an index that has read its block', async () => {
  const nothing = service([[]])
  const block = { number: 105, hash: '0xb105' }
  const gone = [{ type: 'unknown', head: 120, spent: false }]
  assert.deepEqual(await observeByService({ ...t, state: 'included', block }, nothing), gone)
  assert.deepEqual(await observeByService({ ...t, state: 'included', block: { ...block, number: 121 } }, nothing), [])
  assert.deepEqual(await observeByService({ ...t, state: 'reverted', block }, nothing), [])
  assert.deepEqual(await observeByService(t, nothing), [])
})

test('nothing is asked about what the service cannot know, or does not say', async () => {
  const never: Activities = () => assert.fail('asked')
  for (const not of [
    { ...t, kind: 'approve' as const },
    { ...t, state: 'final' as const },
  ])
    assert.deepEqual(await observeByService(not, never), [])
  const { hash: _, ...unsent } = t
  assert.deepEqual(await observeByService(unsent, never), [])
  assert.deepEqual(await observeByService(t, () => Promise.resolve({ ok: false, failure: { kind: 'down' } })), [])
})
