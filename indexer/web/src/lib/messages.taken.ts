// Words about what a contribution takes where that is less than was typed; otherwise as `messages.ts`.

import type { Gate } from './quote.ts'

const rest = {
  /** Of ether, which is sent as a whole. */
  ether: (amount: string) => `${amount} would come back at once.`,
  token: (amount: string) => `${amount} would stay in your wallet.`,
}

export const taken = {
  /** `beyond`: the phase that the rest falls into, and which does not let in who pays. */
  part: (amount: string, of: string, beyond: { number: number; gate: Gate } | undefined) => {
    const taken = `Only ${amount} of ${of} would be taken`
    if (!beyond) return `${taken}: that is all that is left.`
    const why =
      beyond.gate === 'voucher' ? 'which takes nothing without a voucher' : 'which is for those on its list alone'
    return `${taken}: what is above falls into phase ${beyond.number}, ${why}.`
  },
  rest,
  /** Before the wallet opens, where the sale has changed since it was shown. */
  short: {
    amount: (asked: string, amount: string, tokens: string | undefined) =>
      tokens === undefined
        ? `Of ${asked}, only ${amount} would be taken now.`
        : `Of ${asked}, only ${amount} would be taken now, for ${tokens}.`,
    tokens: (amount: string, tokens: string, shown: string) =>
      `For ${amount} you would get ${tokens} now, and not ${shown}.`,
    why: 'The sale has changed since this page last read it.',
    goOn: (tokens: string) => `Go on with ${tokens}`,
  },
  /** On the card of a transaction, of what was asked for. */
  card: {
    would: (asked: string, amount: string) => `Of ${asked}, only ${amount} would be taken.`,
    was: (asked: string, amount: string) => `Of ${asked}, only ${amount} was taken.`,
    unknown: (asked: string) =>
      `How much of ${asked} was taken, this page was not told. My positions and the sale’s list of contributions show it.`,
    nothing: (asked: string) => `Nothing of ${asked} was taken.`,
    rest: {
      ether: (amount: string) => `${amount} came back at once.`,
      token: (amount: string) => `${amount} never left your wallet.`,
    },
  },
}
