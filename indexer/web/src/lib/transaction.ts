// A transaction from the wallet's question to finality. This is the only state machine of it: `step` is pure. What has happened since is
// asked of a node (`observe.ts`), of a Safe's contract (`safe.ts`), of a wallet that takes several calls (`batch.ts`), or of the service
// (`service.ts`).

import type { Amount } from './amount.ts'
import type { MoreKind } from './messages.kinds.ts'

export type Kind = 'contribute' | 'claim' | 'refund' | 'withdraw' | 'close' | 'approve' | MoreKind

export interface Block {
  number: number
  hash: string
}

export const STATES = [
  'awaiting_wallet',
  /** The page was closed while the wallet asked, or the wallet's error does not say whether it was sent. */
  'interrupted',
  'rejected',
  /** The wallet or its node did not take it. */
  'refused',
  /** A Safe has it, and waits for its owners. */
  'multisig',
  'pending',
  'dropped',
  'cancelled',
  'included',
  'reverted',
  /** Of several calls that a wallet sent at once, some went through and some did not. */
  'partial',
  'final',
  'reorged',
] as const
export type State = (typeof STATES)[number]

/** What a Safe does with what it was asked to send. */
export interface Safe {
  /** Its own hash of it, which is no hash of a transaction. */
  hash: string
  threshold: number
  /** Owners who have approved it on the chain. Signatures that the Safe's app collects are not there. */
  given: number
  /** The Safe's nonce for it, where that could be found. */
  nonce?: number
  /** First block in which its execution is looked for. */
  from: number
}

export interface Transaction {
  id: string
  /** Grows with each change: of two tabs that keep it, the one that has seen more is right. */
  rev: number
  /** By the visitor's clock, milliseconds: their order in a list and nothing else. */
  asked: number
  /** The page that asks the wallet, while it does. */
  page?: string
  kind: Kind
  chain: number
  sale: string
  saleName: string
  from: string
  to: string
  data: string
  /** Wei, decimal digits. */
  value: string
  /** What it moves, where that is known. */
  amount?: Amount
  /** Of a contribution, how much of that its trial said would be taken: base units, decimal digits. */
  foreseen?: string
  /** Of a contribution that is in a block, how much of it was taken there. */
  taken?: string
  /** To whom, where that is another address than the one it belongs to. */
  receiver?: string
  state: State
  hash?: string
  /** Id of a batch (EIP-5792). Its hash, once known, may not be of the account's own transaction. */
  batch?: string
  safe?: Safe
  /** Whether a contract's wallet sends it, which may do so under another hash than it has told. */
  isOpaque?: boolean
  /** The account's, once known. Of one that the wallet is asked for, the next one that is free. */
  nonce?: number
  /** Whether `hash` took the place of the one that was sent. */
  spedUp?: boolean
  block?: Block
  /** The newest block in which the node knew it, or before it was sent. */
  seenAt?: number
  /** Whether what took its place could not be looked at. */
  unfound?: true
  /** Whether what it is now can no longer change, of a state that could. */
  settled?: boolean
  /** Whether the wallet answered with an error after which it may have been sent all the same. */
  isUnsure?: true
  /** Whether it may still ask after that error. */
  mayAsk?: true
  /** The first block up to which it was looked for after that error. */
  lookedFrom?: number
  /** Why it was refused, or is unsure: the wallet's own words. */
  message?: string
}

export type Event =
  /** The wallet is about to be asked. */
  | { type: 'asking'; head: number; nonce: number | undefined }
  | { type: 'sent'; hash: string; head: number; isOpaque?: boolean }
  /** Without an id it cannot be followed. */
  | { type: 'batched'; id: string | undefined; head: number }
  | { type: 'proposed'; safe: Safe; batch?: string }
  | { type: 'declined' }
  | { type: 'refused'; message: string }
  /**
   * The wallet's error leaves open whether it was sent. `isFindable`: whether the account's nonces would show it; `mayAsk`: whether the
   * wallet may still ask.
   */
  | { type: 'unsure'; message: string; isFindable: boolean; mayAsk?: boolean }
  | { type: 'reloaded' }
  /**
   * Blocks up to here have it not; of a head that came too soon, only so many of them. `isBlind`: the node does not tell what waits for one.
   */
  | { type: 'searched'; head: number; isBlind?: true }
  /** The account has gone on, and the node does not show with what: it cannot be looked for any more. */
  | { type: 'unsearchable' }
  /** The node has it and waits for a block. */
  | { type: 'waiting'; nonce: number | undefined; head: number }
  | { type: 'in_block'; block: Block; succeeded: boolean; nonce?: number; taken?: string }
  | { type: 'finalized'; number: number }
  /**
   * The node does not know it, up to this block; of a head that came too soon, only so many. `spent`: its nonce went to another one that was
   * not found.
   */
  | { type: 'unknown'; head: number; spent: boolean }
  | { type: 'replaced'; hash: string; same: boolean }
  /** Its place is taken in a block that is final. */
  | { type: 'settled' }
  /** What a Safe has gathered so far. */
  | { type: 'signatures'; given: number; threshold: number; from: number }
  /** A Safe or a wallet of batches has sent it, in this transaction. */
  | { type: 'executed'; hash: string }
  /** The Safe has used the nonce for something else. */
  | { type: 'outrun' }
  /** What EIP-5792 calls 400, 500 and 600. */
  | { type: 'batch_failed'; how: 'not_sent' | 'reverted' }
  | { type: 'batch_failed'; how: 'partly'; taken?: string }

/** How long is long enough: so many blocks, and no less of the chain's seconds, as on some chains so many blocks are a moment. */
export interface Patience {
  blocks: number
  seconds: number
}

/** So long after a node has last known of it, with its nonce unused, a transaction is taken for dropped, or for never sent. */
export const PATIENCE: Patience = { blocks: 20, seconds: 120 }
/** So long after the wallet was asked by a page that is gone, or by one that it may still ask for, it is no longer looked for. */
export const SEARCH: Patience = { blocks: 300, seconds: 1_800 }

/**
 * How long is looked for what the wallet may have sent. One that has answered asks nobody any more: what it sent shows sooner, where the node
 * tells what waits.
 */
export const searchOf = (t: Transaction, isBlind: boolean): Patience =>
  t.isUnsure && !t.mayAsk && !isBlind ? PATIENCE : SEARCH

const OVER: State[] = ['rejected', 'refused', 'partial', 'final']

/** Whether nothing more can happen to it. */
export function isOver(t: Pick<Transaction, 'state' | 'settled'>): boolean {
  return OVER.includes(t.state) || t.settled === true
}

/** What the wallet says counts as long as it is not said: another tab can have taken it for interrupted. */
const isAsked = (state: State) => state === 'awaiting_wallet' || state === 'interrupted'

export function step(t: Transaction, event: Event): Transaction {
  if (isOver(t)) return t
  switch (event.type) {
    case 'asking':
      return isAsked(t.state) ? less(t, { seenAt: event.head, ...defined({ nonce: event.nonce }) }, 'nonce') : t
    case 'sent': {
      const opaque = event.isOpaque ? { isOpaque: true } : {}
      // Which nonce the wallet took is the node's to tell.
      return isAsked(t.state)
        ? less(
            t,
            { state: 'pending', hash: event.hash, seenAt: event.head, ...opaque },
            ...(['nonce', 'page', 'isUnsure', 'mayAsk', 'lookedFrom', 'message'] as const),
          )
        : t
    }
    case 'batched': {
      const known = event.id === undefined ? { isOpaque: true } : { batch: event.id }
      return isAsked(t.state) ? less(t, { state: 'pending', ...known, seenAt: event.head }, 'nonce', 'page') : t
    }
    case 'proposed': {
      const batch = defined({ batch: event.batch })
      return isAsked(t.state) ? less(t, { state: 'multisig', safe: event.safe, ...batch }, 'nonce', 'page') : t
    }
    case 'declined':
      return isAsked(t.state) ? less(t, { state: 'rejected' }, 'page') : t
    case 'refused':
      return isAsked(t.state) ? less(t, { state: 'refused', message: event.message }, 'page') : t
    case 'unsure': {
      if (!isAsked(t.state)) return t
      const asks = event.mayAsk ? ({ mayAsk: true } as const) : {}
      const change = { state: 'interrupted', isUnsure: true, message: event.message, ...asks } as const
      return event.isFindable ? less(t, change, 'page') : less(t, change, 'page', 'nonce')
    }
    case 'reloaded':
      return t.state === 'awaiting_wallet' ? less(t, { state: 'interrupted' }, 'page') : t
    case 'searched': {
      if (t.state !== 'interrupted') return t
      // As long as it is looked for, `seenAt` stays where the search began, and `nonce` what it looks for. A wallet can send right before
      // it answers, however long it has asked: blocks count from its answer on.
      const from = (t.isUnsure ? t.lookedFrom : t.seenAt) ?? event.head
      if (event.head > from + searchOf(t, event.isBlind === true).blocks) return { ...t, settled: true }
      return t.isUnsure ? { ...t, lookedFrom: from } : t
    }
    case 'unsearchable':
      return t.state === 'interrupted' ? less(t, {}, 'nonce') : t
    case 'waiting': {
      // It was in a block, and waits again: the block was reorged away.
      const state = t.block ? 'reorged' : keep(t.state)
      return less(t, { state, ...defined({ nonce: event.nonce }), seenAt: event.head }, 'block')
    }
    case 'in_block': {
      const done = event.succeeded ? 'included' : 'reverted'
      // Another block than before: said once, and then where it is now.
      const moved = t.block !== undefined && t.block.hash !== event.block.hash
      // What was taken in one block says nothing of another.
      const taken = event.taken ?? (t.block?.hash === event.block.hash ? t.taken : undefined)
      return {
        ...less(t, {}, 'unfound', 'taken'),
        ...defined({ nonce: event.nonce, taken }),
        state: moved ? 'reorged' : done,
        block: event.block,
        seenAt: event.block.number,
      }
    }
    case 'finalized':
      if (!t.block || event.number < t.block.number) return t
      if (t.state === 'included') return { ...t, state: 'final' }
      return t.state === 'reverted' ? { ...t, settled: true } : t
    case 'unknown': {
      if (t.block) return less(t, { state: 'reorged' }, 'block')
      // Of a hash that need not be the network's, not to be known means nothing.
      if (t.state === 'cancelled' || t.isOpaque) return t
      if (event.spent) return { ...t, state: 'cancelled', unfound: true }
      const patient = event.head <= (t.seenAt ?? event.head) + PATIENCE.blocks
      return {
        ...t,
        seenAt: t.seenAt ?? event.head,
        state: patient ? (t.state === 'dropped' ? 'dropped' : keep(t.state)) : 'dropped',
      }
    }
    case 'replaced':
      if (!event.same) return less(t, { state: 'cancelled' }, 'block')
      return less(t, { state: 'pending', hash: event.hash, spedUp: true }, 'block')
    case 'settled':
      return t.state === 'cancelled' ? { ...t, settled: true } : t
    case 'signatures': {
      if (!t.safe) return t
      const safe = { ...t.safe, given: event.given, threshold: event.threshold, from: event.from }
      return { ...t, safe, state: t.state === 'pending' ? 'multisig' : t.state }
    }
    case 'executed':
      return less(t, { hash: event.hash, state: keep(t.state) }, 'isOpaque')
    case 'outrun':
      return less(t, { state: 'cancelled' }, 'block')
    case 'batch_failed':
      if (event.how === 'not_sent') return less(t, { state: 'refused' }, 'block')
      if (event.how === 'partly') return less(t, { state: 'partial', ...defined({ taken: event.taken }) }, 'taken')
      return less(t, { state: 'reverted', settled: true }, 'taken')
  }
}

/** A reorged one that is waited for stays so. */
const keep = (state: State): State => (state === 'reorged' ? 'reorged' : 'pending')

/** Without what is not known. */
function defined<T extends object>(values: { [K in keyof T]: T[K] | undefined }): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>
}

/** Changed, and without what is no longer so. */
function less(
  t: Transaction,
  change: Partial<Transaction>,
  ...gone: (
    ('block' | 'taken' | 'nonce' | 'page' | 'isOpaque' | 'unfound') | ('isUnsure' | 'mayAsk' | 'lookedFrom' | 'message')
  )[]
): Transaction {
  const changed = { ...t, ...change }
  for (const name of gone) if (change[name] === undefined) delete changed[name]
  // It was taken in that block.
  if (gone.includes('block')) delete changed.taken
  return changed
}
