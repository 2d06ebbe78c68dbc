// ERC-2612: the approval of a token, signed instead of sent. A signature is asked for only where it can be told beforehand that the token
// takes it: its domain is made from what the token says of itself and held against the separator it goes by. Loaded with ethers.

import { AbiCoder, Interface } from 'ethers/abi'
import { keccak256 } from 'ethers/crypto'
import { toUtf8Bytes } from 'ethers/utils'
import { revertData } from './errors.ts'
import type { Ask } from './observe.ts'
import { Silence, unlessSilent } from './patience.ts'

const abi = new Interface([
  'function DOMAIN_SEPARATOR() view returns (bytes32)',
  'function PERMIT_TYPEHASH() view returns (bytes32)',
  'function nonces(address owner) view returns (uint256)',
  'function name() view returns (string)',
  'function version() view returns (string)',
  'function eip712Domain() view returns (bytes1 fields, string name, string version, uint256 chainId, address verifyingContract, bytes32 salt, uint256[] extensions)',
  'function permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)',
])

/** In the order of EIP-712; a token's domain has some of them. */
const FIELDS = [
  ['name', 'string'],
  ['version', 'string'],
  ['chainId', 'uint256'],
  ['verifyingContract', 'address'],
  ['salt', 'bytes32'],
] as const

export interface Domain {
  name?: string
  version?: string
  chainId?: number
  verifyingContract?: string
  salt?: string
}

const PERMIT = [
  ['owner', 'address'],
  ['spender', 'address'],
  ['value', 'uint256'],
  ['nonce', 'uint256'],
  ['deadline', 'uint256'],
] as const

type Members = readonly (readonly [string, string])[]
const typed = (name: string, members: Members) => `${name}(${members.map(([n, type]) => `${type} ${n}`).join(',')})`
const hashed = (text: string) => keccak256(toUtf8Bytes(text))
const members = (list: Members) => list.map(([name, type]) => ({ name, type }))
const fieldsOf = (domain: Domain) => FIELDS.filter(([name]) => domain[name] !== undefined)

/** By EIP-712. */
export function separator(domain: Domain): string {
  const fields = fieldsOf(domain)
  const values = fields.map(([name, type]) => (type === 'string' ? hashed(String(domain[name])) : domain[name]))
  const types = fields.map(([, type]) => (type === 'string' ? 'bytes32' : type))
  const all = [hashed(typed('EIP712Domain', fields)), ...values]
  return keccak256(AbiCoder.defaultAbiCoder().encode(['bytes32', ...types], all))
}

/** The token's domain; `none`: it has no permit, or the account cannot sign one; `odd`: it has one that cannot be told to be ERC-2612. */
export type Permit = Domain | 'none' | 'odd'

export async function findPermit(ask: Ask, token: string, owner: string, chain: number): Promise<Permit> {
  const read = (name: string, values: unknown[] = []) =>
    ask('eth_call', [{ to: token, data: abi.encodeFunctionData(name, values) }, 'latest']).then((result) =>
      abi.decodeFunctionResult(name, String(result)),
    )
  const first = (name: string, values: unknown[] = []) =>
    read(name, values).then(([value]) => value as unknown, unlessSilent(undefined))
  const [wanted, nonce, typeHash, code] = await Promise.all([
    first('DOMAIN_SEPARATOR'),
    first('nonces', [owner]),
    first('PERMIT_TYPEHASH'),
    ask('eth_getCode', [owner, 'latest']).then(String),
  ])
  if (wanted === undefined || nonce === undefined) return 'none'
  // A contract has no key to sign with; an account that lent itself code (EIP-7702) has.
  if (code !== '0x' && !code.startsWith('0xef0100')) return 'none'
  // Of another type, as DAI has it.
  if (typeHash !== undefined && typeHash !== hashed(typed('Permit', PERMIT))) return 'odd'
  const here = { chainId: chain, verifyingContract: token }
  const described = await read('eip712Domain').then(
    (found) => fromDescription(found.toObject(), here),
    () => undefined,
  )
  const [name, version] = await Promise.all([first('name'), first('version')])
  const named = typeof name === 'string' ? { name } : {}
  const versions = [...(typeof version === 'string' ? [version] : []), '1', '2']
  const candidates: Domain[] = [
    ...(described ? [described] : []),
    ...versions.map((one) => ({ ...named, version: one, ...here })),
    { ...named, ...here },
  ]
  const domain = candidates.find((one) => separator(one) === wanted)
  return domain && (await isTaken(ask, token, owner)) ? domain : 'odd'
}

/** ERC-5267. A domain that is not of this chain and this token is never signed for. */
function fromDescription(told: Record<string, unknown>, here: Required<Pick<Domain, 'chainId' | 'verifyingContract'>>) {
  const bits = Number(told['fields'])
  const has = (bit: number) => (bits & (1 << bit)) !== 0
  if (!has(2) || !has(3) || (told['extensions'] as unknown[]).length !== 0) return undefined
  return {
    ...(has(0) ? { name: String(told['name']) } : {}),
    ...(has(1) ? { version: String(told['version']) } : {}),
    ...here,
    ...(has(4) ? { salt: String(told['salt']) } : {}),
  }
}

/**
 * Whether the token has the function at all, and looks at signatures: of one that nobody made it has to say why it does not take it. A
 * token without the function says nothing, or that all is well.
 */
async function isTaken(ask: Ask, token: string, owner: string): Promise<boolean> {
  const nobody = `0x${'1'.repeat(64)}`
  const data = abi.encodeFunctionData('permit', [owner, token, 1n, 2n ** 200n, 27, nobody, nobody])
  try {
    await ask('eth_call', [{ from: owner, to: token, data }, 'latest'])
    return false
  } catch (error) {
    if (error instanceof Silence) throw error
    return (revertData(error) ?? '0x') !== '0x'
  }
}

export interface Signed {
  deadline: bigint
  v: number
  r: string
  s: string
}

/** Seconds for which a permit is good: a wallet that is slow to confirm, and a block that is slow to come. */
const GOOD_FOR = 3_600n

/** What a wallet is asked to sign. */
export function typedData(domain: Domain, message: Record<(typeof PERMIT)[number][0], string>) {
  const types = { EIP712Domain: members(fieldsOf(domain)), Permit: members(PERMIT) }
  return JSON.stringify({ types, primaryType: 'Permit', domain, message })
}

/** Asks the wallet to sign that `spender` may take exactly `value`. */
export async function sign(
  ask: Ask,
  domain: Domain,
  { token, owner, spender, value }: { token: string; owner: string; spender: string; value: bigint },
): Promise<Signed> {
  const [nonce, block] = await Promise.all([
    ask('eth_call', [{ to: token, data: abi.encodeFunctionData('nonces', [owner]) }, 'latest']),
    ask('eth_getBlockByNumber', ['latest', false]),
  ])
  // By the clock that the token goes by.
  const deadline = BigInt((block as { timestamp: string }).timestamp) + GOOD_FOR
  const text = (number: bigint) => number.toString()
  const message = { owner, spender, value: text(value), nonce: text(BigInt(String(nonce))), deadline: text(deadline) }
  const signature = String(await ask('eth_signTypedData_v4', [owner, typedData(domain, message)]))
  return { deadline, ...split(signature) }
}

/** A signature in its parts; wallets write it in 65 bytes, some with v from 0, or in 64 (EIP-2098). */
export function split(signature: string): { v: number; r: string; s: string } {
  const bytes = signature.slice(2)
  if (!/^0x[0-9a-fA-F]+$/.test(signature) || (bytes.length !== 130 && bytes.length !== 128))
    throw new Error('no signature of one key')
  const r = `0x${bytes.slice(0, 64)}`
  const second = BigInt(`0x${bytes.slice(64, 128)}`)
  const s = (value: bigint) => `0x${value.toString(16).padStart(64, '0')}`
  if (bytes.length === 128) return { r, s: s(second & (2n ** 255n - 1n)), v: Number(second >> 255n) + 27 }
  const v = Number(`0x${bytes.slice(128)}`)
  return { r, s: s(second), v: v < 27 ? v + 27 : v }
}
