// What an amount buys, rounded exactly as the contracts round (`Price.sol`, `SaleArgs.phaseAt`, `_nextPart` of each kind of sale).

export type Gate = 'open' | 'voucher' | 'merkle'

export interface QuotedPhase {
  /** First second after it. */
  ends: number
  /** Payment base units. */
  raisedUpTo: bigint
  /** Payment base units for 1e18 token base units. */
  price: bigint
  gate: Gate
}

export interface QuotedSale {
  mode: 'fixed_price' | 'pro_rata' | 'dutch_auction'
  opens: number
  hardCap: bigint
  raised: bigint
  tokensForSale: bigint
  phases: QuotedPhase[]
}

export interface Quote {
  /** What would be taken; the rest of the amount stays with, or goes back to, who sends it. */
  accepted: bigint
  /** Token base units. Of an auction the least, of a pro-rata sale the most that it can become. */
  tokens: bigint
  /** One entry a phase that the amount falls into. */
  parts: { phase: number; amount: bigint; tokens: bigint; price: bigint }[]
  /** The phase that the rest falls into, and which does not let in who pays. */
  beyond?: { number: number; gate: Gate }
}

const UNIT = 10n ** 18n
const least = (a: bigint, b: bigint) => (a < b ? a : b)

/**
 * What `amount` would get in a block with timestamp `time`, limits apart. Into a phase with a gate it goes on only if `isLetIn` says so. The
 * phase that it begins in is taken for open: where it is not, the contract takes nothing, and says why.
 */
export function quote(
  sale: QuotedSale,
  amount: bigint,
  time: number,
  isLetIn: (phase: number) => boolean = () => false,
): Quote {
  const found: Quote = { accepted: 0n, tokens: 0n, parts: [] }
  while (found.accepted !== amount) {
    const raised = sale.raised + found.accepted
    const next = nextPart(sale, raised, amount - found.accepted, time)
    if (!next || next.amount === 0n) break
    const gate = sale.phases[next.phase]?.gate ?? 'open'
    if (found.parts.length > 0 && gate !== 'open' && !isLetIn(next.phase)) {
      found.beyond = { number: next.phase + 1, gate }
      break
    }
    found.accepted += next.amount
    found.tokens += next.tokens
    found.parts.push(next)
  }
  return found
}

interface Gated {
  gate: Gate
  /** Of its list. */
  root?: string | null
}

/** What an investor has for the gate of the phase that is active now. */
export interface Held {
  /** Phases that their voucher names. */
  vouched?: number[] | undefined
  /** Whether they are on its list. */
  isListed: boolean
}

/** Whether what an investor has for the active phase lets them into another one, too: nothing else goes with a contribution. */
export function isLetIn(phases: Gated[], active: Gated | null | undefined, held: Held, index: number): boolean {
  const phase = phases[index]
  if (!phase || phase.gate === 'open') return phase !== undefined
  if (active?.gate !== phase.gate) return false
  return phase.gate === 'voucher'
    ? (held.vouched?.includes(index) ?? false)
    : held.isListed && phase.root === active.root
}

/** The price of a block: what `price()` of the contract tells. */
export function priceAt(sale: QuotedSale, time: number): bigint | undefined {
  return phaseAndPrice(sale, sale.raised, time)?.price
}

/**
 * Whether nothing can be bought once so much is raised: `_isSoldOut` of each kind of sale. Only a contribution after which it is so may
 * leave its investor below the least.
 */
export function isSoldOut(sale: QuotedSale, raised: bigint, time: number): boolean {
  if (sale.mode === 'pro_rata') return false
  const at = phaseAndPrice(sale, raised, time)
  if (!at) return true
  // Before the last phase the next price may still buy something.
  if (sale.mode === 'fixed_price' && at.phase < sale.phases.length - 1) return false
  return (room(sale, raised, at) * UNIT) / at.price === 0n
}

function nextPart(sale: QuotedSale, raised: bigint, left: bigint, time: number) {
  const at = phaseAndPrice(sale, raised, time)
  if (!at) return undefined
  // A pro-rata sale takes all; what is above its limits, it refuses.
  const amount = sale.mode === 'pro_rata' ? left : least(left, room(sale, raised, at))
  return { ...at, amount, tokens: (amount * UNIT) / at.price }
}

function room(sale: QuotedSale, raised: bigint, at: { phase: number; price: bigint }): bigint {
  const cap =
    sale.mode === 'fixed_price'
      ? (sale.phases[at.phase]?.raisedUpTo ?? 0n)
      : least(sale.hardCap, (sale.tokensForSale * at.price) / UNIT)
  return cap > raised ? cap - raised : 0n
}

function phaseAndPrice(sale: QuotedSale, raised: bigint, time: number): { phase: number; price: bigint } | undefined {
  const counted = sale.mode === 'fixed_price' ? raised : 0n
  const phase = sale.phases.findIndex((p) => time < p.ends && counted < p.raisedUpTo)
  const current = sale.phases[phase]
  if (!current) return undefined
  const next = sale.phases[phase + 1]
  if (sale.mode !== 'dutch_auction' || !next) return { phase, price: current.price }
  const start = sale.phases[phase - 1]?.ends ?? sale.opens
  const elapsed = BigInt(Math.max(0, time - start))
  // What it has fallen is rounded down, so the price is at no second below the line.
  return { phase, price: current.price - ((current.price - next.price) * elapsed) / BigInt(current.ends - start) }
}
