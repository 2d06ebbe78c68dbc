import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cloneOf } from '../../src/lib/node/clone.ts'

const shared = ['0x8464135c8F25Da09e49BC8782676a84730C318bC', '0x90F79bf6EB2c4f870365E785982E1f101E93b906']
const bare = (address = '') => address.slice(2).toLowerCase()
const clone = (address?: string) => `0x363d3d373d3d3d363d73${bare(address)}5af43d82803e903d91602b57fd5bf3`

test('a clone is known by all of its code that runs', () => {
  assert.equal(cloneOf(clone(shared[0]), shared), 0)
  assert.equal(cloneOf(`${clone(shared[1])}00ff`, shared), 1)
  assert.equal(cloneOf(clone(shared[1]).toUpperCase().replace('0X', '0x'), shared), 1)
  assert.equal(cloneOf(clone('0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A'), shared), -1)
  assert.equal(cloneOf('0x', shared), -1)
})

test('a code that carries the address where a clone has it, and does something else, is none', () => {
  // Jumps over the address.
  assert.equal(cloneOf(`0x60205600000000000000${bare(shared[0])}5b60006000f3`, shared), -1)
  // Begins as a clone, and goes on otherwise.
  assert.equal(cloneOf(`0x363d3d373d3d3d363d73${bare(shared[0])}3d82803e903d91602b57fd5bf3`, shared), -1)
})
