import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Interface, type ParamType } from 'ethers'
import { format } from '../../src/lib/amount.ts'
import { explain, revertData } from '../../src/lib/errors.ts'
import { errors } from '../../src/lib/messages.errors.ts'

const folder = join(process.cwd(), '../../contracts/abi')
const abis = readdirSync(folder).map((file) => new Interface(JSON.parse(readFileSync(join(folder, file), 'utf8')).abi))
const say = {
  money: (raw: unknown) => format(raw as bigint, { decimals: 18, symbol: 'ETH' }),
  tokens: (raw: unknown) => format(raw as bigint, { decimals: 18, symbol: 'AUR' }),
}

/** Some value of a type. */
function sample(type: ParamType): unknown {
  if (type.baseType === 'tuple') return (type.components ?? []).map(sample)
  if (type.baseType === 'address') return '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
  if (type.baseType === 'string') return 'text'
  if (type.baseType === 'bool') return true
  if (type.baseType.startsWith('bytes')) return `0x${'11'.repeat(32)}`
  return 1
}

test('every error of every contract has a sentence and a next step', () => {
  const seen = new Set<string>()
  for (const abi of abis) {
    abi.forEachError((error) => {
      seen.add(error.name)
      assert.ok(errors[error.name], `${error.name} has no sentence in messages.errors.ts`)
      const data = abi.encodeErrorResult(error, error.inputs.map(sample))
      const told = explain([abi], data, say)
      for (const text of [told.sentence, told.next]) {
        assert.match(text, /^[A-Z0-9].*\.$/s, error.name)
        assert.doesNotMatch(text, /undefined|NaN|\[object|Invalid Date/, error.name)
      }
    })
  }
  assert.ok(seen.size > 90)
  // And no sentence is for an error that is gone.
  assert.deepEqual(
    Object.keys(errors).filter((name) => !seen.has(name)),
    [],
  )
})

test('a sentence has the values of its error', () => {
  const abi = abis.find((one) => one.getError('BelowMinimum'))
  assert.ok(abi)
  const data = abi.encodeErrorResult('BelowMinimum', [50_000_000_000_000_000n, 1n])
  assert.equal(
    explain(abis, data, say).sentence,
    'Each investor has to pay at least 0.05 ETH in all; this would make 0.000000000000000001 ETH.',
  )
})

test('what is not ours is still told', () => {
  const reason = new Interface(['function x()']).encodeErrorResult('Error', ['no luck'])
  assert.match(explain(abis, reason, say).sentence, /no luck/)
  assert.match(explain(abis, '0x', say).sentence, /without a reason/)
  assert.match(explain(abis, '0xdeadbeef', say).sentence, /0xdeadbeef/)
  assert.match(explain(abis, `0x4e487b71${'0'.repeat(62)}11`, say).sentence, /must not happen/)
})

test('the data of a revert is found wherever a wallet puts it', () => {
  for (const error of [
    { code: 3, data: '0x1234' },
    { code: -32603, data: { code: 3, data: '0x1234' } },
    { code: -32603, data: { originalError: { data: '0x1234' } } },
    { error: { data: '0x1234' } },
    { info: { error: { data: '0x1234' } } },
  ]) {
    assert.equal(revertData(error), '0x1234')
  }
  for (const error of [null, 'text', {}, { data: 'no hex' }, { code: 4001, message: '0x1234' }])
    assert.equal(revertData(error), undefined)
})
