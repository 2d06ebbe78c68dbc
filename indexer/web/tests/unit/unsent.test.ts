import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isUnsent, mayStillAsk } from '../../src/lib/unsent.ts'

test('only a code that comes before anything is sent says that nothing was', () => {
  for (const code of [4001, 4100, 4200, 4902, 5750, -32601, -32602]) assert.equal(isUnsent(code), true, String(code))
  // A node's own failure, a limit, a timeout, a lost connection, what it knows already, and no code at all.
  for (const code of [-32603, -32005, -32002, -32003, -32000, 4900, 4901, undefined])
    assert.equal(isUnsent(code), false, String(code))
})

test('a question that is open already, a lost connection and an error without a code leave a wallet that may still ask', () => {
  for (const code of [-32002, 4900, 4901, undefined]) assert.equal(mayStillAsk(code), true, String(code))
  for (const code of [-32603, -32005, -32000]) assert.equal(mayStillAsk(code), false, String(code))
})
