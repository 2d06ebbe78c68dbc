import assert from 'node:assert/strict'
import { test } from 'node:test'
import { href, parse, type Route } from '../../src/lib/router.ts'

test('every route is found again behind its link', () => {
  const routes: Exclude<Route, { page: 'unknown' }>[] = [
    { page: 'directory', q: '', state: '', chain: '' },
    { page: 'directory', q: 'a & b = c#?', state: 'open', chain: '1' },
    { page: 'sale', chain: 31337, sale: '0xDCa029a3fC8AdB9cC52c1310c1bff0b103C0E906' },
    { page: 'contribute', chain: 1, sale: '0xDCa029a3fC8AdB9cC52c1310c1bff0b103C0E906' },
    { page: 'positions', address: '' },
    { page: 'positions', address: '0xDCa029a3fC8AdB9cC52c1310c1bff0b103C0E906' },
    { page: 'positions', address: 'no/address?' },
    { page: 'status' },
    { page: 'team' },
    { page: 'team-sale', chain: 1, sale: '0xDCa029a3fC8AdB9cC52c1310c1bff0b103C0E906' },
    { page: 'desk', chain: 1, sale: '0xDCa029a3fC8AdB9cC52c1310c1bff0b103C0E906' },
  ]
  for (const route of routes) assert.deepEqual(parse(href(route)), route)
})

test('what is no route is said to be none', () => {
  for (const hash of [
    '#/nix',
    '#/sales',
    '#/sales/1',
    '#/sales/one/0x1',
    '#/sales/1/0x1/x',
    '#/sales/1/0x1/contribute/x',
    '#/status/x',
    '#/team/1',
    '#/team/one/0x1',
    '#/team/1/0x1/x',
    '#/team/1/0x1/vouchers/x',
  ]) {
    assert.equal(parse(hash).page, 'unknown', hash)
  }
  assert.equal(parse('').page, 'directory')
  assert.deepEqual(parse('#/positions/%E0%A4'), { page: 'positions', address: '%E0%A4' })
})
