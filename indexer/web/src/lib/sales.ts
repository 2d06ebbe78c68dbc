// Small readings of a sale, as the API tells it.

import type { Amount } from './amount.ts'
import type { Sale } from './api.ts'
import type { QuotedSale } from './quote.ts'
import { toSeconds } from './time.ts'

export const big = (amount: Amount) => BigInt(amount.raw)

/** What a quote needs of a sale. */
export function quoted(sale: Sale): QuotedSale {
  return {
    mode: sale.mode,
    opens: toSeconds(sale.opens),
    hardCap: big(sale.hard_cap),
    raised: big(sale.totals.raised),
    tokensForSale: big(sale.tokens_for_sale),
    phases: sale.phases.map((phase) => ({
      ends: toSeconds(phase.ends),
      raisedUpTo: big(phase.raised_up_to),
      price: BigInt(phase.price.raw),
      gate: phase.gate,
    })),
  }
}

/** An amount of what the sale is paid with. */
export function money(sale: Sale, raw: bigint): Amount {
  return { raw: raw.toString(), decimals: sale.currency.decimals, symbol: sale.currency.symbol }
}

/** An amount of what it sells. */
export function tokens(sale: Sale, raw: bigint): Amount {
  return { raw: raw.toString(), decimals: sale.token.decimals, symbol: sale.token.symbol }
}

/** What one whole token costs at `price`, rounded up: never shown cheaper than it is. */
export function perToken(sale: Sale, price: bigint): Amount {
  const whole = 10n ** BigInt(sale.token.decimals)
  return money(sale, (price * whole + 10n ** 18n - 1n) / 10n ** 18n)
}

/**
 * Who can close a sale before its end, where it is open and everything is sold: `_closesEarly` of the contract. Nobody may cut off the time
 * in which investors can withdraw, and none but compliance that in which it can reject.
 */
export function earlyCloser(sale: Sale): 'anybody' | 'compliance' | 'nobody' | undefined {
  if (sale.state !== 'open' || !sale.sold_out) return undefined
  if (sale.cooling_off_seconds > 0) return 'nobody'
  return sale.compliance ? 'compliance' : 'anybody'
}

export const isEther = (address: string) => /^0x0{40}$/.test(address)
export const isNone = (hash: string) => /^0x0{64}$/.test(hash)
