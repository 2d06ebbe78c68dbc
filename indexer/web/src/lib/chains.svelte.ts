// How current this page is: the clock of each chain, and whether the service answers. Nothing of the API's data is kept here.

import { SvelteMap } from 'svelte/reactivity'
import { api, type ChainMeta, type Failure, type Status } from './api.ts'
import { heard, type Pace, quietFor } from './pace.ts'
import { exported, findWalletMeta, known, source } from './source.ts'
import { chainNow, newer, type Reading, toSeconds } from './time.ts'

/** So many blocks behind is the ordinary delay of an indexer, not worth a word. */
export const ORDINARY_LAG = 3

/** Time between two questions how far the service is. */
const EVERY = 5_000

const clocks = new SvelteMap<number, Reading>()
const paces = new SvelteMap<number, Pace>()
let now = $state(performance.now())
let status = $state<Status>()
let metas = $state<ChainMeta[]>([])
let down = $state(false)
let failure = $state.raw<Failure>()
let answered = $state<number>()
let byWallet = $state<number>()
let isPreferred = $state(false)

export const chains = {
  /** Seconds of the chain's clock, each second anew; none before anything of the chain was read. */
  now(chain: number): number | undefined {
    const reading = clocks.get(chain)
    return reading && chainNow(reading, now)
  },
  /** Seconds for which the chain has made no block, by the node that the service asks, where that is longer than it should be. */
  quietFor(chain: number): number | undefined {
    const [pace, meta] = [paces.get(chain), metas.find((one) => one.chain_id === chain)]
    // How old a block is by a clock of this machine says nothing: it may be wrong.
    const isNodes = exported || byWallet === chain
    const lag = isNodes ? 0 : (meta?.lag_seconds ?? 0)
    // The blocks that this page is told of are those of the index: where that is behind, they say nothing of the chain.
    const behind = isNodes ? 0 : (status?.chains.find((one) => one.chain_id === chain)?.behind_blocks ?? 0)
    return pace && behind <= ORDINARY_LAG ? quietFor(pace, lag) : undefined
  },
  /** Whether nothing new of the chain comes in, be it for the chain, its node or the index. */
  isStill(chain: number): boolean {
    const state = status?.chains.find((one) => one.chain_id === chain)?.state
    return state === 'halted' || state === 'silent' || chains.quietFor(chain) !== undefined
  },
  get status() {
    return status
  },
  get metas() {
    return metas
  },
  /** Whether the service did not answer when it was last asked. */
  get down() {
    return down
  },
  /** Why it did not. */
  get failure() {
    return failure
  },
  /** Seconds since it last answered. */
  get silentFor() {
    return answered === undefined ? undefined : Math.floor((now - answered) / 1000)
  },
  /** The chain that the wallet's node is asked about, in the place of a service that is away. */
  get byWallet() {
    return byWallet
  },
  /** Whether the person would rather have the wallet's node than an index that stands still. */
  get isPreferred() {
    return isPreferred
  },
  preferNode(node: boolean) {
    isPreferred = node
    source.prefer(node)
    void ask()
  },
  /** Every answer says how current it is. */
  observe(meta: ChainMeta | { chains: ChainMeta[] }) {
    for (const one of 'chains' in meta ? meta.chains : [meta]) {
      const seconds = toSeconds(one.indexed_block.timestamp)
      clocks.set(one.chain_id, newer(clocks.get(one.chain_id), seconds, performance.now()))
      const { hash, number } = one.indexed_block
      paces.set(one.chain_id, heard(paces.get(one.chain_id), hash, number, performance.now()))
    }
  },
  /** Runs the clocks and asks the service how far it is, until the page goes. */
  start() {
    setInterval(() => (now = performance.now()), 1000)
    void ask()
    setInterval(() => void ask(), EVERY)
    // A page that was hidden had its timers held back.
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') void ask()
    })
    window.addEventListener('online', () => void ask())
  },
  ask,
}

async function ask() {
  const found = await api.status()
  now = performance.now()
  failure = found.ok ? undefined : found.failure
  if (found.ok) {
    down = false
    answered = now
    status = found.body.data
    if (!exported) for (const one of status.chains) known.learnFactory(one.chain_id, one.factory)
  } else {
    // Who is told to wait was answered all the same.
    down = !(found.failure.kind === 'problem' && found.failure.problem.code === 'too_many_requests')
  }
  const told = found.ok ? found.body.meta.chains : metas
  // The clock of the wallet's chain runs by its own node where the service does not say.
  const meta = down || isPreferred ? await findWalletMeta() : undefined
  byWallet = meta?.chain_id
  metas = meta ? [...told.filter((one) => one.chain_id !== meta.chain_id), meta] : told
  // Where nothing was answered, nobody said that there is no new block.
  chains.observe({ chains: [...(found.ok ? told : []), ...(meta ? [meta] : [])] })
}
