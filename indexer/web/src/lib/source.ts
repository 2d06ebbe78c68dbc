// Where answers come from. Ordinarily the API beside the page. A page that `crowdsale page` wrote has none, and asks a node; and where
// the API is away, or its index stands still, the node of the connected wallet is asked. A node is asked by `node/`, which answers as
// the API does: no screen needs to know. It is loaded when it is first needed.

import type { Origin } from './api.types.ts'
import type { NodeDocuments } from './node/documents.ts'

export type { Origin }

/** How a node is asked: EIP-1193's `request`. */
export type Ask = (method: string, params: unknown[]) => Promise<unknown>

/** What the start page of an exported page says. */
export interface Exported {
  node: string
  chain: number
  factory: string
  sales: string[]
}

/** A node, and what is known of its chain. */
export interface Place {
  by: Origin['by']
  chain: number
  factory: string
  sales: string[]
  ask: Ask
}

/** In the headers of an answer: its origin. */
export const ORIGIN = 'crowdsale-origin'

function meta(name: string): string | undefined {
  return document.querySelector<HTMLMetaElement>(`meta[name="crowdsale-${name}"]`)?.content
}

function findExported(): Exported | undefined {
  const [node, chain, factory] = [meta('node'), Number(meta('chain')), meta('factory')]
  if (node === undefined || factory === undefined || !Number.isSafeInteger(chain)) return undefined
  return { node, chain, factory, sales: (meta('sales') ?? '').split(' ').filter((one) => one !== '') }
}

/** Set in a page that asks a node alone. */
export const exported: Exported | undefined = findExported()

/** The wallet that is connected, if it lets itself be asked. */
let wallet: () => { chain: number; ask: Ask } | undefined = () => undefined
/** Whether the person would rather have the wallet's node than an index that stands still. */
let isPreferred = false

export const source = {
  /** Where the connected wallet is found: the page's start says it, so that this file needs to know no wallet. */
  setWallet(find: typeof wallet) {
    wallet = find
  },
  /**
   * Has what the ways out need, while it can be had: the files of the page come from the very service that may go away. Not part of the
   * first load.
   */
  prepare() {
    const wanted = () =>
      void Promise.all([
        import('./node/answer.ts'),
        import('./contract.ts'),
        // Every transaction asks it whether the account is a Safe.
        import('./safe.ts'),
        import('./team.ts'),
        import('ethers/address'),
      ]).catch(() => {})
    if ('requestIdleCallback' in window) requestIdleCallback(wanted, { timeout: 5_000 })
    else setTimeout(wanted, 2_000)
  },
  prefer(node: boolean) {
    isPreferred = node
  },
}

/** As `fetch`, for the routes of the API. */
export async function fetchAnswer(request: Request): Promise<Response> {
  const path = pathOf(request.url)
  if (exported) return (await import('./node/answer.ts')).answer(await place(exported), path)
  const other = request.method === 'GET' && isReadable(path) ? byWallet() : undefined
  if (!other) return fetch(request, { signal: within(request) })
  if (isPreferred) {
    const found = await answered(other, path)
    if (found) return found
  }
  let response: Response
  try {
    response = await fetch(request, { signal: within(request) })
  } catch (error) {
    const found = await answered(other, path)
    if (found) return found
    throw error
  }
  // Whoever stands before the service says so when it is away; it says itself when its database is.
  return [502, 503, 504].includes(response.status) ? ((await answered(other, path)) ?? response) : response
}

/** Longer than any answer takes: a connection that hangs is none. */
const PATIENCE = 30_000
const within = (request: Request) => AbortSignal.any([request.signal, AbortSignal.timeout(PATIENCE)])

/** How far the wallet's node is, for the clock of the page while the service says nothing. */
export async function findWalletMeta() {
  const other = byWallet()
  if (!other) return undefined
  const { readMeta } = await import('./node/heads.ts')
  return readMeta(other).catch(() => undefined)
}

/** What the wallet's node answers; nothing where it cannot, and then what the service said stands. */
async function answered(other: Place, path: string): Promise<Response | undefined> {
  const response = await (await import('./node/answer.ts')).answer(other, path)
  return response.ok ? response : undefined
}

/** A question to a node alone, which no route of the API has: what one address has in one sale. */
export async function findPositionByNode(chain: number, sale: string, investor: string) {
  const other = exported ? await place(exported) : byWallet()
  if (!other || other.chain !== chain) throw new Error(`no node of chain ${chain} can be asked`)
  return (await import('./node/answer.ts')).readPosition(other, sale, investor)
}

/** The same of the documents that a sale was created with. */
export async function findDocumentsByNode(chain: number, sale: string, before?: NodeDocuments) {
  const other = exported ? await place(exported) : byWallet()
  if (!other || other.chain !== chain) throw new Error(`no node of chain ${chain} can be asked`)
  return (await import('./node/answer.ts')).documentsOf(other, sale, before)
}

async function place(from: Exported): Promise<Place> {
  const { overHttp } = await import('./node/rpc.ts')
  return { by: 'node', chain: from.chain, factory: from.factory, sales: listed(from), ask: overHttp(from.node) }
}

/** Those that the page was made for, and those that were opened in it by their address. */
function listed({ chain, sales }: Exported): string[] {
  const has = new Set(sales.map((one) => one.toLowerCase()))
  return [...sales, ...known.sales(chain).filter((one) => !has.has(one.toLowerCase()))]
}

/** How many sales a node is asked about where positions are: it has no list of all of them. */
export const countAsked = (chain: number) => (exported ? listed(exported) : known.sales(chain)).length

function byWallet(): Place | undefined {
  const connected = wallet()
  const factory = connected && known.factories()[connected.chain]
  if (!connected || factory === undefined) return undefined
  return { by: 'wallet', ...connected, factory, sales: known.sales(connected.chain) }
}

/** Below the folder of the page, whatever that is called. */
function pathOf(url: string): string {
  const path = url.slice(new URL('.', document.baseURI).href.length - 1)
  return path.startsWith('/') ? path : new URL(url).pathname
}

/** What a wallet's node can answer in the place of the API: the ways out need no more. */
const isReadable = (path: string) => /^\/v1\/(sales\/\d+|investors)\/0x[0-9a-fA-F]{40}(\?|$)/.test(path)

const FACTORIES = 'crowdsale.factories'
const SALES = 'crowdsale.sales'
/** Sales that are kept in mind: the last ones seen. */
const KEPT = 50

/** What this browser has learnt from the service while it was there: without it, a wallet's node could not tell a sale from a fraud. */
export const known = {
  factories: () => load<Record<number, string>>(FACTORIES, {}),
  sales: (chain: number) =>
    load<string[]>(SALES, [])
      .filter((one) => one.startsWith(`${chain}/`))
      .map((one) => one.slice(String(chain).length + 1)),
  learnFactory(chain: number, factory: string) {
    const all = known.factories()
    if (all[chain] !== factory) save(FACTORIES, { ...all, [chain]: factory })
  },
  learnSale(chain: number, sale: string) {
    const all = load<string[]>(SALES, [])
    const one = `${chain}/${sale}`
    if (all[0] !== one) save(SALES, [one, ...all.filter((other) => other !== one)].slice(0, KEPT))
  },
}

function load<T extends object>(key: string, none: T): T {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(key) ?? 'null')
    return typeof found === 'object' && found !== null && Array.isArray(found) === Array.isArray(none)
      ? (found as T)
      : none
  } catch {
    return none
  }
}

function save(key: string, value: object) {
  try {
    localStorage.setItem(key, JSON.stringify(value))
  } catch {
    // Without storage the page has to have the service.
  }
}
