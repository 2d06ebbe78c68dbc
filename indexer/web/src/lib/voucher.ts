// Vouchers as `Gates.sol` packs and hashes them: `maxPaid` in 15 bytes, `phases` in one, `deadline` in five, then the signature. Loaded
// with ethers.

import { Signature } from 'ethers/crypto'
import { TypedDataEncoder, verifyTypedData } from 'ethers/hash'

export interface VoucherTerms {
  chain: number
  sale: string
  investor: string
  /** Base units of the currency, below 2^120. */
  maxPaid: bigint
  /** Indices of phases, from zero. */
  phases: number[]
  /** The last second that it is good for. */
  deadline: number
  epoch: bigint
}

const TYPES = {
  Voucher: [
    { name: 'investor', type: 'address' },
    { name: 'maxPaid', type: 'uint256' },
    { name: 'phases', type: 'uint256' },
    { name: 'deadline', type: 'uint256' },
    { name: 'epoch', type: 'uint256' },
  ],
}
const DOMAIN = [
  { name: 'name', type: 'string' },
  { name: 'version', type: 'string' },
  { name: 'chainId', type: 'uint256' },
  { name: 'verifyingContract', type: 'address' },
]

const bits = (phases: number[]) => phases.reduce((found, index) => found | (1 << index), 0)
const domain = (t: VoucherTerms) => ({
  name: 'Crowdsale',
  version: '1',
  chainId: t.chain,
  verifyingContract: t.sale,
})
const message = (t: VoucherTerms) => ({
  investor: t.investor,
  maxPaid: t.maxPaid.toString(),
  phases: bits(t.phases).toString(),
  deadline: t.deadline.toString(),
  epoch: t.epoch.toString(),
})

/** The argument of `eth_signTypedData_v4`. Numbers are strings, because wallets read JSON numbers as floats. */
export function typedData(t: VoucherTerms): string {
  const types = { EIP712Domain: DOMAIN, ...TYPES }
  return JSON.stringify({ types, primaryType: 'Voucher', domain: domain(t), message: message(t) })
}

export const digest = (t: VoucherTerms) => TypedDataEncoder.hash(domain(t), TYPES, message(t))

/** Who made a key's signature, and its bytes as the contract takes them: hardware wallets write `v` otherwise. */
export function recover(t: VoucherTerms, signature: string): { signer: string; signature: string } | undefined {
  try {
    const normal = Signature.from(signature).serialized
    return { signer: verifyTypedData(domain(t), TYPES, message(t), normal), signature: normal }
  } catch {
    return undefined
  }
}

const hex = (value: bigint | number, bytes: number) => value.toString(16).padStart(bytes * 2, '0')

/** `eligibility` of the contract's `contribute`. */
export function pack(t: VoucherTerms, signature: string): string {
  return `0x${hex(t.maxPaid, 15)}${hex(bits(t.phases), 1)}${hex(t.deadline, 5)}${signature.replace(/^0x/, '')}`
}

export interface Unpacked {
  maxPaid: bigint
  phases: number[]
  deadline: number
  signature: string
}

const HEAD = 2 + 2 * 21

/** What stands in a voucher; none where it is cut off or no voucher at all. */
export function unpack(eligibility: string): Unpacked | undefined {
  if (!/^0x([0-9a-fA-F]{2})+$/.test(eligibility) || eligibility.length <= HEAD) return undefined
  const mask = parseInt(eligibility.slice(32, 34), 16)
  return {
    maxPaid: BigInt(`0x${eligibility.slice(2, 32)}`),
    phases: [0, 1, 2, 3, 4, 5, 6, 7].filter((index) => (mask >> index) & 1),
    deadline: parseInt(eligibility.slice(34, HEAD), 16),
    signature: `0x${eligibility.slice(HEAD)}`,
  }
}
