// What a contribution takes and what it buys: as the page shows it, and as the node has it right before the wallet is asked.

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
