import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Gate, isLetIn } from '../../src/lib/quote.ts'
import { shortfall } from '../../src/lib/taken.ts'

test('what falls short is the money first, and then what it buys', () => {
  const said = { accepted: 5n, tokens: 5_500n }
  assert.equal(shortfall(said, { accepted: 5n, tokens: 5_500n }), undefined)
  assert.equal(shortfall(said, { accepted: 5n, tokens: 5_501n }), undefined)
  assert.equal(shortfall(said, { accepted: 4n, tokens: 4_400n }), 'accepted')
  assert.equal(shortfall(said, { accepted: 5n, tokens: 5_499n }), 'tokens')
})

test('tokens that follow from the outcome alone are not compared', () => {
  // The contract answers zero of them there.
  assert.equal(shortfall({ accepted: 5n, tokens: undefined }, { accepted: 5n, tokens: 0n }), undefined)
  assert.equal(shortfall({ accepted: 5n, tokens: undefined }, { accepted: 4n, tokens: 0n }), 'accepted')
})

test('one thing goes with a contribution: it opens another phase where that asks for the very same', () => {
  const phases = [
    { gate: 'voucher' },
    { gate: 'open' },
    { gate: 'voucher' },
    { gate: 'merkle', root: '0xa' },
    { gate: 'merkle', root: '0xa' },
    { gate: 'merkle', root: '0xb' },
  ] as { gate: Gate; root?: string }[]
  const opens = (active: number, held: { vouched?: number[]; isListed: boolean }) =>
    phases.map((_, index) => isLetIn(phases, phases[active], held, index))
  const [no, yes] = [false, true]
  assert.deepEqual(opens(0, { vouched: [0, 2], isListed: false }), [yes, yes, yes, no, no, no])
  assert.deepEqual(opens(0, { vouched: [0], isListed: false }), [yes, yes, no, no, no, no])
  assert.deepEqual(opens(3, { isListed: true }), [no, yes, no, yes, yes, no])
  assert.deepEqual(opens(3, { isListed: false }), [no, yes, no, no, no, no])
  // Of an open phase nothing is asked for, so nothing is there.
  assert.deepEqual(opens(1, { vouched: [0, 2], isListed: true }), [no, yes, no, no, no, no])
  assert.equal(isLetIn(phases, null, { isListed: true }, 6), false)
})
