// Whether compliance has rejected an investor. No function of the sale tells it; its storage does, and where a node does not give that out,
// the refund of a rejected investor, which is due before any outcome, when it is tried.

import { AbiCoder } from 'ethers/abi'
import { keccak256 } from 'ethers/crypto'
import type { Sale } from '../api.ts'
import { isRefusal, revertData } from '../errors.ts'
import { abis, type Reader } from './reader.ts'

/** Of `$positions` in `Sale.sol`, and of what its words hold (`Ledger.sol`). The sale runs the factory's own code, so it is there. */
const SLOT = 7n
const HALF = 120n
const MASK = (1n << HALF) - 1n
const REJECTED = 0xffffn

/** What a word of `$positions` says, if it is one: it has to hold what the contract says of the position. */
export function isRejectedBy(word: bigint, paid: bigint, left: bigint): boolean | undefined {
  if ((word & MASK) !== paid || ((word >> HALF) & MASK) !== left) return undefined
  return word >> (2n * HALF) === REJECTED
}

/** Whether its storage calls it rejected; none where the node does not say. */
export async function findRejection(r: Reader, sale: string, investor: string, paid: bigint, left: bigint) {
  const slot = keccak256(AbiCoder.defaultAbiCoder().encode(['address', 'uint256'], [investor, SLOT]))
  const word = await r.storage(sale, slot).catch(() => undefined)
  return word === undefined ? undefined : isRejectedBy(word, paid, left)
}

export interface Trial {
  /** What it would pay. */
  sum: bigint
  /** Whether the sale would pay, and it does not get through to whom it goes. */
  isHeld: boolean
}

/** Tries a refund, of which the sale says no before it pays. */
export async function tryRefund(r: Reader, sale: string, investor: string): Promise<Trial> {
  try {
    return { sum: await r.one<bigint>('sale', sale, 'refundFor', [investor]), isHeld: false }
  } catch (error) {
    if (!isRefusal(error)) throw error
    const data = revertData(error)
    const name = data !== undefined && data.length >= 10 ? abis.sale.getError(data.slice(0, 10))?.name : undefined
    return { sum: 0n, isHeld: data !== undefined && name !== 'NotRefundable' && name !== 'NothingToRefund' }
  }
}

/** By what a refund does and what was kept, where the storage cannot be read: after a failure, everybody's is due. */
export function isRejectedByTrial(trial: Trial, state: Sale['state'], stake: bigint, excess: bigint): boolean {
  if (state === 'failed' || state === 'cancelled') return false
  const isDue = trial.sum > 0n || trial.isHeld
  return isDue && (state !== 'succeeded' || (stake === 0n && excess === 0n))
}
