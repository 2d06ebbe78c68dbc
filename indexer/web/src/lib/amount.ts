// Amounts: whole numbers of base units in a bigint, from the field a person types in to the call a wallet signs. Nothing here
// passes through a float.

/** As the API writes it. */
export interface Amount {
  raw: string
  decimals: number
  symbol: string
}

/** Why a text is no amount. Each has its sentence in `messages.ts`. */
export type AmountFault =
  | { kind: 'empty' }
  | { kind: 'comma' }
  | { kind: 'space'; meant: string }
  | { kind: 'exponent' }
  | { kind: 'sign' }
  | { kind: 'point' }
  | { kind: 'characters' }
  | { kind: 'decimals'; most: number }
  | { kind: 'zero' }
  | { kind: 'huge' }

export type Parsed = { ok: true; raw: bigint } | { ok: false; fault: AmountFault }

/** The contracts hold every amount in 120 bits. */
const LARGEST = 2n ** 120n - 1n

/** Reads what a person typed, in whole tokens or ether, as base units. Nothing is guessed: what could mean two things is refused. */
export function parseAmount(text: string, decimals: number): Parsed {
  const refuse = (fault: AmountFault): Parsed => ({ ok: false, fault })
  const typed = text.trim()
  if (typed === '') return refuse({ kind: 'empty' })
  if (/[,،٫٬']/.test(typed)) return refuse({ kind: 'comma' })
  if (/\s/.test(typed)) return refuse({ kind: 'space', meant: typed.replace(/\s+/g, '') })
  if (/^[-+−]/.test(typed)) return refuse({ kind: 'sign' })
  if (/^\d*\.?\d*[eE][-+]?\d*$/.test(typed)) return refuse({ kind: 'exponent' })
  if (!/^[0-9.]+$/.test(typed)) return refuse({ kind: 'characters' })
  const match = /^(\d*)(?:\.(\d*))?$/.exec(typed)
  const whole = match?.[1] ?? ''
  // Trailing zeros say nothing, so they cannot be too many.
  const fraction = (match?.[2] ?? '').replace(/0+$/, '')
  if (!match || typed === '.') return refuse({ kind: 'point' })
  if (fraction.length > decimals) return refuse({ kind: 'decimals', most: decimals })
  if (whole.length > 60) return refuse({ kind: 'huge' })
  const raw = BigInt((whole === '' ? '0' : whole) + fraction.padEnd(decimals, '0'))
  if (raw === 0n) return refuse({ kind: 'zero' })
  if (raw > LARGEST) return refuse({ kind: 'huge' })
  return { ok: true, raw }
}

/** Exact, as `parseAmount` reads it: a point, no grouping, no trailing zeros. */
export function toUnits(raw: bigint, decimals: number): string {
  const [whole, fraction] = split(raw, decimals)
  return fraction === '' ? whole : `${whole}.${fraction}`
}

/** Groups of three are parted by this: no comma or point, which mean different things to different people. */
const GROUP = '\u202f'

/** An amount in pieces that a page can set apart: `1 234`, `.567891`, `234`. */
export interface Pieces {
  whole: string
  /** With its point, the first six places; empty if there are none. */
  fraction: string
  /** The places beyond, so that the whole text stays exact. */
  tail: string
}

export function toPieces(raw: bigint, decimals: number): Pieces {
  const [whole, fraction] = split(raw, decimals)
  return {
    whole: whole.replace(/\B(?=(\d{3})+$)/g, GROUP),
    fraction: fraction === '' ? '' : `.${fraction.slice(0, 6)}`,
    tail: fraction.slice(6),
  }
}

/** For a sentence: exact, grouped, with its symbol. */
export function format(raw: bigint, asset: { decimals: number; symbol: string }): string {
  const { whole, fraction, tail } = toPieces(raw, asset.decimals)
  return `${whole}${fraction}${tail} ${asset.symbol}`.trim()
}

export function formatAmount(amount: Amount): string {
  return format(BigInt(amount.raw), amount)
}

/** How much of `whole` is `part`, in hundredths of a percent, rounded down: a goal is not reached before it is. */
export function basisPoints(part: bigint, whole: bigint): number {
  return whole === 0n ? 0 : Number((part * 10_000n) / whole)
}

/** `1234` as `12.34 %`. */
export function percent(points: number): string {
  const [whole, rest] = [Math.floor(points / 100), points % 100]
  return rest === 0 ? `${whole} %` : `${whole}.${String(rest).padStart(2, '0').replace(/0$/, '')} %`
}

function split(raw: bigint, decimals: number): [string, string] {
  if (decimals === 0) return [raw.toString(), '']
  const digits = raw.toString().padStart(decimals + 1, '0')
  return [digits.slice(0, -decimals), digits.slice(-decimals).replace(/0+$/, '')]
}
