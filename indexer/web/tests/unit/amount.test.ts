import assert from 'node:assert/strict'
import { test } from 'node:test'
import { basisPoints, format, parseAmount, percent, toPieces, toUnits } from '../../src/lib/amount.ts'
import { m } from '../../src/lib/messages.ts'

const read = (text: string, decimals = 18) => parseAmount(text, decimals)
const fault = (text: string, decimals = 18) => {
  const parsed = read(text, decimals)
  assert.ok(!parsed.ok, `${text} was taken`)
  return parsed.fault
}

test('an amount is read to the last base unit', () => {
  for (const [text, decimals, raw] of [
    ['1', 18, 10n ** 18n],
    ['0.000000000000000001', 18, 1n],
    // A float holds neither of these.
    ['9007199254740993', 0, 9007199254740993n],
    ['1234567.123456789012345678', 18, 1234567123456789012345678n],
    ['.5', 6, 500_000n],
    ['5.', 6, 5_000_000n],
    ['  7 ', 6, 7_000_000n],
    ['007', 6, 7_000_000n],
    ['1.5000000000', 1, 15n],
    [(2n ** 120n - 1n).toString(), 0, 2n ** 120n - 1n],
  ] as const) {
    assert.deepEqual(read(text, decimals), { ok: true, raw }, text)
  }
})

test('every bad amount is refused for its own reason, and each reason has its sentence', () => {
  for (const [text, decimals, kind] of [
    ['', 18, 'empty'],
    ['   ', 18, 'empty'],
    ['1,000', 18, 'comma'],
    ['1,5', 18, 'comma'],
    ["1'000", 18, 'comma'],
    ['1 000', 18, 'space'],
    ['1\u00a0000', 18, 'space'],
    ['1\u202f000', 18, 'space'],
    ['1e18', 18, 'exponent'],
    ['1E-3', 18, 'exponent'],
    ['-1', 18, 'sign'],
    ['+1', 18, 'sign'],
    ['\u22121', 18, 'sign'],
    ['1.2.3', 18, 'point'],
    ['.', 18, 'point'],
    ['0x10', 18, 'characters'],
    ['1 ETH', 18, 'space'],
    ['1ETH', 18, 'characters'],
    ['Infinity', 18, 'characters'],
    ['NaN', 18, 'characters'],
    ['\u0661', 18, 'characters'],
    ['1.0000001', 6, 'decimals'],
    ['1.5', 0, 'decimals'],
    ['0', 18, 'zero'],
    ['0.000', 18, 'zero'],
    [(2n ** 120n).toString(), 0, 'huge'],
    ['9'.repeat(79), 18, 'huge'],
  ] as const) {
    const found = fault(text, decimals)
    assert.equal(found.kind, kind, JSON.stringify(text))
    assert.match(m.amount(found, 'ETH'), /^[A-Z].*\.$/)
  }
})

test('a hint names what was meant', () => {
  assert.equal(m.amount(fault('1 234.5'), 'ETH'), 'Write the amount without spaces: 1234.5.')
  assert.equal(m.amount(fault('1.5', 0), 'X'), 'X has at most 0 decimals.')
})

test('what is written is exact, and is read back as it was', () => {
  for (const [raw, decimals] of [
    [1n, 18],
    [10n ** 18n, 18],
    [1234567890n, 6],
    [5n, 0],
    [123456789012345678901234567890n, 18],
  ] as const) {
    assert.deepEqual(read(toUnits(raw, decimals), decimals), { ok: true, raw })
  }
  assert.equal(
    format(1234567123456789012345678n, { decimals: 18, symbol: 'ETH' }),
    '1\u202f234\u202f567.123456789012345678 ETH',
  )
  assert.deepEqual(toPieces(123456789n, 8), { whole: '1', fraction: '.234567', tail: '89' })
  assert.equal(format(0n, { decimals: 18, symbol: '' }), '0')
})

test('a goal that is not reached is never 100 %', () => {
  assert.equal(basisPoints(10n ** 30n - 1n, 10n ** 30n), 9999)
  assert.equal(basisPoints(1n, 0n), 0)
  assert.equal(percent(9999), '99.99 %')
  assert.equal(percent(5250), '52.5 %')
  assert.equal(percent(10000), '100 %')
  assert.equal(percent(7), '0.07 %')
})
