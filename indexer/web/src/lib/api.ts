// The API, by the types of its own description. A problem is a value: a page decides what it can still show.

import createClient from 'openapi-fetch'
import type { Answer, Origin, Problem, SaleState } from './api.types.ts'
import type { paths } from './schema.d.ts'
import { exported, fetchAnswer, known, ORIGIN } from './source.ts'

export type * from './api.types.ts'

const client = createClient<paths>({
  baseUrl: new URL('.', document.baseURI).href.replace(/\/$/, ''),
  fetch: fetchAnswer,
})

/** What openapi-fetch gives, as one value. */
interface Fetched<T> {
  data?: T
  error?: unknown
  response: Response
}

async function answer<T>(asked: Promise<Fetched<T>>): Promise<Answer<T>> {
  let fetched
  try {
    fetched = await asked
  } catch (error) {
    // A body that is no JSON did come from somewhere.
    return { ok: false, failure: error instanceof SyntaxError ? { kind: 'garbled', status: 0 } : { kind: 'down' } }
  }
  const { data, error, response } = fetched
  if (response.ok && data !== undefined) return { ok: true, body: data, origin: originOf(response) }
  if (isProblem(error)) {
    const seconds = Number(response.headers.get('retry-after') ?? NaN)
    return {
      ok: false,
      failure: { kind: 'problem', problem: error, retryAfter: Number.isFinite(seconds) ? seconds : undefined },
    }
  }
  // What stands before the service says so when the service is away.
  if ([502, 503, 504].includes(response.status)) return { ok: false, failure: { kind: 'down' } }
  return { ok: false, failure: { kind: 'garbled', status: response.status } }
}

function originOf(response: Response): Origin | undefined {
  const written = response.headers.get(ORIGIN)
  return written === null ? undefined : (JSON.parse(written) as Origin)
}

/** What the service has told of is kept in mind for a day on which it is away. */
async function learnt<T>(asked: Promise<Answer<T>>, learn: (body: T) => void): Promise<Answer<T>> {
  const found = await asked
  if (found.ok && (!found.origin || exported)) learn(found.body)
  return found
}

function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'code' in value && 'detail' in value
}

export interface SalesQuery {
  q?: string
  chain?: number
  state?: SaleState
  owner?: string
  cursor?: string
}

/** Random without `randomUUID`, which there is only over HTTPS. */
const newKey = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

const PAGE = 24
/** Rows of a list below others. */
export const SHORT = 10
/** Most rows that the API gives at once. */
export const MOST = 200

export const api = {
  status: () => answer(client.GET('/v1/status')),
  sales: (query: SalesQuery) => answer(client.GET('/v1/sales', { params: { query: { ...query, limit: PAGE } } })),
  sale: (chain: number, sale: string) =>
    learnt(answer(client.GET('/v1/sales/{chain}/{sale}', { params: { path: { chain, sale } } })), ({ data }) =>
      known.learnSale(chain, data.address),
    ),
  contributions: (chain: number, sale: string, limit = SHORT, cursor?: string) =>
    answer(
      client.GET('/v1/sales/{chain}/{sale}/contributions', {
        params: { path: { chain, sale }, query: { limit, ...(cursor === undefined ? {} : { cursor }) } },
      }),
    ),
  activity: (chain: number, sale: string, limit = SHORT, cursor?: string) =>
    answer(
      client.GET('/v1/sales/{chain}/{sale}/activity', {
        params: { path: { chain, sale }, query: { limit, ...(cursor === undefined ? {} : { cursor }) } },
      }),
    ),
  positions: (address: string, cursor?: string) =>
    learnt(
      answer(
        client.GET('/v1/investors/{address}', {
          params: { path: { address }, query: { limit: PAGE, ...(cursor === undefined ? {} : { cursor }) } },
        }),
      ),
      ({ data }) => data.forEach((one) => known.learnSale(one.chain_id, one.sale)),
    ),
  membership: (root: string, investor: string) =>
    answer(client.GET('/v1/allowlists/{root}/{investor}', { params: { path: { root, investor } } })),
  series: (chain: number, sale: string) =>
    answer(
      client.GET('/v1/sales/{chain}/{sale}/series', { params: { path: { chain, sale }, query: { interval: 'day' } } }),
    ),
  /** Checks a sale file; nothing is kept of it. */
  plan: (chain: number, file: string, creator?: string) =>
    answer(
      client.POST('/v1/sales/plan', {
        body: { chain, file, ...(creator === undefined ? {} : { creator }) },
      }),
    ),
  nonce: () => answer(client.GET('/v1/sessions/nonce')),
  signIn: (message: string, signature: string) =>
    answer(
      client.POST('/v1/sessions', {
        params: { header: { 'Idempotency-Key': newKey() } },
        body: { message, signature },
      }),
    ),
  signOut: (token: string) => answer(client.DELETE('/v1/session', { headers: bearer(token) })),
  ownVouchers: (token: string) => answer(client.GET('/v1/session/vouchers', { headers: bearer(token) })),
  concentration: (chain: number, sale: string) =>
    answer(client.GET('/v1/sales/{chain}/{sale}/concentration', { params: { path: { chain, sale } } })),
  /** The largest alone: what they have together comes with every page. */
  holders: (chain: number, token: string) =>
    answer(
      client.GET('/v1/tokens/{chain}/{token}/holders', { params: { path: { chain, token }, query: { limit: 1 } } }),
    ),
  /** Where what happens in a sale is told. */
  saleEvents: (chain: number, sale: string) => new URL(`v1/sales/${chain}/${sale}/events`, document.baseURI).href,
}
