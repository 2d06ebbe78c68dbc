// The transactions of this browser: sent, followed to finality, and kept over reloads. What they can become is `transaction.ts`'s.

import { api, MOST } from './api.ts'
import { observeBatch, sendCalls, takesNoBatch } from './batch.ts'
import { chains } from './chains.svelte.ts'
import type { Call } from './contract.ts'
import { merge, parse } from './keep.ts'
import { elsewhere } from './messages.elsewhere.ts'
import { m } from './messages.ts'
import { type Ask, observe } from './observe.ts'
import { unlessSilent } from './patience.ts'
import { observeByService } from './service.ts'
import type { Account } from './safe.ts'
import { type Event, isOver, type Kind, type Safe, step, type Transaction } from './transaction.ts'
import { isUnsent, mayStillAsk } from './unsent.ts'
import { codeOf, DECLINED, messageOf, type Provider, wallets } from './wallets.svelte.ts'

const KEY = 'crowdsale.transactions'
/** Time between two looks. */
const EVERY = 2_000

/** This page, of all that are open. Random without `randomUUID`, which there is only over HTTPS. */
const newId = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (word) => word.toString(36)).join('-')
const PAGE = newId()
const LOCK = 'crowdsale.page.'

let list = $state.raw<Transaction[]>(read())
let known = new Set(list.map((t) => t.id))
let isKept = $state(true)

export const transactions = {
  get list() {
    return list
  },
  /** Whether the browser keeps them over a reload. */
  get isKept() {
    return isKept
  },
  /** Whether one of this kind may be on its way without anybody knowing, so that another one could do the same twice. */
  hasUnsure(chain: number, sale: string, kind: Kind, from: string): boolean {
    const own = (t: Transaction) => t.chain === chain && t.sale === sale && t.kind === kind && t.from === from
    return list.some((t) => own(t) && t.state === 'interrupted' && !isOver(t))
  },
  /** Those of a sale, the newest first. */
  of(chain: number, sale: string): Transaction[] {
    return list.filter((t) => t.chain === chain && t.sale === sale)
  },
  send,
  dismiss(id: string) {
    list = list.filter((t) => t.id !== id)
    save()
  },
  start() {
    // Held as long as the page lives: another tab sees by it whether the one that asked the wallet is there still.
    void navigator.locks?.request(LOCK + PAGE, () => new Promise(() => {}))
    window.addEventListener('storage', (event) => {
      if (event.key === KEY || event.key === null) take(parse(event.key === null ? null : event.newValue))
    })
    setInterval(() => void look(), EVERY)
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') void look()
    })
    void look()
  },
}

export type Plan = Pick<Transaction, 'kind' | 'chain' | 'sale' | 'saleName' | 'amount' | 'foreseen' | 'receiver'>

const asker =
  (provider: Provider): Ask =>
  (method, params) =>
    provider.request({ method, params })

/**
 * Asks the wallet to sign and send, and follows what it sent. `before` goes with it in one transaction.
 * @returns Whether the wallet was asked for a batch and takes none.
 */
async function send(
  plan: Plan,
  call: Call,
  provider: Provider,
  from: string,
  before?: Call[],
): Promise<'no_batch' | undefined> {
  const id = newId()
  const { to, data } = call
  const value = call.value.toString()
  const t: Transaction = {
    ...plan,
    ...{ id, from, to, data, value, page: PAGE, rev: 0, asked: Date.now(), state: 'awaiting_wallet' },
  }
  list = [t, ...list]
  save()
  const ask = asker(provider)
  /** Whether the wallet has been asked to send: until then, nothing can have gone out. */
  let isOut = false
  let isFindable = false
  try {
    const { toParams } = await import('./contract.ts')
    const { findAccount, proposed } = await import('./safe.ts')
    const [head, nonce, { isContract, threshold }] = await Promise.all([
      // Before it is sent: one that is replaced at once was sent at this height or later.
      ask('eth_blockNumber', []).then(Number),
      ask('eth_getTransactionCount', [from, 'latest']).then(Number),
      // A node that does not say so does not keep anybody from paying.
      // One that does not answer at all leaves open whether its account is a Safe, of which no node would know the hash.
      findAccount(ask, from).catch(unlessSilent<Account>({ isContract: false })),
    ])
    apply(id, [{ type: 'asking', head, nonce: isContract ? undefined : nonce }])
    // The wallet may have gone elsewhere since the button was pressed. On another chain, the sale's address is nobody's.
    if (await hasMoved(ask, plan.chain, from)) {
      apply(id, [{ type: 'refused', message: m.transaction.moved }])
      return undefined
    }
    isOut = true
    // A batch goes out as another call, and a contract's under nonces of its own.
    isFindable = !before && !isContract
    if (before) {
      const batch = await sendCalls(ask, from, plan.chain, [...before, call])
      if (batch !== undefined && threshold !== undefined && HASH.test(batch)) {
        const safe: Safe = { hash: batch, threshold, given: 0, from: head }
        apply(id, [{ type: 'proposed', safe, batch }])
      } else {
        apply(id, [{ type: 'batched', id: batch, head }])
      }
    } else {
      const hash = String(await ask('eth_sendTransaction', [toParams(from, call, plan.chain)]))
      if (!HASH.test(hash)) throw new Error(elsewhere.unsure.noHash)
      // A Safe's wallet gives a hash of its own, which no node knows.
      const isSafes = threshold !== undefined && !(await ask('eth_getTransactionByHash', [hash]).catch(() => null))
      const event: Event = isSafes
        ? { type: 'proposed', safe: await proposed(ask, t, hash, threshold, head) }
        : { type: 'sent', hash, head, ...(isContract ? { isOpaque: true } : {}) }
      apply(id, [event])
    }
    void look()
  } catch (error) {
    const [code, message] = [codeOf(error), messageOf(error)]
    if (isOut && !isUnsent(code)) {
      apply(id, [{ type: 'unsure', message, isFindable, mayAsk: mayStillAsk(code) }])
      void look()
      return undefined
    }
    apply(id, [code === DECLINED ? { type: 'declined' } : { type: 'refused', message }])
    if (before && takesNoBatch(code)) return 'no_batch'
  }
  return undefined
}

const HASH = /^0x[0-9a-fA-F]{64}$/

async function hasMoved(ask: Ask, chain: number, from: string): Promise<boolean> {
  const [at, accounts] = await Promise.all([ask('eth_chainId', []), ask('eth_accounts', [])])
  return Number(at) !== chain || !(accounts as string[]).some((one) => one.toLowerCase() === from.toLowerCase())
}

function apply(id: string, events: Event[]) {
  const before = list.find((t) => t.id === id)
  if (!before) return
  const after = events.reduce(step, before)
  if (JSON.stringify(after) === JSON.stringify(before)) return
  list = list.map((t) => (t.id === id ? { ...after, rev: before.rev + 1 } : t))
  save()
}

/** Those that are asked about now. Each by itself: where one answer is late, the others are followed on. */
const looking = new Set<string>()

/** Asks about all that are under way: the connected wallet's node about those on its chain, the service about the others. */
async function look() {
  if (document.visibilityState === 'hidden') return
  await interrupt()
  for (const { id } of list) void follow(id)
}

async function follow(id: string) {
  if (looking.has(id)) return
  looking.add(id)
  try {
    // Twice: a wallet or a Safe tells the hash first, and then it is asked for.
    for (let round = 0; round < 2; round++) {
      const t = list.find((one) => one.id === id)
      if (!t || isOver(t)) break
      const events = own(id, await seen(t).catch(() => []))
      apply(id, events)
      if (!events.some((event) => event.type === 'executed' || event.type === 'sent')) break
    }
  } finally {
    looking.delete(id)
  }
}

/** What is to be seen of one now. A node that does not answer says nothing about it. */
async function seen(t: Transaction): Promise<Event[]> {
  const { connection } = wallets
  if (connection?.chain !== t.chain) return byService(t)
  const ask = asker(connection.wallet.provider)
  if (t.safe && t.state !== 'interrupted') {
    const events = await (await import('./safe.ts')).observeSafe(t, t.safe, ask)
    // A Safe's app may know of a batch before the chain does, and why it is none.
    const isQuiet = t.batch !== undefined && events.every((event) => event.type === 'signatures')
    return isQuiet ? [...events, ...(await observeBatch(t, t.batch ?? '', ask).catch(() => []))] : events
  }
  if (t.batch !== undefined) return observeBatch(t, t.batch, ask)
  return observe(t, ask)
}

/**
 * What took its place may be another one of this list, which shows it already: then this one is not that, sped up. Told by the list as it
 * is when the events are taken in: several are looked for at once.
 */
const own = (id: string, events: Event[]) =>
  events.flatMap((one): Event[] => {
    if (one.type === 'replaced' && isListed(one.hash, id)) return [{ ...one, same: false }]
    return one.type === 'sent' && isListed(one.hash, id) ? [] : [one]
  })

const isListed = (hash: string, but: string) => list.some((one) => one.id !== but && one.hash === hash)

/** The block of the index in which each was last asked of the service: it says nothing new before the next one. */
const asked = new Map<string, string>()

async function byService(t: Transaction): Promise<Event[]> {
  const block = chains.metas.find((one) => one.chain_id === t.chain)?.indexed_block.hash
  if (block === undefined || asked.get(t.id) === block) return []
  asked.set(t.id, block)
  return observeByService(t, (cursor) => api.activity(t.chain, t.sale, MOST, cursor))
}

/** Those that wait for a wallet which a page asked that is gone. */
async function interrupt() {
  const theirs = list.filter((t) => t.state === 'awaiting_wallet' && t.page !== PAGE)
  if (theirs.length === 0) return
  // Without locks nobody knows whether another page is there: it says so itself when the wallet has answered.
  const locks = await navigator.locks?.query()
  const alive = new Set(locks?.held?.map((lock) => lock.name))
  for (const t of theirs) if (!alive.has(LOCK + t.page)) apply(t.id, [{ type: 'reloaded' }])
}

function read(): Transaction[] {
  try {
    return parse(localStorage.getItem(KEY))
  } catch {
    return []
  }
}

/** Takes in what storage has. */
function take(stored: Transaction[]) {
  list = merge(list, known, stored)
  known = new Set(stored.map((t) => t.id))
}

function save() {
  // What another tab has written since is not written over.
  take(read())
  try {
    localStorage.setItem(KEY, JSON.stringify(list))
    known = new Set(list.map((t) => t.id))
    isKept = true
  } catch {
    // Full, or forbidden: they are followed as long as the page is open, which the card says.
    isKept = false
  }
}
