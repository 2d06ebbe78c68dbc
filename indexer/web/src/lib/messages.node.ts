// What a page says that asks a node: one that was exported, or one whose service is away.

import type { Origin } from './source.ts'

export const n = {
  /** Above everything, as long as it is so. */
  banner: {
    exported: (host: string, block: number | undefined) =>
      `This page asks the node at ${host} and nobody else${block === undefined ? '' : `; it is at block ${block}`}. It shows what the contracts themselves tell, and every way to get money or tokens out; lists and charts it has not.`,
    byWallet: (chain: number, block: number) =>
      `The service does not answer. Sales and positions of chain ${chain} are read from your wallet’s node, at block ${block}: you can still take out what is yours.`,
    preferred: (chain: number, block: number) =>
      `Sales and positions of chain ${chain} are read from your wallet’s node, at block ${block}, and not from the index.`,
    connect: 'Connect a wallet, and this page reads your sales and positions from its node instead.',
  },
  prefer: 'Read from my wallet’s node instead',
  preferNot: 'Read from the index again',

  /** Beside figures. */
  origin: ({ by, block }: Origin) =>
    by === 'wallet' ? `Read from your wallet’s node at block ${block}` : `Read from the node at block ${block}`,
  without:
    'Contributions and charts need an index, which this answer has not. What follows is what the contracts tell.',

  failure: {
    down: {
      title: 'The node cannot be reached',
      text: 'This page could not get its figures: your connection or the node is down. Nothing about the sale or your money changes by that; both are on the chain.',
    },
    wrongChain: { title: 'The node serves another chain' },
    needsIndex: {
      title: 'This page has no lists',
      text: 'It asks a node alone. What a sale’s contract tells of one address, it can show: open the sale.',
    },
    notFound: {
      title: 'There is no such sale here',
      text: 'The factory that this page knows did not create it. Check the address: a made-up sale is a common fraud.',
    },
  },

  directory: {
    intro: 'The sales that this page was made for, as the chain tells it.',
    empty: 'This page lists no sale. Open one by its address.',
    title: 'Open a sale by its address',
    address: 'Address of the sale',
    open: 'Open',
  },

  positions: {
    only: (count: number, chain: number) =>
      count === 0
        ? `A node has no list of sales, and this page knows none on chain ${chain}: nothing was asked.`
        : `A node has no list of sales: only the ${count === 1 ? 'one sale' : `${count} sales`} known to this page on chain ${chain} ${count === 1 ? 'was' : 'were'} asked.`,
    empty: 'In them, this address has nothing.',
    other: 'Open another sale by its address to see what this address has in it.',
  },

  out: {
    title: 'What an address has here',
    about:
      'Anybody can look up any address, and start its refund or claim: the contracts pay to the address itself, whoever pays the fee.',
    address: 'Address of the investor',
    show: 'Look up',
    reading: 'Asking the contracts…',
    unread: 'The node did not answer. Try again in a moment.',
    nothing: 'This address has nothing in this sale: it never paid, or has had everything.',
    stuck:
      'The money is there, and does not get through to this address now: whoever issues the currency may have blocked it. The address itself, with its wallet connected, can have it sent to another one.',
    ownOnly: 'Only the address itself can withdraw. Connect its wallet.',
    rest: 'Share of what investors stopped',
    excess: 'Comes back with the claim',
    /** On a button that pays somebody else. */
    forAnother: {
      refund: 'Send its money back',
      claim: 'Send its tokens',
      refund_rest: 'Send its share of the rest',
    } as Record<string, string>,
    nothingNow: 'Nothing can be taken out now.',
  },

  held: (held: string) => `The contract holds ${held} for the investors who have not taken it yet.`,
  releasable: (amount: string) => `The vault would pay ${amount} to the team now; anybody can make it do so.`,
}
