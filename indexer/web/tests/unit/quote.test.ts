// What the contracts answer to `quote`, computed here by hand. The browser tests hold the page against the contract itself.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSoldOut, priceAt, quote, type QuotedSale } from '../../src/lib/quote.ts'

const ETHER = 10n ** 18n

const fixed = (raised: bigint): QuotedSale => ({
  mode: 'fixed_price',
  opens: 1_000,
  hardCap: 1_000n * ETHER,
  raised,
  tokensForSale: 1_100_000n * ETHER,
  phases: [
    { ends: 2_000, raisedUpTo: 200n * ETHER, price: 800_000_000_000_000n, gate: 'open' },
    { ends: 3_000, raisedUpTo: 1_000n * ETHER, price: 1_000_000_000_000_000n, gate: 'open' },
  ],
})

test('tokens are rounded down, against the buyer', () => {
  const sale: QuotedSale = {
    ...fixed(0n),
    phases: [{ ends: 3_000, raisedUpTo: 1_000n * ETHER, price: 3n, gate: 'open' }],
  }
  assert.equal(quote(sale, 10n, 1_500).tokens, 3_333_333_333_333_333_333n)
  // Less than a base unit of the token.
  assert.equal(
    quote({ ...sale, phases: [{ ends: 3_000, raisedUpTo: 9n, price: 10n ** 20n, gate: 'open' }] }, 9n, 1_500).tokens,
    0n,
  )
})

test('an amount that crosses the cap of a phase is split, each part at its own price', () => {
  const found = quote(fixed(199n * ETHER), 3n * ETHER, 1_500)
  assert.equal(found.accepted, 3n * ETHER)
  assert.equal(found.tokens, 1_250n * ETHER + 2_000n * ETHER)
  assert.deepEqual(
    found.parts.map((part) => [part.phase, part.amount]),
    [
      [0, ETHER],
      [1, 2n * ETHER],
    ],
  )
})

test('the hard cap takes what is left alone, and then nothing', () => {
  assert.equal(quote(fixed(999n * ETHER), 5n * ETHER, 2_500).accepted, ETHER)
  assert.deepEqual(quote(fixed(1_000n * ETHER), ETHER, 2_500), { accepted: 0n, tokens: 0n, parts: [] })
  assert.equal(quote(fixed(0n), ETHER, 3_000).accepted, 0n)
})

test('it stops at a phase with a gate, unless that lets in who pays; the one that it begins in is the contract’s to judge', () => {
  const gated = (gate: 'voucher' | 'merkle', of: number): QuotedSale => {
    const sale = fixed(198n * ETHER)
    return { ...sale, phases: sale.phases.map((phase, index) => (index === of ? { ...phase, gate } : phase)) }
  }
  for (const gate of ['voucher', 'merkle'] as const) {
    const found = quote(gated(gate, 1), 5n * ETHER, 1_500)
    assert.deepEqual([found.accepted, found.tokens, found.beyond], [2n * ETHER, 2_500n * ETHER, { number: 2, gate }])
    assert.deepEqual([found.parts.length, quote(gated(gate, 1), 2n * ETHER, 1_500).beyond], [1, undefined])
    const asked: number[] = []
    const whole = quote(gated(gate, 1), 5n * ETHER, 1_500, (phase) => asked.push(phase) > 0)
    assert.deepEqual([whole.accepted, whole.tokens, whole.beyond], [5n * ETHER, 5_500n * ETHER, undefined])
    assert.deepEqual(asked, [1])
    const first = quote(gated(gate, 0), 5n * ETHER, 1_500)
    assert.deepEqual([first.accepted, first.tokens, first.beyond], [5n * ETHER, 5_500n * ETHER, undefined])
  }
})

test('a phase that is over by time gives way to the next', () => {
  assert.equal(priceAt(fixed(0n), 1_999), 800_000_000_000_000n)
  assert.equal(priceAt(fixed(0n), 2_000), 1_000_000_000_000_000n)
  assert.equal(priceAt(fixed(0n), 3_000), undefined)
})

const auction = (raised: bigint): QuotedSale => ({
  mode: 'dutch_auction',
  opens: 1_000,
  hardCap: 600n,
  raised,
  tokensForSale: 300n * ETHER,
  phases: [
    { ends: 2_000, raisedUpTo: 600n, price: 3_000n, gate: 'open' },
    { ends: 3_000, raisedUpTo: 600n, price: 2_000n, gate: 'open' },
    { ends: 4_000, raisedUpTo: 600n, price: 1n, gate: 'open' },
  ],
})

test('the price of an auction falls along a line, is never below it, and stays at the last', () => {
  assert.equal(priceAt(auction(0n), 0), 3_000n)
  assert.equal(priceAt(auction(0n), 1_000), 3_000n)
  assert.equal(priceAt(auction(0n), 1_500), 2_500n)
  // 1999 * 1 / 1000 has fallen by 1.999, which counts as 1.
  assert.equal(priceAt(auction(0n), 2_001), 1_999n)
  assert.equal(priceAt(auction(0n), 3_500), 1n)
})

test('an auction takes what buys the tokens at the price of now, and the hard cap at most', () => {
  assert.equal(quote(auction(0n), 10_000n, 1_000).accepted, 600n)
  assert.equal(quote(auction(290n), 100n, 3_500).accepted, 10n)
  assert.equal(quote(auction(300n), 100n, 3_500).accepted, 0n)
})

test('a pro-rata sale takes all', () => {
  const sale: QuotedSale = {
    ...fixed(5_000n * ETHER),
    mode: 'pro_rata',
    phases: [{ ends: 3_000, raisedUpTo: 1_000n * ETHER, price: 2n, gate: 'open' }],
  }
  assert.deepEqual(quote(sale, 7n, 1_500), {
    accepted: 7n,
    tokens: 3_500_000_000_000_000_000n,
    parts: [{ phase: 0, amount: 7n, tokens: 3_500_000_000_000_000_000n, price: 2n }],
  })
})

test('sold out is what the contract takes for it: never pro rata, and before the last phase not at all', () => {
  const prorata: QuotedSale = { ...fixed(0n), mode: 'pro_rata' }
  assert.equal(isSoldOut(prorata, 5_000n * ETHER, 1_500), false)
  assert.equal(isSoldOut(fixed(0n), 199n * ETHER, 1_500), false)
  assert.equal(isSoldOut(fixed(0n), 999n * ETHER, 2_500), false)
  assert.equal(isSoldOut(fixed(0n), 1_000n * ETHER, 2_500), true)
  // Dust: less than the smallest part of a token at the last price, and still something at the price before it.
  const dear = { ...fixed(0n), phases: fixed(0n).phases.map((one) => ({ ...one, price: 10n ** 19n })) }
  assert.equal(isSoldOut(dear, 1_000n * ETHER - 9n, 2_500), true)
  assert.equal(isSoldOut(dear, 1_000n * ETHER - 10n, 2_500), false)
  assert.equal(isSoldOut(dear, 200n * ETHER - 9n, 1_500), false)
})

test('an auction is sold out once the price of now buys all tokens with what was raised', () => {
  // 300 tokens at 1.
  assert.equal(isSoldOut(auction(0n), 299n, 3_500), false)
  assert.equal(isSoldOut(auction(0n), 300n, 3_500), true)
  // At 3 000 each it is the hard cap that ends it.
  assert.equal(isSoldOut(auction(0n), 300n, 1_000), false)
  assert.equal(isSoldOut(auction(0n), 600n, 1_000), true)
  assert.equal(isSoldOut(auction(0n), 0n, 4_000), true)
})
