import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge } from '../../src/lib/eligibility.ts'
import { digest, pack, recover, typedData, unpack, type VoucherTerms } from '../../src/lib/voucher.ts'

// What `gates/voucher.rs` is held against, which cast has signed with the key 0x11…11.
const SIGNER = '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A'
const SIGNED =
  '0xfbcd6c08ee29ed5dc0da245bc42b4770bbccd52fdc17b18b645074da7e18bbb75b79cd61e3b8e80954ae4376ef8240d2f79582ccb677344d8af7997b06d686561c'
const terms: VoucherTerms = {
  chain: 31337,
  sale: '0x8464135c8F25Da09e49BC8782676a84730C318bC',
  investor: '0x90F79bf6EB2c4f870365E785982E1f101E93b906',
  maxPaid: 2_500_000_000_000_000_000n,
  phases: [0, 2],
  deadline: 1_930_226_400,
  epoch: 3n,
}

test('hash and signer are those of the command line and the contract', () => {
  assert.equal(digest(terms), '0xb9b3df0e511377a0731b178e2251319286483e01fda48a4275ad90353f86a13b')
  assert.deepEqual(recover(terms, SIGNED), { signer: SIGNER, signature: SIGNED })
  // A hardware wallet writes the last byte as 0 or 1; the contract takes 27 and 28 alone.
  assert.deepEqual(recover(terms, `${SIGNED.slice(0, -2)}01`), { signer: SIGNER, signature: SIGNED })
  assert.notEqual(recover({ ...terms, epoch: 0n }, SIGNED)?.signer, SIGNER)
  for (const broken of ['0x', SIGNED.slice(0, -4), `0x${'ff'.repeat(65)}`])
    assert.equal(recover(terms, broken), undefined)
})

test('a wallet is asked with strings, which no float comes near', () => {
  const asked = JSON.parse(typedData(terms)) as { message: Record<string, unknown>; domain: { chainId: unknown } }
  assert.deepEqual(asked.message, {
    investor: terms.investor,
    maxPaid: '2500000000000000000',
    phases: '5',
    deadline: '1930226400',
    epoch: '3',
  })
  assert.equal(asked.domain.chainId, 31337)
})

test('what is packed is read again; what is cut off is none', () => {
  const packed = pack(terms, SIGNED)
  assert.equal(packed.length, 2 + 2 * 86)
  assert.deepEqual(unpack(packed), {
    maxPaid: terms.maxPaid,
    phases: [0, 2],
    deadline: terms.deadline,
    signature: SIGNED,
  })
  const most = pack({ ...terms, maxPaid: 2n ** 120n - 1n, phases: [7], deadline: 2 ** 40 - 1 }, SIGNED)
  assert.deepEqual(unpack(most), { maxPaid: 2n ** 120n - 1n, phases: [7], deadline: 2 ** 40 - 1, signature: SIGNED })
  for (const text of ['', '0x', 'voucher', packed.slice(0, 44), packed.slice(0, -1), packed.slice(2), `${packed}g0`])
    assert.equal(unpack(text), undefined, text)
})

test('a voucher is judged as the contract will', async () => {
  const packed = pack(terms, SIGNED)
  const of = {
    ...{ chain: terms.chain, sale: terms.sale, investor: terms.investor, signer: SIGNER, epoch: 3n },
    ...{ phase: { index: 2, starts: terms.deadline - 100 }, now: terms.deadline },
  }
  const kind = async (changed: object, asks?: () => Promise<boolean>) =>
    (await judge(packed, { ...of, ...changed }, asks)).kind
  assert.deepEqual(await judge(packed, of, undefined), { kind: 'good', maxPaid: terms.maxPaid, until: terms.deadline })
  // The last second is good.
  assert.equal(await kind({ now: terms.deadline + 1 }), 'expired')
  assert.equal(await kind({ phase: { index: 1, starts: 0 } }), 'notForPhase')
  assert.equal(await kind({ phase: { index: 0, starts: terms.deadline + 1 } }), 'early')
  const no = () => Promise.resolve(false)
  assert.equal((await judge(`${packed.slice(0, -2)}01`, of, no)).kind, 'invalid')
  assert.equal(await kind({ epoch: 4n }, no), 'invalid')
  assert.equal(await kind({ sale: terms.investor }, no), 'invalid')
  assert.equal(await kind({ investor: terms.sale }, no), 'invalid')
  // A contract as signer is asked, if there is somebody to ask it.
  const other = { signer: terms.sale }
  assert.equal(await kind(other, () => Promise.resolve(true)), 'good')
  assert.equal(await kind(other, () => Promise.resolve(false)), 'invalid')
  // With nobody to ask, or no answer, it may be a contract's.
  assert.equal(await kind(other), 'unsure')
  assert.equal(await kind(other, () => Promise.reject(new Error('fetch failed'))), 'unsure')
  const long = pack(terms, `${SIGNED}00`)
  assert.equal((await judge(long, { ...of, ...other }, undefined)).kind, 'unsure')
  assert.equal((await judge('0x12', of, undefined)).kind, 'malformed')
})
