// A position as the contracts tell it, in the shape of the API. What can be had is what the contracts owe, as `api/standing.rs` counts it,
// and not what a trial gives: one that does not get through, as of an address that the currency's issuer has blocked, leaves the money
// where it is.

import { getAddress } from 'ethers/address'
import type { Position, Sale, Schemas } from '../api.ts'
import { nextUnlock } from '../schedule.ts'
import { toSeconds } from '../time.ts'
import { iso } from './heads.ts'
import type { Reader } from './reader.ts'
import { findRejection, isRejectedByTrial, tryRefund } from './rejection.ts'
import { finality, outcomeOf } from './sale.ts'

export interface NodePosition extends Position {
  /** Whether its refund is due, and does not get through when it is tried: to another address it may. */
  isStuck: boolean
}

/** What an investor has in a sale; none where that is nothing. */
export async function findPosition(r: Reader, sale: Sale, written: string): Promise<NodePosition | undefined> {
  const investor = getAddress(written.toLowerCase())
  const { address, vault } = sale
  const positionOf = async (at: Reader) =>
    (await at.call('sale', address, 'positionOf', [investor])) as [bigint, bigint]
  const isSuccess = sale.state === 'succeeded'
  const [[paid, left], [claimable, excess], claimed, stake, until, tried, rest, hasObjected, howFinal] =
    await Promise.all([
      positionOf(r),
      r.call('sale', address, 'claimable', [investor]) as Promise<[bigint, bigint]>,
      r.one<bigint>('sale', address, 'claimedOf', [investor]),
      r.one<bigint>('sale', address, 'stakeOf', [investor]),
      r.one<bigint>('sale', address, 'coolingOffUntil', [investor]),
      tryRefund(r, address, investor),
      r.one<bigint>('vault', vault, 'refundable', [investor]),
      r.one<boolean>('vault', vault, 'hasObjected', [investor]),
      finality(r, async (at) =>
        (
          await Promise.all([
            positionOf(at),
            at.one<bigint>('sale', address, 'claimedOf', [investor]),
            outcomeOf(at, address),
          ])
        ).join(),
      ),
    ])
  if (paid === 0n && left === 0n && claimed === 0n) return undefined
  const money = (raw: bigint) => ({ ...sale.totals.raised, raw: raw.toString() })
  const tokens = (raw: bigint) => ({ ...sale.totals.sold, raw: raw.toString() })

  // Before an outcome and after a success, nobody but a rejected investor gets everything back by a refund.
  const isOver = sale.state === 'failed' || sale.state === 'cancelled'
  const told = await findRejection(r, address, investor, paid, left)
  const isRejected = told ?? isRejectedByTrial(tried, sale.state, stake, excess)
  const refund = isOver || isRejected ? paid : excess
  const withdrawal = r.heads.latest.timestamp < Number(until) ? paid : 0n
  const raised = BigInt(sale.totals.raised.raw)
  // Where the outcome allots, a position is written down at its first claim; until then it is its share.
  const share =
    sale.mode !== 'fixed_price' && isSuccess && !isRejected && left === 0n && claimed === 0n && claimable + excess > 0n
  const allotted = share && raised > 0n ? (paid * BigInt(sale.totals.sold.raw)) / raised : left + claimed
  const total = isRejected ? 0n : allotted

  const schedule = {
    atOnce: sale.vesting.at_once_basis_points,
    cliff: sale.vesting.cliff_seconds,
    duration: sale.vesting.duration_seconds,
  }
  const start = isSuccess && sale.settlement ? toSeconds(sale.settlement.time) : undefined
  const elapsed = start === undefined ? 0 : r.heads.latest.timestamp - start
  const after = start === undefined || total === 0n ? undefined : nextUnlock(total, schedule, elapsed)
  const next = start === undefined || after === undefined ? undefined : start + after

  const [status, action] = standing({
    sale,
    isRejected,
    isOver,
    isSuccess,
    paid,
    refund,
    claimable,
    excess,
    rest,
    withdrawal,
    next,
  })
  const canObject =
    isSuccess &&
    sale.tap.objection_basis_points > 0 &&
    sale.objections?.stopped === false &&
    !hasObjected &&
    stake > 0n &&
    elapsed < sale.tap.duration_seconds
  return {
    chain_id: sale.chain_id,
    sale: address,
    sale_name: sale.name,
    investor,
    state: sale.state,
    status,
    action,
    paid: money(paid),
    kept: isSuccess && !isRejected ? money(stake) : null,
    tokens: tokens(total),
    vested: tokens(claimed + claimable),
    claimed: tokens(claimed),
    claimable: tokens(claimable),
    next_unlock: next === undefined ? null : iso(next),
    excess: money(excess),
    excess_refunded: money(0n),
    refundable: money(refund + rest),
    refunded: money(0n),
    rest_refundable: money(rest),
    rest_refunded: money(0n),
    withdrawable: money(withdrawal),
    withdrawn: money(0n),
    cooling_off_until: until === 0n ? null : iso(Number(until)),
    rejected: isRejected,
    objected: hasObjected,
    can_object: canObject,
    contributions: 0,
    block: { ...sale.block, finality: howFinal },
    isStuck: (isOver || isRejected) && paid > 0n && tried.sum === 0n,
  }
}

interface Figures {
  sale: Sale
  isRejected: boolean
  isOver: boolean
  isSuccess: boolean
  paid: bigint
  refund: bigint
  claimable: bigint
  excess: bigint
  rest: bigint
  withdrawal: bigint
  next: number | undefined
}

/** Where it stands and what can be done, as the API says it (`api/standing.rs`). */
function standing(f: Figures): [Schemas['PositionStatus'], Schemas['Action']] {
  if (f.isRejected) return ['rejected', 'refund']
  if (f.isOver) return f.refund > 0n ? ['refundable', 'refund'] : ['refunded', 'none']
  if (f.isSuccess) {
    if (f.claimable > 0n || f.excess > 0n) return ['claimable', 'claim']
    if (f.rest > 0n) return ['rest_refundable', 'refund']
    return f.next === undefined ? ['completed', 'none'] : ['vesting', 'wait']
  }
  if (f.sale.state === 'ended') return ['awaiting_close', 'close']
  const canPay = f.sale.state === 'open' && !f.sale.sold_out && !f.sale.paused && f.paid < BigInt(f.sale.max_paid.raw)
  return [f.withdrawal > 0n ? 'cooling_off' : 'contributed', canPay ? 'contribute' : 'wait']
}
