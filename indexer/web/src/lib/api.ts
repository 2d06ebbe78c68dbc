// The API, by the types of its own description. A problem is a value: a page decides what it can still show.

import createClient from 'openapi-fetch'
import type { components, paths } from './schema.d.ts'

export type Schemas = components['schemas']
export type Sale = Schemas['Sale']
export type Contribution = Schemas['Contribution']
export type Activity = Schemas['Activity']
export type Position = Schemas['Position']
export type Status = Schemas['Status']
export type ChainMeta = Schemas['ChainMeta']
export type Problem = Schemas['Problem']
export type SaleState = Schemas['SaleState']
export type FeedEvent = Schemas['FeedEvent']
export type OwnVoucher = Schemas['OwnVoucher']
export type SalePlan = Schemas['SalePlan']
export type PlannedFlow = Schemas['PlannedFlow']
export type FileFault = Schemas['FileFault']

export type Failure =
  /** No answer at all. */
  | { kind: 'down' }
  /** An answer that is none of this API. */
  | { kind: 'garbled'; status: number }
  /** A problem, and after how many seconds it may be worth trying again. */
  | { kind: 'problem'; problem: Problem; retryAfter: number | undefined }

export type Answer<T> = { ok: true; body: T } | { ok: false; failure: Failure }

const client = createClient<paths>({ baseUrl: new URL('.', document.baseURI).href.replace(/\/$/, '') })

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
  if (response.ok && data !== undefined) return { ok: true, body: data }
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
    answer(client.GET('/v1/sales/{chain}/{sale}', { params: { path: { chain, sale } } })),
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
    answer(
      client.GET('/v1/investors/{address}', {
        params: { path: { address }, query: { limit: PAGE, ...(cursor === undefined ? {} : { cursor }) } },
      }),
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
        params: { header: { 'Idempotency-Key': crypto.randomUUID() } },
        body: { message, signature },
      }),
    ),
  signOut: (token: string) => answer(client.DELETE('/v1/session', { headers: bearer(token) })),
  ownVouchers: (token: string) => answer(client.GET('/v1/session/vouchers', { headers: bearer(token) })),
  /** Where what happens in a sale is told. */
  saleEvents: (chain: number, sale: string) => new URL(`v1/sales/${chain}/${sale}/events`, document.baseURI).href,
}
