// Whether an address may take part in a phase, with the voucher that it has, as far as can be told before the phase begins. The contract
// has the last word. Loaded with ethers.

import { digest, recover, unpack } from './voucher.ts'

export type VoucherVerdict =
  | { kind: 'good'; maxPaid: bigint; until: number }
  | { kind: 'malformed' }
  | { kind: 'notForPhase' }
  | { kind: 'expired'; until: number }
  /** It ends before the phase begins. */
  | { kind: 'early'; until: number }
  | { kind: 'invalid' }
  /** A contract may sign, and nobody could ask it. */
  | { kind: 'unsure' }

interface Of {
  chain: number
  sale: string
  investor: string
  signer: string
  epoch: bigint
  phase: { index: number; starts: number }
  now: number
}

/** `asks`: whether the signer is a contract, and whether it signed; none without a node to ask. It throws where the node does not say. */
export async function judge(
  eligibility: string,
  of: Of,
  asks: ((signer: string, hash: string, signature: string) => Promise<boolean>) | undefined,
): Promise<VoucherVerdict> {
  const found = unpack(eligibility)
  if (!found) return { kind: 'malformed' }
  if (!found.phases.includes(of.phase.index)) return { kind: 'notForPhase' }
  if (of.now > found.deadline) return { kind: 'expired', until: found.deadline }
  const terms = { ...of, ...found }
  const good = { kind: 'good', maxPaid: found.maxPaid, until: found.deadline } as const
  const byKey = recover(terms, found.signature)
  // The contract takes a key's signature in one form alone.
  const isOfKey = byKey?.signature === found.signature.toLowerCase()
  if (!isOfKey || byKey.signer.toLowerCase() !== of.signer.toLowerCase()) {
    // Whatever its length and whoever's key made it, it could still be a contract's.
    const signed = await asks?.(of.signer, digest(terms), found.signature).catch(() => undefined)
    if (signed === undefined) return { kind: 'unsure' }
    if (!signed) return { kind: 'invalid' }
  }
  return found.deadline < of.phase.starts ? { kind: 'early', until: found.deadline } : good
}
