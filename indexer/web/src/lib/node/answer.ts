// The routes of the API that a node can answer, answered by a node.

import type { ChainMeta, Sale } from '../api.ts'
import { ORIGIN, type Origin, type Place } from '../source.ts'
import { type NodeDocuments, readDocuments } from './documents.ts'
import { type Heads, isThere, metaOf, readHeads, WrongChain } from './heads.ts'
import { findPosition, type NodePosition } from './position.ts'
import { Reader } from './reader.ts'
import { findSale } from './sale.ts'

/** What is read together, at one block. A reorg meanwhile could mix two states: then it is read once more. */
async function atOneBlock<T>(place: Place, read: (reader: Reader) => Promise<T>): Promise<{ value: T; heads: Heads }> {
  for (let left = 3; ; left--) {
    const heads = await readHeads(place)
    const value = await read(new Reader(place, heads))
    if (left === 0 || (await isThere(place.ask, heads.latest))) return { value, heads }
  }
}

/** Answers `path` as the API would. */
export async function answer(place: Place, path: string): Promise<Response> {
  const [route = '', query = ''] = path.split('?', 2)
  const parts = route.split('/').slice(2)
  const asked = new URLSearchParams(query)
  try {
    if (parts[0] === 'status' && parts.length === 1) return await status(place)
    if (parts[0] === 'sales' && parts.length === 1) return await sales(place, asked)
    if (parts[0] === 'sales' && parts.length === 3) return await sale(place, Number(parts[1]), parts[2] ?? '')
    if (parts[0] === 'investors' && parts.length === 2) return await positions(place, parts[1] ?? '')
    return problem(404, 'needs_index', 'this needs an index, and this page asks a node alone')
  } catch (error) {
    if (error instanceof WrongChain) return problem(500, 'wrong_chain', error.message)
    // As of a service that is away: the page knows what it asks, and says so in its words.
    return new Response(null, { status: 502 })
  }
}

async function status(place: Place): Promise<Response> {
  const heads = await readHeads(place)
  const chain = {
    chain_id: place.chain,
    state: 'running',
    // A node that keeps the last blocks alone has none to show: nothing is shown then.
    genesis_hash: '',
    factory: place.factory,
    start_block: 0,
    sales: place.sales.length,
    quarantined_logs: 0,
    behind_blocks: 0,
    silent_seconds: 0,
  }
  return told(place, heads, { data: { version: '', chains: [chain] }, meta: { chains: [metaOf(place.chain, heads)] } })
}

async function sales(place: Place, asked: URLSearchParams): Promise<Response> {
  const { value, heads } = await atOneBlock(place, (r) => Promise.all(place.sales.map((one) => findSale(r, one))))
  const words = (asked.get('q') ?? '').toLowerCase()
  const data = value
    .filter((one): one is Sale => one !== undefined)
    .filter((one) => [one.name, one.token.symbol, one.address].some((text) => text.toLowerCase().includes(words)))
    .filter((one) => !asked.has('state') || one.state === asked.get('state'))
  return told(place, heads, { data, next_cursor: null, meta: { chains: [metaOf(place.chain, heads)] } })
}

async function sale(place: Place, chain: number, address: string): Promise<Response> {
  if (chain !== place.chain) return problem(404, 'chain_not_found', `this page asks a node of chain ${place.chain}`)
  const { value, heads } = await atOneBlock(place, (r) => findSale(r, address))
  if (!value) return problem(404, 'sale_not_found', 'the factory that this page knows did not create it')
  return told(place, heads, { data: value, meta: metaOf(place.chain, heads) })
}

async function positions(place: Place, investor: string): Promise<Response> {
  const { value, heads } = await atOneBlock(place, (r) =>
    Promise.all(
      place.sales.map(async (one) => {
        const found = await findSale(r, one)
        return found && findPosition(r, found, investor)
      }),
    ),
  )
  const data = value.filter((one) => one !== undefined)
  return told(place, heads, { data, next_cursor: null, meta: { chains: [metaOf(place.chain, heads)] } })
}

/** What one address has in one sale; undefined where that is nothing. */
export async function readPosition(place: Place, sale: string, investor: string): Promise<NodePosition | undefined> {
  const { value } = await atOneBlock(place, async (r) => {
    const found = await findSale(r, sale)
    return found && findPosition(r, found, investor)
  })
  return value
}

/** The documents of a sale, by its hashes on the chain; throws where the node does not tell. */
export async function documentsOf(place: Place, sale: string, before?: NodeDocuments): Promise<NodeDocuments> {
  return (await atOneBlock(place, (r) => readDocuments(r, sale, before))).value
}

function told(
  place: Place,
  heads: Heads,
  body: { data: unknown; next_cursor?: null; meta: ChainMeta | { chains: ChainMeta[] } },
): Response {
  const origin: Origin = { by: place.by, block: heads.latest.number }
  return Response.json(body, { headers: { [ORIGIN]: JSON.stringify(origin) } })
}

function problem(status: number, code: string, detail: string): Response {
  const body = { type: 'about:blank', title: detail, status, detail, instance: '', code, request_id: '', errors: [] }
  return Response.json(body, { status })
}
