import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isProven, placeFault, writtenFault } from '../../src/lib/receiver.ts'

const GOOD = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'

test('an address to which nothing must go is refused for what is wrong with it', async () => {
  for (const [text, fault] of [
    ['', 'empty'],
    ['vitalik.eth', 'name'],
    ['0x1234', 'form'],
    ['0x70997970c51812dc3A010C7d01b50e0d17dc79C8', 'checksum'],
    [`0x${'0'.repeat(40)}`, 'zero'],
    [GOOD, undefined],
    [GOOD.toLowerCase(), undefined],
  ] as const)
    assert.equal(await writtenFault(text), fault, text)
})

test('the contracts of the sale and the address itself are no receivers, however they are written', () => {
  const places = { own: GOOD, sale: `0x${'1'.repeat(40)}`, vault: `0x${'2'.repeat(40)}` }
  assert.equal(placeFault(GOOD.toLowerCase(), places), 'own')
  assert.equal(placeFault(places.sale, places), 'sale')
  assert.equal(placeFault(places.vault, places), 'vault')
  const others = { token: `0x${'A'.repeat(40)}`, currency: `0x${'b'.repeat(40)}` }
  assert.equal(placeFault(`0x${'a'.repeat(40)}`, others), 'token')
  assert.equal(placeFault(`0x${'B'.repeat(40)}`, others), 'currency')
  assert.equal(placeFault(GOOD, others), undefined)
})

test('capitals prove an address only where it has both', () => {
  assert.equal(isProven(GOOD), true)
  assert.equal(isProven(GOOD.toLowerCase()), false)
  assert.equal(isProven(`0x${GOOD.slice(2).toUpperCase()}`), false)
})
