// What a contribution takes and what it buys: as the page shows it, as the node has it right before the wallet is asked, and as its block
// has it.

import type { Amount } from './amount.ts'
import type { Log } from './observe.ts'
import { isOver, type State, type Transaction } from './transaction.ts'

export interface Figures {
  /** Base units of the currency. */
  accepted: bigint
  /** Base units of the token; none where they follow from the outcome of the sale. */
  tokens?: bigint | undefined
}

/** What the review says. */
export interface Promised extends Figures {
  /** What was typed. */
  asked: bigint
  /** Whether it is sent as a whole, and the rest comes back; of a token, the rest is not taken. */
  isEther: boolean
}

/** Where what would happen falls short of what was said: in the money that is taken, or in what it buys. */
export function shortfall(said: Figures, found: Figures): 'accepted' | 'tokens' | undefined {
  if (found.accepted < said.accepted) return 'accepted'
  return said.tokens !== undefined && found.tokens !== undefined && found.tokens < said.tokens ? 'tokens' : undefined
}

/** Of `Contributed(investor, payer, phase, amount, tokens, paid, raised, sold)`; the first two are indexed. */
const CONTRIBUTED = '0x499209a660f3874ce32a0ba6b47009474648c4de44a145c18501e816d1b897c1'

/** What a sale took of a transaction's account, by the logs of its block: one that falls into several phases has a log of each. */
export function takenBy(
  logs: Pick<Log, 'address' | 'topics' | 'data'>[],
  t: Pick<Transaction, 'sale' | 'from'>,
): bigint {
  const payer = t.from.slice(2).toLowerCase().padStart(64, '0')
  return logs
    .filter(({ address, topics }) => address.toLowerCase() === t.sale.toLowerCase() && topics[0] === CONTRIBUTED)
    .filter(({ topics }) => topics[2]?.slice(2).toLowerCase() === payer)
    .reduce((sum, { data }) => sum + BigInt(`0x${data.slice(66, 130)}`), 0n)
}

/** While it can still come into a block. */
const WAITING: State[] = ['awaiting_wallet', 'interrupted', 'multisig', 'pending', 'dropped', 'reorged']

/** What a transaction moves, or would: and where that is less than what was asked for, both. */
export function shown(
  t: Transaction,
): { amount: Amount; less?: { how: 'would' | 'was'; rest: Amount }; isUnknown?: true } | undefined {
  const { amount: asked } = t
  if (!asked) return undefined
  const isIn = t.block !== undefined && (t.state === 'included' || t.state === 'final')
  // Less than was asked for was foreseen, and the receipt does not say what it was.
  if (isIn && t.taken === undefined && t.foreseen !== undefined && BigInt(t.foreseen) < BigInt(asked.raw))
    return { amount: asked, isUnknown: true }
  const isAhead = t.taken === undefined && WAITING.includes(t.state) && !isOver(t)
  const raw = t.taken ?? (isAhead ? t.foreseen : undefined)
  if (raw === undefined) return { amount: asked }
  const rest = BigInt(asked.raw) - BigInt(raw)
  const amount = { ...asked, raw }
  if (rest <= 0n) return { amount }
  return { amount, less: { how: isAhead ? 'would' : 'was', rest: { ...asked, raw: rest.toString() } } }
}
