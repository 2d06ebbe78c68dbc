// What the errors of the contracts mean to an investor: a sentence, and what to do next. A test fails if an error of `contracts/abi`
// has none. Loaded with the wallet; otherwise as `messages.ts`.

import { percent } from './amount.ts'
import { days, utc } from './time.ts'

/** Values of an error, by name, as ethers decodes them. */
export type Values = Record<string, unknown>

/** Writes amounts of the sale's two assets. */
export interface Say {
  money: (raw: unknown) => string
  tokens: (raw: unknown) => string
}

export interface Told {
  sentence: string
  next: string
  /** By how much another amount would do, base units of the currency: negative where it has to be smaller. */
  change?: bigint
}

type Sentence = (e: Values, say: Say) => Told

const time = (seconds: unknown) => utc(Number(seconds as bigint))
const phase = (index: unknown) => `phase ${Number(index as bigint) + 1}`
const span = (seconds: unknown) => days(Number(seconds as bigint))
const share = (points: unknown) => percent(Number(points as bigint))
const text = (value: unknown) => String(value)

const LOOK = 'Reload this page to see how the sale stands.'
const NOT_YOURS = 'This is nothing an investor can or has to do.'
const REPORT = 'Nothing was sent. Tell whoever runs this service; the sale’s own contract is not affected.'
const TERMS = 'It concerns the creation of a sale. Change the sale file, and check it again.'
const TOKEN = 'The token refuses it. Ask the team.'

const told = (sentence: string, next: string): Told => ({ sentence, next })
const plain =
  (sentence: string, next: string): Sentence =>
  () =>
    told(sentence, next)

const OUTCOMES = ['has no outcome yet', 'has succeeded', 'has failed', 'was called off']
const STATES = [
  'has not opened yet',
  'is open',
  'has ended and is not closed yet',
  'has succeeded',
  'has failed',
  'was called off',
]
const outcome = (value: unknown) => OUTCOMES[Number(value as bigint)] ?? 'is in a state unknown to this page'
const state = (value: unknown) => STATES[Number(value as bigint)] ?? 'is in a state unknown to this page'

export const errors: Record<string, Sentence> = {
  // What investors meet.
  SaleNotOpen: (e) =>
    Number(e['outcome'] as bigint) === 0
      ? told(
          `The sale takes contributions from ${time(e['opens'])} until ${time(e['closes'])}.`,
          'Come back in that time.',
        )
      : told(`The sale takes no contributions any more: it ${outcome(e['outcome'])}.`, LOOK),
  BelowMinimum: (e, say) => ({
    ...told(
      `Each investor has to pay at least ${say.money(e['minPaid'])} in all; this would make ${say.money(e['paid'])}.`,
      'Contribute more.',
    ),
    change: (e['minPaid'] as bigint) - (e['paid'] as bigint),
  }),
  AboveMaximum: (e, say) => ({
    ...told(
      `Each investor can pay at most ${say.money(e['maxPaid'])} in all; this would make ${say.money(e['paid'])}.`,
      'Contribute less.',
    ),
    change: (e['maxPaid'] as bigint) - (e['paid'] as bigint),
  }),
  SoldOut: (e, say) => told(`Everything is sold: the hard cap of ${say.money(e['hardCap'])} is reached.`, LOOK),
  ZeroTokens: (e, say) =>
    told(`${say.money(e['amount'])} buys less than the smallest part of a token.`, 'Contribute more.'),
  ContributionsPaused: plain('The owner has paused contributions. Claims and refunds go on.', 'Come back later.'),
  InvestorRejected: plain(
    'Compliance has rejected this address. It takes no part in this sale any more.',
    'Take back what it has paid.',
  ),
  EligibilityMissing: (e) =>
    Number(e['gate'] as bigint) === 1
      ? told(`In ${phase(e['phase'])}, only holders of a voucher can contribute.`, 'Ask the team for a voucher.')
      : told(
          `In ${phase(e['phase'])}, only those on its list can contribute.`,
          'Ask the team to put you on the list, or wait for the next phase.',
        ),
  EligibilityMalformed: plain('The voucher is not complete.', 'Copy the whole text that the team gave you.'),
  VoucherNotForPhase: (e) =>
    told(`The voucher is not for ${phase(e['phase'])}.`, 'Ask the team for one for this phase, or wait for its phase.'),
  VoucherExpired: (e) => told(`The voucher was good until ${time(e['deadline'])}.`, 'Ask the team for a new one.'),
  VoucherInvalid: (e) =>
    told(
      `The voucher was not made for ${text(e['investor'])} in this sale, or has been replaced.`,
      'Use the wallet that you gave to the team, or ask for a new voucher.',
    ),
  NotOnList: (e) =>
    told(
      `${text(e['investor'])} is not on the list of ${phase(e['phase'])} in this form.`,
      'Use the wallet that you gave to the team.',
    ),
  WrongValue: plain('The ether sent is not the amount named.', REPORT),
  EtherNotAccepted: plain('This contract takes no ether.', 'Contribute in the currency of the sale.'),
  InvalidInvestor: plain('This address cannot hold a position in the sale.', 'Use another wallet.'),
  InvalidReceiver: plain('Nothing can be sent to this address.', 'Choose another one.'),
  NotClaimable: (e) => told(`Tokens can be claimed after a success; this sale ${state(e['state'])}.`, LOOK),
  NothingToClaim: plain('This address has no tokens to claim in this sale, or has claimed them all.', LOOK),
  NothingVested: (e) =>
    told(`All that is free so far is claimed. More is free from ${time(e['from'])}.`, 'Come back then.'),
  NotRefundable: (e) =>
    told(`Money goes back after a failure or when the sale is called off; this sale ${state(e['state'])}.`, LOOK),
  NothingToRefund: plain('This address has no money to take back from this sale, or has had it.', LOOK),
  NoCoolingOff: plain(
    'In this sale a contribution cannot be withdrawn.',
    'If the sale fails, take the money back then.',
  ),
  CoolingOffOver: (e) =>
    told(
      `The contribution could be withdrawn until ${time(e['until'])}.`,
      'If the sale fails, take the money back then.',
    ),
  NothingToWithdraw: plain('This address has paid nothing into this sale, or has withdrawn it.', LOOK),
  SaleNotEnded: (e) => told(`The sale can be closed from ${time(e['closes'])} on.`, 'Come back then.'),
  AlreadyClosed: (e) => told(`The sale ${outcome(e['outcome'])} already.`, LOOK),
  GasTooLow: plain('The gas limit is too low to close the sale.', 'Raise the gas limit in your wallet to 400000.'),
  EtherTransferFailed: (e) => told(`${text(e['to'])} does not take ether.`, 'Use an address that can receive ether.'),
  TransferNotExact: plain('The token moved another sum than it was told.', TOKEN),
  SafeERC20FailedOperation: plain(
    'The token refused the transfer.',
    'Check that your wallet has enough of it; if it has, ask the team.',
  ),
  ReentrancyGuardReentrantCall: plain('The contract was called again while it was at work.', REPORT),
  SafeCastOverflowedUintDowncast: plain('This is more than there can be.', 'Choose a smaller amount.'),
  NotASale: plain('This is the code that all sales share, not a sale.', 'Check the link.'),
  CloneArgumentsTooLong: plain('The sale has more terms than a contract can hold.', TERMS),

  // Objections and the payment of the team.
  AlreadyObjected: plain('This address has objected already.', 'Nothing is left to do.'),
  NoObjection: plain('In this sale investors cannot object to the payments.', 'Nothing can be done.'),
  NoStake: plain('This address has no part in the money of this sale.', 'Use the wallet that you contributed with.'),
  ObjectionTooLate: (e) => told(`All the money was due at ${time(e['complete'])}.`, 'Nothing can be stopped any more.'),
  TapIsStopped: plain('Investors have stopped the payments.', 'Take your share of the rest.'),
  TapNotStopped: (e, say) =>
    told(
      `The objections of ${say.money(e['objected'])} are not above ${say.money(e['needed'])}, so the payments go on.`,
      'Object, if you want them to stop.',
    ),
  NothingToRelease: plain('Nothing is due to the team now.', LOOK),
  OnlyBeneficiary: plain('Only the team’s account can do this.', NOT_YOURS),
  OnlySale: plain('Only the sale can do this.', NOT_YOURS),
  OnlyVault: plain('Only the vault can do this.', NOT_YOURS),
  NotAVault: plain('This is the code that all vaults share, not a vault.', 'Check the link.'),
  AlreadySwept: plain('The money has gone to the vault already.', NOT_YOURS),
  NotSucceeded: (e) => told(`The team is paid after a success; this sale ${state(e['state'])}.`, LOOK),
  NotSettled: (e) =>
    told(`There are no unsold tokens yet: the sale ${state(e['state'])}.`, 'Come back after its outcome.'),
  NothingUnsold: plain('No unsold token is left.', 'They have left already: nothing has to be done.'),

  // What the team and compliance meet.
  OnlyOwner: (e) => told(`Only the owner, ${text(e['owner'])}, can do this.`, 'Connect the owner’s wallet.'),
  OnlyCompliance: (e) =>
    told(`Only compliance, ${text(e['compliance'])}, can do this.`, 'Connect the wallet of the compliance officer.'),
  OnlyIssuer: (e) =>
    told(`Only the issuer of the token, ${text(e['issuer'])}, can do this.`, 'Connect the wallet of the issuer.'),
  CancelTooLate: (e) => told(`The sale ended at ${time(e['closes'])} and cannot be called off any more.`, LOOK),
  SoftCapReached: (e, say) =>
    told(`The goal of ${say.money(e['softCap'])} is reached: the sale cannot be called off any more.`, LOOK),
  SignerZero: plain('Vouchers need somebody who signs them.', 'Name the address of the signer.'),
  PauseUnchanged: (e) =>
    told(e['paused'] === true ? 'Contributions are paused already.' : 'Contributions are not paused.', LOOK),
  NothingToReject: plain('This address has nothing that could be rejected.', 'Check the address.'),
  RejectTooLate: plain('The sale has ended; nobody can be rejected any more.', LOOK),
  WhitepaperUnchanged: plain('This whitepaper is in force already.', 'Choose the file that takes its place.'),
  OwnershipNotRenounceable: plain('Ownership can be handed on, not given up.', NOT_YOURS),
  OwnableInvalidOwner: plain('This address cannot be an owner.', 'Name another address.'),
  OwnableUnauthorizedAccount: plain(
    'The ownership was not offered to this address.',
    'Connect the wallet that it was offered to.',
  ),

  // Tokens.
  ERC20InsufficientBalance: (e) => ({
    ...told('The wallet has less of the token than that.', 'Choose a smaller amount.'),
    change: (e['balance'] as bigint) - (e['needed'] as bigint),
  }),
  ERC20InsufficientAllowance: plain('The sale has not been allowed to take that much of the token.', 'Allow it first.'),
  ERC20InvalidApprover: plain('This address cannot allow anything.', TOKEN),
  ERC20InvalidReceiver: plain('The token cannot be sent to this address.', 'Use another address.'),
  ERC20InvalidSender: plain('The token cannot be sent from this address.', 'Use another wallet.'),
  ERC20InvalidSpender: plain('This address cannot be allowed anything.', TOKEN),
  ERC2612ExpiredSignature: (e) => told(`The permission was good until ${time(e['deadline'])}.`, 'Sign it again.'),
  ERC2612InvalidSigner: plain('The permission was signed by another account.', 'Sign it with the wallet that pays.'),
  ECDSAInvalidSignature: plain('The signature is not one.', 'Sign it again.'),
  ECDSAInvalidSignatureLength: plain('The signature is not complete.', 'Sign it again.'),
  ECDSAInvalidSignatureS: plain(
    'The signature has a form that is not accepted.',
    'Sign it again, if need be with another wallet.',
  ),
  InvalidAccountNonce: plain('The permission was used already.', 'Sign it again.'),
  InvalidShortString: plain('A text of the token is damaged.', TOKEN),
  StringTooLong: plain('A text is too long for the token.', TOKEN),
  TransferRestricted: plain(
    'Only approved holders may have this token, and this address or the other is not approved.',
    'Ask the team to approve your address; what you paid stays yours until then.',
  ),
  LengthsDiffer: plain('There are not as many dates as holders.', NOT_YOURS),
  AccessControlBadConfirmation: plain('A role can only be given up by who has it.', NOT_YOURS),
  AccessControlEnforcedDefaultAdminDelay: plain('The administrator can only be changed after a delay.', NOT_YOURS),
  AccessControlEnforcedDefaultAdminRules: plain('The administrator can only be changed by its own rules.', NOT_YOURS),
  AccessControlInvalidDefaultAdmin: plain('This address cannot be the administrator.', NOT_YOURS),
  AccessControlUnauthorizedAccount: plain('This address has not the role for it.', 'Connect the wallet of who has it.'),

  // Wallets of the team.
  FailedCall: plain('The receiver refused it.', NOT_YOURS),
  InvalidCliffDuration: plain('The cliff is longer than the whole.', TERMS),
  NotAWallet: plain('This is the code that all wallets of teams share, not one.', 'Check the link.'),
  NotReclaimable: plain('The tokens stay the team’s: the sale has not failed.', LOOK),
  NothingToReclaim: plain('There is nothing to bring back.', LOOK),

  // The creation of a sale.
  AllocationCount: (e) => told(`There can be ${text(e['max'])} allocations at most.`, TERMS),
  AllocationInvalid: plain('An allocation is not complete, or contradicts itself.', TERMS),
  BeneficiaryZero: plain('Nobody would get the money.', TERMS),
  OwnerZero: plain('Nobody would own the sale.', TERMS),
  CapsCrossed: plain('The goal is above the hard cap.', TERMS),
  CoolingOffInAuction: plain('An auction cannot have a cooling-off.', TERMS),
  CoolingOffTooLong: (e) => told(`The cooling-off can last ${span(e['max'])} at most.`, TERMS),
  Create2EmptyBytecode: plain('There is no code to create.', REPORT),
  CurrencyIsToken: plain('The token would be paid for with itself.', TERMS),
  CurrencyNotContract: plain('There is no token at the currency’s address.', TERMS),
  DurationTooLong: (e) => told(`A sale can last ${span(e['max'])} at most.`, TERMS),
  FailedDeployment: plain('The chain did not create the contract.', TERMS),
  InsufficientBalance: plain('There is less ether than that.', TERMS),
  LastPhaseCap: plain('The last phase does not sell up to the hard cap.', TERMS),
  LimitsCrossed: plain('The least of an investor is above the most.', TERMS),
  MaximumAboveHardCap: plain('The most of an investor is above the hard cap.', TERMS),
  OpensInPast: (e) => told(`The sale would have opened at ${time(e['opens'])}, which is over.`, TERMS),
  PhaseCapBelow: (e) => told(`The cap of ${phase(e['index'])} is below that of the phase before.`, TERMS),
  PhaseCount: (e) => told(`There can be ${text(e['max'])} phases at most.`, TERMS),
  PhaseEndNotAfter: (e) => told(`The end of ${phase(e['index'])} is not after its beginning.`, TERMS),
  PhaseNotFalling: (e) => told(`The price of ${phase(e['index'])} is above the one before.`, TERMS),
  PhaseNotUniform: (e) => told(`The price of ${phase(e['index'])} is not that of the others.`, TERMS),
  PhasePriceZero: (e) => told(`In ${phase(e['index'])}, tokens would be given away.`, TERMS),
  RootMissing: (e) => told(`The list of ${phase(e['index'])} is missing.`, TERMS),
  RootUnused: (e) => told(`In ${phase(e['index'])} there is a list that nobody asks for.`, TERMS),
  SaleExists: (e) => told(`This very sale exists already, at ${text(e['sale'])}.`, TERMS),
  SignerMissing: (e) => told(`In ${phase(e['index'])} nobody signs vouchers.`, TERMS),
  SoftCapOutOfReach: plain('The goal might not be reached to the last unit.', TERMS),
  SoftCapZero: plain('The goal is zero.', TERMS),
  SupplyShort: plain('The new token is not enough for what is promised.', TERMS),
  TapInvalid: (e) =>
    told(
      `The payments to the team contradict themselves: ${share(e['atOnce'])} at once over ${span(e['duration'])}.`,
      TERMS,
    ),
  TokenGiven: plain('A sale that creates its token names none.', TERMS),
  TokenNotContract: plain('There is no token at its address.', TERMS),
  TokensShort: plain('There are fewer tokens than the hard cap could buy.', TERMS),
  VestingInvalid: (e) =>
    told(`The vesting contradicts itself: ${share(e['atOnce'])} at once over ${span(e['duration'])}.`, TERMS),
}

export const unexplained = {
  reason: (reason: string) =>
    told(`A contract refused it: ${reason}.`, 'The text comes from that contract, most often a token. Ask the team.'),
  panic: told('A contract failed at something that must not happen.', 'Nothing was sent. Tell the team.'),
  empty: told('A contract refused it without a reason.', 'Check that your wallet is on the right chain and can pay.'),
  unknown: (data: string) =>
    told(
      `A contract refused it with ${data.slice(0, 10)}, which this page does not know.`,
      'It most often comes from the token. Ask the team.',
    ),
}
