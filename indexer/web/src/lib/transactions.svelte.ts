// The transactions of this browser: sent, followed to finality, and kept over reloads. What they can become is `transaction.ts`'s.

import type { Call } from './contract.ts'
import { type Event, isOver, observe, step, type Transaction } from './transaction.ts'
import { codeOf, DECLINED, messageOf, type Provider, wallets } from './wallets.svelte.ts'

const KEY = 'crowdsale.transactions'
/** Those that are kept: the newest. */
const KEPT = 20
/** Time between two looks. */
const EVERY = 2_000

let list = $state.raw<Transaction[]>(load())

export const transactions = {
  get list() {
    return list
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
    setInterval(() => void look(), EVERY)
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') void look()
    })
  },
}

export type Plan = Pick<Transaction, 'kind' | 'chain' | 'sale' | 'saleName' | 'amount'>

/** Asks the wallet to sign and send, and follows what it sent. `before` goes with it in one transaction. */
async function send(plan: Plan, call: Call, provider: Provider, from: string, before?: Call[]): Promise<void> {
  void before
  const { toParams } = await import('./contract.ts')
  const id = crypto.randomUUID()
  const t: Transaction = {
    ...plan,
    id,
    from,
    to: call.to,
    data: call.data,
    value: call.value.toString(),
    state: 'awaiting_wallet',
  }
  list = [t, ...list].slice(0, KEPT)
  save()
  try {
    // Before it is sent: one that is replaced at once was sent at this height or later.
    const head = Number(await provider.request({ method: 'eth_blockNumber' }))
    const hash = await provider.request({ method: 'eth_sendTransaction', params: [toParams(from, call)] })
    apply(id, [{ type: 'sent', hash: String(hash), head }])
    void look()
  } catch (error) {
    apply(id, [codeOf(error) === DECLINED ? { type: 'declined' } : { type: 'refused', message: messageOf(error) }])
  }
}

function apply(id: string, events: Event[]) {
  if (events.length === 0) return
  list = list.map((t) => (t.id === id ? events.reduce(step, t) : t))
  save()
}

let looking = false

/** Asks the connected wallet's node about all that are under way on its chain. */
async function look() {
  const { connection } = wallets
  if (looking || !connection || document.visibilityState === 'hidden') return
  looking = true
  const ask = (method: string, params: unknown[]) => connection.wallet.provider.request({ method, params })
  for (const t of list) {
    if (t.chain !== connection.chain || isOver(t.state)) continue
    try {
      const events = await observe(t, ask)
      apply(
        t.id,
        // What took its place may be another one of this list, which shows it already: then this one is not that, sped up.
        events.map((one) => (one.type === 'replaced' && isListed(one.hash, t.id) ? { ...one, same: false } : one)),
      )
    } catch {
      // A node that does not answer says nothing about the transaction.
    }
  }
  looking = false
}

const isListed = (hash: string, but: string) => list.some((one) => one.id !== but && one.hash === hash)

function load(): Transaction[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]')
    if (!Array.isArray(kept)) return []
    return (kept as Transaction[])
      .filter((t) => typeof t?.id === 'string' && typeof t.state === 'string')
      .map((t) => step(t, { type: 'reloaded' }))
  } catch {
    return []
  }
}

function save() {
  try {
    localStorage.setItem(KEY, JSON.stringify(list))
  } catch {
    // Without storage they are followed as long as the page is open.
  }
}
