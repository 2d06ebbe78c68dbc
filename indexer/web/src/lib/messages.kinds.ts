// What is said on the button and on the transaction of each act beside an investor's first ones: those of an objection, and a team's.

const act = {
  object: ['Object to the payments', 'Objection'],
  refund_rest: ['Take your share of the rest', 'Share of the rest'],
  approve_factory: ['Allow the factory to take the tokens', 'Permission for the factory to take the tokens'],
  deploy: ['Deploy the sale', 'Deployment of the sale'],
  cancel: ['Call the sale off', 'Calling the sale off'],
  release: ['Pay what is due', 'Payment to the beneficiary'],
  return_unsold: ['Send the unsold tokens home', 'Return of unsold tokens'],
  pause: ['Pause contributions', 'Pause of contributions'],
  resume: ['Let contributions go on', 'End of the pause'],
  void_vouchers: ['Void all vouchers', 'Voiding all vouchers'],
  name_signer: ['Name this signer', 'Naming a signer of vouchers'],
  name_compliance: ['Name this officer', 'Naming the compliance officer'],
  reject: ['Reject this investor', 'Rejection of an investor'],
  offer_owner: ['Offer the ownership', 'Offer of the ownership'],
  accept_owner: ['Take the ownership', 'Taking the ownership'],
  whitepaper: ['Publish this whitepaper', 'Publication of a whitepaper'],
  pay_allocation: ['Pay what has vested', 'Payment of vested tokens'],
  reclaim_allocation: ['Bring the tokens back', 'Bringing tokens back'],
  approve_holder: ['Approve this holder', 'Approval of a holder'],
} as const

export type MoreKind = keyof typeof act

const pick = (index: 0 | 1) =>
  Object.fromEntries(Object.entries(act).map(([kind, words]) => [kind, words[index]])) as Record<MoreKind, string>

export const moreKinds = { label: pick(0), title: pick(1) }
