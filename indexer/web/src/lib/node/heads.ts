// How far a node is: its newest block, and those that it calls safe and final.

import type { ChainMeta } from '../api.ts'
import type { Ask, Place } from '../source.ts'

export interface Head {
  number: number
  hash: string
  /** Seconds. */
  timestamp: number
}

export interface Heads {
  latest: Head
  /** Heights; zero where the chain has not the tag. */
  safe: number
  finalized: number
}

/** The node serves another chain than the page is for. */
export class WrongChain extends Error {
  constructor(
    readonly found: number,
    readonly wanted: number,
  ) {
    super(`the node serves chain ${found}, and this page is for chain ${wanted}`)
  }
}

async function find(ask: Ask, tag: string): Promise<Head | undefined> {
  const block = (await ask('eth_getBlockByNumber', [tag, false])) as Record<
    'number' | 'hash' | 'timestamp',
    string
  > | null
  return block ? { number: Number(block.number), hash: block.hash, timestamp: Number(block.timestamp) } : undefined
}

export async function readHeads({ ask, chain }: Place): Promise<Heads> {
  const [id, latest, safe, finalized] = await Promise.all([
    ask('eth_chainId', []),
    find(ask, 'latest'),
    find(ask, 'safe').catch(() => undefined),
    find(ask, 'finalized').catch(() => undefined),
  ])
  if (Number(id) !== chain) throw new WrongChain(Number(id), chain)
  if (!latest) throw new Error('the node has no block')
  return { latest, safe: safe?.number ?? 0, finalized: finalized?.number ?? 0 }
}

/** Whether the block is still in the chain: what was read at its height belongs to it. */
export async function isThere(ask: Ask, head: Head): Promise<boolean> {
  return (await find(ask, quantity(head.number)))?.hash === head.hash
}

export const quantity = (value: number) => `0x${value.toString(16)}`

export const iso = (seconds: number) => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')

/** As the API says how current it is. A node is as current as itself. */
export function metaOf(chain: number, { latest, safe, finalized }: Heads): ChainMeta {
  return {
    chain_id: chain,
    indexed_block: { number: latest.number, hash: latest.hash, timestamp: iso(latest.timestamp) },
    head_block: latest.number,
    safe_block: safe,
    finalized_block: finalized,
    // By a clock that may be wrong, and is asked for nothing else.
    lag_seconds: Math.max(0, Math.floor(Date.now() / 1000) - latest.timestamp),
    has_errors: false,
  }
}

export async function readMeta(place: Place): Promise<ChainMeta> {
  return metaOf(place.chain, await readHeads(place))
}
