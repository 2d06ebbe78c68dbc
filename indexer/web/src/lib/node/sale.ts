// A sale as its contract tells it, in the shape of the API. What only events tell, such as how many investors there are, is left at
// nothing; a screen that knows where the answer comes from does not show it.

import { getAddress } from 'ethers/address'
import type { Schemas, Sale } from '../api.ts'
import { freed } from '../schedule.ts'
import { cloneOf } from './clone.ts'
import { iso } from './heads.ts'
import { NOBODY, type Reader } from './reader.ts'

const STATES = ['upcoming', 'open', 'ended', 'succeeded', 'failed', 'cancelled'] as const
const GATES = ['open', 'voucher', 'merkle'] as const
const MODES = ['FIXED_PRICE_SALE', 'PRO_RATA_SALE', 'DUTCH_AUCTION_SALE'] as const
const MODE_NAMES = ['fixed_price', 'pro_rata', 'dutch_auction'] as const

/** As `terms()` gives them. */
interface Terms {
  compliance: string
  signer: string
  beneficiary: string
  token: string
  currency: string
  opens: bigint
  coolingOff: bigint
  softCap: bigint
  hardCap: bigint
  minPaid: bigint
  maxPaid: bigint
  tokensForSale: bigint
  unsold: bigint
  vesting: { atOnce: bigint; cliff: bigint; duration: bigint }
  tap: { atOnce: bigint; duration: bigint; objection: bigint }
  phases: { end: bigint; raisedUpTo: bigint; price: bigint; gate: bigint; root: string }[]
}

/**
 * Of which kind a sale of the factory is; none if it is no sale of the factory. A sale shares the factory's code and names the factory;
 * both could be copied, but the vault beside it stands where the factory alone can have put it.
 */
async function findMode(r: Reader, address: string): Promise<(typeof MODE_NAMES)[number] | undefined> {
  const code = await r.code(address)
  const kinds = await Promise.all(MODES.map((name) => r.one<string>('factory', r.place.factory, name)))
  const kind = cloneOf(code, kinds)
  if (kind < 0) return undefined
  const [factory, vault] = await Promise.all([
    r.one<string>('sale', address, 'factory'),
    r.one<string>('sale', address, 'vault'),
  ])
  if (factory.toLowerCase() !== r.place.factory.toLowerCase() || (await r.code(vault)) === '0x') return undefined
  return MODE_NAMES[kind]
}

/** Text of strangers: no line of it may move another, or fill the screen. */
const tame = (text: string, most: number) => text.replaceAll(/\p{C}/gu, '').slice(0, most)

async function readToken(r: Reader, address: string): Promise<Schemas['Token']> {
  if (address === NOBODY) return { address, symbol: 'ETH', name: 'Ether', decimals: 18 }
  const [symbol, name, decimals] = await Promise.all([
    r.unless('', r.one<string>('token', address, 'symbol')),
    r.unless('', r.one<string>('token', address, 'name')),
    r.one<bigint>('token', address, 'decimals'),
  ])
  return { address, symbol: tame(symbol, 32), name: tame(name, 64), decimals: Number(decimals) }
}

/** What is written down of a sale: a figure means something else after it. The other states come with time alone. */
export async function outcomeOf(r: Reader, address: string): Promise<string> {
  const state = STATES[Number(await r.one<bigint>('sale', address, 'state'))]
  return state === 'succeeded' || state === 'failed' || state === 'cancelled' ? state : 'none'
}

/** How final a figure is: whether it was the same already in the block that is final. */
export async function finality(r: Reader, figure: (at: Reader) => Promise<string>): Promise<Schemas['Finality']> {
  const now = await figure(r)
  for (const tag of ['finalized', 'safe'] as const) {
    const before = await figure(r.at(r.heads[tag])).catch(() => undefined)
    if (before === now) return tag
  }
  return 'latest'
}

/** A sale at the reader's block; none where there is no sale of the factory. */
export async function findSale(r: Reader, written: string): Promise<Sale | undefined> {
  const address = getAddress(written.toLowerCase())
  const mode = await findMode(r, address)
  if (!mode) return undefined
  const sale = <T>(name: string, values: unknown[] = []) => r.one<T>('sale', address, name, values)
  const totals = async (at: Reader) => (await at.call('sale', address, 'totals')) as [bigint, bigint, bigint]
  const [terms, [raised, sold], stateNumber, vault, isPaused, owner, pendingOwner, compliance, settledAt, signer] =
    await Promise.all([
      sale<Terms>('terms'),
      totals(r),
      sale<bigint>('state'),
      sale<string>('vault'),
      sale<boolean>('paused'),
      sale<string>('owner'),
      sale<string>('pendingOwner'),
      sale<string>('compliance'),
      sale<bigint>('settledAt'),
      r.call('sale', address, 'voucherSigner') as Promise<[string, bigint]>,
    ])
  const state = STATES[Number(stateNumber)] ?? 'ended'
  const [currency, token, isRestricted, held, account, releasable, objections, room, price, index, howFinal] =
    await Promise.all([
      readToken(r, terms.currency),
      readToken(r, terms.token),
      r.unless(
        false,
        r.call('token', terms.token, 'detectTransferRestriction', [NOBODY, NOBODY, 0n]).then(() => true),
      ),
      r.balance(terms.currency, address),
      r.call('vault', vault, 'account') as Promise<[bigint, bigint]>,
      r.unless(0n, r.one<bigint>('vault', vault, 'releasable')),
      r.call('vault', vault, 'objections') as Promise<[bigint, bigint, boolean]>,
      r.unless(
        undefined,
        r.call('sale', address, 'quote', [terms.hardCap]).then((found) => found[1] as bigint),
      ),
      r.unless(undefined, sale<bigint>('price')),
      r.unless(undefined, sale<bigint>('activePhase')),
      finality(r, async (at) => (await Promise.all([totals(at), outcomeOf(at, address)])).join()),
    ])
  const money = (raw: bigint) => ({ raw: raw.toString(), decimals: currency.decimals, symbol: currency.symbol })
  const tokens = (raw: bigint) => ({ raw: raw.toString(), decimals: token.decimals, symbol: token.symbol })
  const priced = (raw: bigint) => ({ raw: raw.toString(), unit: (10n ** 18n).toString() })
  const phases = terms.phases.map((phase, place) => ({
    index: place,
    starts: iso(Number(place === 0 ? terms.opens : (terms.phases[place - 1]?.end ?? terms.opens))),
    ends: iso(Number(phase.end)),
    raised_up_to: money(phase.raisedUpTo),
    price: priced(phase.price),
    gate: GATES[Number(phase.gate)] ?? 'voucher',
    root: Number(phase.gate) === 2 ? phase.root : null,
  }))
  const closes = phases.at(-1)?.ends ?? iso(Number(terms.opens))
  const active = index === undefined ? undefined : phases[Number(index)]
  const next = state === 'upcoming' ? phases[0] : active && phases[active.index + 1]
  const { latest } = r.heads
  const block = {
    chain_id: r.place.chain,
    number: latest.number,
    hash: latest.hash,
    log_index: 0,
    confirmations: 1,
    finality: howFinal,
  }
  const none = { uri: '', sha256: `0x${'0'.repeat(64)}` }
  const [received, released] = account
  const [objected, vaultNeeds, isStopped] = objections
  const succeededAt = state === 'succeeded' ? Number(settledAt) : undefined
  const kept = raised < terms.hardCap ? raised : terms.hardCap
  // The vault takes the money with the first release or objection, and counts nothing before: what it will count is counted here.
  const isUnswept = succeededAt !== undefined && received === 0n
  const tap = { atOnce: Number(terms.tap.atOnce), cliff: 0, duration: Number(terms.tap.duration) }
  const due = isUnswept ? freed(kept, tap, latest.timestamp - succeededAt) : releasable
  const needed = isUnswept ? (kept * terms.tap.objection) / 10_000n : vaultNeeds
  return {
    chain_id: r.place.chain,
    address,
    name: token.name,
    mode,
    state,
    sold_out: state === 'open' && !isPaused && (room === undefined || room === 0n),
    paused: isPaused,
    opens: iso(Number(terms.opens)),
    closes,
    token,
    token_kind: isRestricted ? 'restricted' : 'plain',
    currency,
    soft_cap: money(terms.softCap),
    hard_cap: money(terms.hardCap),
    min_paid: money(terms.minPaid),
    max_paid: money(terms.maxPaid),
    tokens_for_sale: tokens(terms.tokensForSale),
    unsold: Number(terms.unsold) === 1 ? 'burn' : 'return',
    cooling_off_seconds: Number(terms.coolingOff),
    vesting: {
      at_once_basis_points: Number(terms.vesting.atOnce),
      cliff_seconds: Number(terms.vesting.cliff),
      duration_seconds: Number(terms.vesting.duration),
    },
    tap: {
      at_once_basis_points: Number(terms.tap.atOnce),
      duration_seconds: Number(terms.tap.duration),
      objection_basis_points: Number(terms.tap.objection),
    },
    phases,
    active_phase: active ?? null,
    next_phase: next ?? null,
    price: price === undefined ? null : priced(price),
    totals: {
      raised: money(raised),
      sold: tokens(sold),
      kept: state === 'succeeded' ? money(kept) : null,
      held: money(held),
      released: money(released),
      releasable: money(due),
      in_vault: money(received - released),
      unswept: money(isUnswept ? kept : 0n),
      excess: money(state === 'succeeded' ? raised - kept : 0n),
      investors: 0,
      contributions: 0,
      withdrawn: money(0n),
      withdrawals: 0,
      rejected: money(0n),
      rejections: 0,
      refunded: money(0n),
      refunds: 0,
      excess_refunded: money(0n),
      claimed: tokens(0n),
      claims: 0,
      dust: money(0n),
      unclaimed: tokens(0n),
    },
    documents: { sale: none, whitepaper: none, superseding: [] },
    allocations: [],
    objections:
      Number(terms.tap.objection) === 0
        ? null
        : {
            objected: money(objected),
            needed: money(needed),
            stopped: isStopped,
            rest: isStopped ? money(received - released) : null,
            rest_refunded: money(0n),
            until: succeededAt === undefined ? null : iso(succeededAt + Number(terms.tap.duration)),
          },
    settlement:
      state === 'succeeded' || state === 'failed'
        ? { outcome: state, time: iso(Number(settledAt)), transaction_hash: none.sha256, block }
        : null,
    owner,
    pending_owner: pendingOwner === NOBODY ? null : pendingOwner,
    compliance: compliance === NOBODY ? null : compliance,
    voucher_signer: signer[0] === NOBODY ? null : signer[0],
    voucher_epoch: signer[1].toString(),
    beneficiary: terms.beneficiary,
    creator: NOBODY,
    vault,
    created: { time: iso(Number(terms.opens)), transaction_hash: none.sha256, block },
    block,
  }
}
