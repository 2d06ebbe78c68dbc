// Words about who may take part, about signing in, and about objections; otherwise as `messages.ts`.

import { percent } from './amount.ts'

export const gates = {
  check: {
    voucher: 'Voucher, if you have one',
    voucherHelp: 'Only for phases that ask for one. It begins with 0x. It is checked here and sent nowhere.',
    good: (phase: number, max: string, until: string) =>
      `Phase ${phase}: yes, with this voucher, up to ${max} in all, until ${until}.`,
    malformed: (phase: number) =>
      `Phase ${phase}: the voucher is not complete. Copy the whole text that the team gave you.`,
    notForPhase: (phase: number) =>
      `Phase ${phase}: no, this voucher is for other phases. Ask the team for one for this phase.`,
    expired: (phase: number, until: string) =>
      `Phase ${phase}: no, this voucher was good until ${until}. Ask the team for a new one.`,
    early: (phase: number, until: string) =>
      `Phase ${phase}: no, this voucher is good until ${until}, which is before the phase begins. Ask the team for a longer one.`,
    invalid: (phase: number) =>
      `Phase ${phase}: no, this voucher was made for another address or another sale, or all vouchers of its time were voided. Use the wallet that you gave to the team, or ask for a new voucher.`,
    unsure: (phase: number) =>
      `Phase ${phase}: whether this voucher is good could not be told. The signer of the sale may be a contract, which a wallet’s node has to be asked about: connect a wallet on the chain of the sale, or try again if one is connected.`,
  },
  own: {
    about:
      'If the team’s desk has made a voucher for you with this service, sign in with your wallet and it is filled in.',
    signIn: 'Sign in for my vouchers',
    asking: 'Look at your wallet: it asks you to sign a message. That sends nothing and costs nothing.',
    signedIn: (account: string) => `Signed in with ${account.slice(0, 6)}…${account.slice(-4)}.`,
    signOut: 'Sign out',
    none: 'This service has no voucher for you that is good in this sale now. Ask the team.',
    filled: (max: string, until: string) => `Your voucher is filled in: up to ${max} in all, until ${until}.`,
    unread: 'Your vouchers could not be read. Try again in a moment, or paste the voucher that the team gave you.',
    fault: {
      declined: 'You declined. You are not signed in.',
      wallet: 'The wallet did not sign. Unlock it and try again.',
      unnamed:
        'This service has not been told its own name, so nobody can sign in under this address. Whoever runs it has to start it with --public-url. Until then paste the voucher that the team gave you.',
      unconfigured:
        'Nobody can sign in to this service: whoever runs it has set no master key. Paste the voucher that the team gave you.',
      refused: (detail: string) => `The service did not take it: ${detail}.`,
      down: 'The service does not answer. Try again in a moment.',
    },
  },
  objection: {
    title: 'Payments to the team, and how to stop them',
    received: 'Kept by the sale',
    released: 'Paid to the team',
    back: 'Gone back to investors',
    left: 'Still in the vault',
    objected: 'Objections so far',
    needed: 'Needed: more than',
    until: 'Can be objected to until',
    text: (share: number) =>
      `If investors of more than ${percent(share)} of the money object, the team gets nothing more, for ever. What it has not been paid by then goes back to all investors, each by their share of the money.`,
    yours: 'Your objection counts',
    wouldGet: 'Yours, if it were stopped now',
    does: 'You keep your tokens. Objecting pays you nothing by itself, cannot be taken back, and costs the network’s fee. What is due to the team and not yet paid out can still be paid until the payments stop.',
    hasObjected: 'This wallet has objected. Nothing is left to do unless enough others do.',
    noStake: 'This wallet has no part in the money of this sale, so it cannot object.',
    over: (time: string) => `All the money was due at ${time}. Nobody can object any more.`,
    stopped: 'Investors have stopped the payments. The team gets nothing more.',
    rest: 'The rest that goes back',
    restRefunded: 'Of it, gone back',
    restYours: 'Your share of the rest',
    restNone: 'This wallet has no share of the rest to take, or has had it.',
    connect: 'Connect the wallet that you contributed with to see what is yours.',
    onPosition: (sale: string) =>
      `You can object to the payments to the team. See ${sale} for how far the objections are before you do.`,
    positionRest: 'Got of the rest',
    objectedAlready: 'You have objected to the payments.',
  },
}
