import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Interface, Signature, TypedDataEncoder, Wallet } from 'ethers'
import type { Ask } from '../../src/lib/observe.ts'
import { type Domain, findPermit, separator, sign, split, typedData } from '../../src/lib/permit.ts'

const TOKEN = '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512'
const OTHER = '0xDCa029a3fC8AdB9cC52c1310c1bff0b103C0E906'
const key = new Wallet(`0x${'11'.repeat(32)}`)
const SALT = `0x${'22'.repeat(32)}`
const domain: Domain = { name: 'Dev Dollar', version: '1', chainId: 31337, verifyingContract: TOKEN }

test('a domain has the separator of EIP-712, whichever fields it has', () => {
  const { name, version, chainId, verifyingContract } = domain as Required<Domain>
  for (const one of [
    domain,
    { name, chainId, verifyingContract },
    { chainId, verifyingContract },
    { name, version, chainId, verifyingContract, salt: SALT },
  ])
    assert.equal(separator(one), TypedDataEncoder.hashDomain(one))
})

const abi = new Interface([
  'function DOMAIN_SEPARATOR() view returns (bytes32)',
  'function PERMIT_TYPEHASH() view returns (bytes32)',
  'function nonces(address owner) view returns (uint256)',
  'function name() view returns (string)',
  'function version() view returns (string)',
  'function eip712Domain() view returns (bytes1 fields, string name, string version, uint256 chainId, address verifyingContract, bytes32 salt, uint256[] extensions)',
  'function permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)',
  'error ERC2612InvalidSigner(address signer, address owner)',
])

/** A node with a token that has these functions; of others it says nothing, as a contract without a fallback does. */
const token =
  (has: Record<string, unknown[]>, { code = '0x', permit = 'refuses' } = {}): Ask =>
  async (method, params) => {
    if (method === 'eth_getCode') return code
    if (method === 'eth_getBlockByNumber') return { timestamp: '0x64' }
    if (method === 'eth_signTypedData_v4') {
      const { types, domain, message } = JSON.parse(String(params[1])) as Parameters<typeof read>[0]
      return read({ types, domain, message })
    }
    assert.equal(method, 'eth_call')
    const { data } = params[0] as { data: string }
    const name = abi.getFunction(data.slice(0, 10))?.name ?? ''
    if (name === 'permit') {
      if (permit === 'swallows') return '0x'
      const error = permit === 'refuses' ? abi.encodeErrorResult('ERC2612InvalidSigner', [TOKEN, OTHER]) : '0x'
      throw Object.assign(new Error('execution reverted'), { code: 3, data: error })
    }
    const values = has[name]
    if (!values) throw Object.assign(new Error('execution reverted'), { code: 3, data: '0x' })
    return abi.encodeFunctionResult(name, values)
  }
function read({ types, domain, message }: { types: Record<string, []>; domain: object; message: object }) {
  const { EIP712Domain: _, ...rest } = types
  return key.signTypedData(domain, rest, message)
}

const own = { DOMAIN_SEPARATOR: [separator(domain)], nonces: [4n], name: ['Dev Dollar'] }
const described = ['0x0f', 'Dev Dollar', '1', 31337n, TOKEN, `0x${'0'.repeat(64)}`, []]
const find = (ask: Ask, chain = 31337) => findPermit(ask, TOKEN, key.address, chain)

test('a permit is found by what the token says of its domain, or by its name and the usual versions', async () => {
  assert.deepEqual(await find(token({ ...own, eip712Domain: described })), domain)
  assert.deepEqual(await find(token(own)), domain)
  const second = { ...domain, version: '2' }
  assert.deepEqual(await find(token({ ...own, DOMAIN_SEPARATOR: [separator(second)], version: ['2'] })), second)
  const { version: _, ...bare } = domain
  assert.deepEqual(await find(token({ ...own, DOMAIN_SEPARATOR: [separator(bare)] })), bare)
})

test('where there is none, or nobody to sign it, none is asked for', async () => {
  assert.equal(await find(token({})), 'none')
  assert.equal(await find(token({ name: ['USD'], nonces: [0n] })), 'none')
  assert.equal(await find(token(own, { code: '0x6080' })), 'none')
  // Lent code, and a key of its own.
  assert.deepEqual(await find(token(own, { code: `0xef0100${'ab'.repeat(20)}` })), domain)
})

test('a signature is never asked for which could not be told to be good, or is for another token or chain', async () => {
  const odd = async (has: Record<string, unknown[]>, permit?: string, chain?: number) =>
    assert.equal(await find(token({ ...own, ...has }, permit ? { permit } : {}), chain), 'odd')
  await odd({ DOMAIN_SEPARATOR: [SALT] })
  await odd({ name: ['Another'] })
  // Of another type, as DAI’s.
  await odd({ PERMIT_TYPEHASH: ['0xea2aa0a1be11a07ed86d755c93467f4f82362b452371d1ba94d1715123511acb'] })
  // No such function, and one that takes whatever it is given.
  await odd({}, 'says nothing')
  await odd({}, 'swallows')
  await odd({}, undefined, 1)
  const lent = { ...domain, verifyingContract: OTHER }
  const told = [...described.slice(0, 4), OTHER, ...described.slice(5)]
  await odd({ DOMAIN_SEPARATOR: [separator(lent)], eip712Domain: told })
  await odd({ DOMAIN_SEPARATOR: [separator({ ...domain, chainId: 1 })] })
  const { chainId: _, ...everywhere } = domain
  await odd({ DOMAIN_SEPARATOR: [separator(everywhere)], eip712Domain: ['0x0b', ...described.slice(1)] })
})

test('what is signed is the exact amount for the one sale, by the chain’s clock', async () => {
  const signed = await sign(token(own), domain, {
    token: TOKEN,
    owner: key.address,
    spender: OTHER,
    value: 500_000_001n,
  })
  assert.equal(signed.deadline, 100n + 3_600n)
  const message = { owner: key.address, spender: OTHER, value: '500000001', nonce: '4', deadline: '3700' }
  const { types } = JSON.parse(typedData(domain, message)) as { types: Record<string, []> }
  const digest = TypedDataEncoder.hash(domain, { Permit: types['Permit'] ?? [] }, message)
  const { r, s, v } = key.signingKey.sign(digest)
  assert.deepEqual([signed.r, signed.s, signed.v], [r, s, v])
})

test('a signature is read in each form that wallets write it in', () => {
  const full = key.signingKey.sign(SALT)
  const parts = { r: full.r, s: full.s, v: full.v }
  assert.deepEqual(split(full.serialized), parts)
  assert.deepEqual(split(full.serialized.slice(0, 130) + (full.v - 27).toString(16).padStart(2, '0')), parts)
  assert.deepEqual(split(Signature.from(full).compactSerialized), parts)
  for (const bad of ['0x', '0x12', `${full.serialized}00`, 'signed']) assert.throws(() => split(bad))
})
