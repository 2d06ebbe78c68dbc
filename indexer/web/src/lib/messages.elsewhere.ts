// Words about money and tokens that take another way than the straight one: to another address than one's own, or out of a wallet that does
// not say whether it sent them. And what an investor is told before: a personal maximum, an unlock. Otherwise as `messages.ts`.

import type { ReceiverFault } from './receiver.ts'

/** What an investor takes out, and can have sent to another address. */
export type Taking = 'claim' | 'refund' | 'withdraw' | 'refund_rest'

export const elsewhere = {
  title: 'Send it to another address',
  about:
    'For an address that cannot receive: one that the issuer of a token has blocked, a contract that takes no ether, a holder who is not approved. Only the address itself can do this, with its own wallet.',
  address: 'Address that receives it',
  help: 'Paste it from where you have it. It begins with 0x; no name is looked up.',
  check: 'Check this address',
  checking: 'Trying it first…',
  fault: {
    empty: 'Paste the address that is to receive it. It begins with 0x.',
    form: 'This is no address: one has 0x and 40 digits from 0 to 9 and a to f.',
    checksum: 'One letter of this address is wrong: its capitals do not fit. Copy it again from where you have it.',
    name: 'This is a name, and this page asks nobody where a name leads. Paste the address itself, which begins with 0x.',
    zero: 'This is the zero address. It is nobody’s: what goes there is lost. Paste the address that is to receive it.',
    own: 'This is the address of your wallet itself, to which the button above sends it. Paste another one.',
    sale: 'This is the contract of the sale, which could never give it back. Paste an address of a wallet.',
    vault: 'This is the vault of the sale, which could never give it back. Paste an address of a wallet.',
    token: 'This is the contract of the token itself, which could never give it back. Paste an address of a wallet.',
    currency:
      'This is the contract of the payment token itself, which could never give it back. Paste an address of a wallet.',
  } satisfies Record<ReceiverFault, string> as Record<ReceiverFault, string>,
  unread: {
    sentence: 'It could not be checked, because the service or the wallet’s node did not answer.',
    next: 'Nothing was sent. Try again in a moment.',
  },
  refused: 'It does not get through to this address',
  nextAddress: 'Nothing was sent. Choose another address.',

  review: 'Check before you confirm',
  receives: 'It receives',
  excess: 'and the money that comes back',
  to: 'Receiving address',
  of: 'In the place of',
  from: { sale: 'Sent by the contract of the sale', vault: 'Sent by the vault of the sale' },
  final: (own: string) =>
    `The contract sends all of it straight to the receiving address, and nothing to ${own}. That settles what is yours, and nobody can take it back.`,
  /** Of tokens that become free by and by. */
  finalSoFar: (own: string) =>
    `The contract sends all of it straight to the receiving address, and nothing to ${own}. That settles what is free so far, and nobody can take it back. What becomes free later stays with ${own}, which takes it or sends it on then.`,
  exchange: 'Choose an address whose key you have. An exchange often does not credit what a contract sends to it.',
  unproven:
    'The address was typed without a mix of capitals, so a mistyped letter could not be noticed: compare every character.',
  contract:
    'At this address is a contract. Be sure that it can pass on what it receives: many cannot, and then it stays there for ever.',
  send: 'Send it to this address',
  change: 'Change the address',
  sentTo: 'To',

  /** Where it does not get through to the address that it belongs to. */
  offered:
    'What is yours stays in the contract until it is taken. It can be sent to another address of yours: see below.',
  excessAlone: 'The money that comes back does not wait for the tokens: it can be taken alone.',
  offeredToOther:
    'What it has stays in the contract until it is taken. The address itself can have it sent to another one: for that, connect its wallet.',

  /** Of a wallet whose error leaves open whether it sent. */
  unsure: {
    badge: { looking: 'Looking for it', unsearched: 'Not known', notSent: 'Not sent' },
    looking:
      'Your wallet answered with an error that does not say whether it was sent. This page is looking for it on the chain. Do not try again before it says how that went.',
    unconnected:
      'Your wallet answered with an error that does not say whether it was sent. Connect it on the same chain, and this page looks for it. Do not try again before.',
    unsearched:
      'Your wallet answered with an error that does not say whether it was sent, and this page cannot find out: it cannot look for what a contract’s account or a batch of calls became, nor for what your wallet’s node does not show any more. Look in your wallet before you try again.',
    notSent:
      'Your wallet answered with an error. This page has looked for it on the chain since, and nothing like it was sent: it is safe to try again. If the wallet still asks, decline it there.',
    told: (message: string) => `The wallet said: ${message}`,
    noHash: 'it gave no number of a transaction',
    before:
      'One like it may be on its way already: your wallet did not say. Wait until this page has looked for it, or remove it from the list if you know from your wallet that it was not sent.',
  },

  /** The most that one address may pay, by a list or a voucher. */
  personal: {
    most: {
      merkle: (max: string) => `The list of this phase lets this address pay up to ${max} in all.`,
      voucher: (max: string) => `This voucher lets this address pay up to ${max} in all.`,
    },
    above: {
      merkle: (max: string, paid: string | undefined) =>
        paid === undefined
          ? `The list of this phase lets this address pay at most ${max}.`
          : `The list of this phase lets this address pay at most ${max} in all, and it has paid ${paid}.`,
      voucher: (max: string, paid: string | undefined) =>
        paid === undefined
          ? `This voucher lets this address pay at most ${max}.`
          : `This voucher lets this address pay at most ${max} in all, and it has paid ${paid}.`,
    },
  },

  /** Documents that are not read from an index. */
  documents: {
    about:
      'The chain has the hash of each document, from the creation of the sale on. A file that has another hash is another file.',
    reading: 'Asking the node for the creation of the sale…',
    unread:
      'This node does not tell what was written when the sale was created: it keeps or gives no old events. Try again, or use another node.',
    uriUnknown: 'where it is served, this node does not tell; ask the team for the file',
    how: 'How to check a file',
    commands:
      'Compute its SHA-256 and compare it with the one above, every digit: on Linux with sha256sum FILE, on macOS with shasum -a 256 FILE, on Windows with certutil -hashfile FILE SHA256. Or choose it here: it is read in your browser and sent nowhere.',
    choose: 'File to check',
    is: (file: string, what: string) => `${file} is it: its SHA-256 is the one of “${what}”.`,
    isOther: (file: string, hash: string) =>
      `${file} is none of these documents: its SHA-256 is ${hash}. Ask whoever gave it to you for the right one.`,
    unhashed:
      'This browser computes no hashes here, because the page came without HTTPS. Use one of the commands above.',
    unreadable: 'The file could not be read. Choose it again.',
  },

  /** When an investor's own tokens become free. */
  unlock: {
    title: 'When your tokens are free',
    free: 'Free so far',
    of: (all: string) => `of ${all}`,
    next: 'Next',
    nextly: 'More is free every second',
    all: 'All of them',
    at: (time: string, span: string) => `${time} (in ${span})`,
    since: (time: string) => `since ${time}`,
    unread: 'The schedule could not be read now. The page of the sale has it.',
  },
}
