// A sale as a screen shows it: read once the screen is there, and anew with each block of its chain.

import { onMount } from 'svelte'
import { api, type Failure, type Origin, type Sale } from './api.ts'
import { chains } from './chains.svelte.ts'

export interface SaleReading {
  /** What was read last; it stays where the next reading fails. */
  readonly sale: Sale | undefined
  /** Where a node told it: what only events tell is not known then. */
  readonly origin: Origin | undefined
  readonly failure: Failure | undefined
  /** Hash of the newest block that the service has of its chain: prices, room and state change with blocks. */
  readonly block: string | undefined
  read(): Promise<void>
}

/** Called while the screen is made. A screen of another sale is another screen. */
export function readSale(chain: number, address: string): SaleReading {
  let sale = $state.raw<Sale>()
  let origin = $state.raw<Origin>()
  let failure = $state.raw<Failure>()
  const block = $derived(chains.metas.find((one) => one.chain_id === chain)?.indexed_block.hash)

  async function read() {
    const found = await api.sale(chain, address)
    if (found.ok) {
      sale = found.body.data
      origin = found.origin
      failure = undefined
      chains.observe(found.body.meta)
    } else {
      failure = found.failure
    }
  }
  onMount(() => void read())

  let seen: string | undefined
  $effect(() => {
    if (block === undefined || block === seen) return
    if (seen !== undefined) void read()
    seen = block
  })

  return {
    get sale() {
      return sale
    },
    get origin() {
      return origin
    },
    get failure() {
      return failure
    },
    get block() {
      return block
    },
    read,
  }
}
