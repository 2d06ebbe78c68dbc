// A wallet that has signed in to this service (ERC-4361), to fetch what is for it alone. The token lives as long as the tab: it goes into a
// header that this page writes, so no other page can use it.

import { api, type Failure, type OwnVoucher } from './api.ts'
import { codeOf, type Connection, DECLINED } from './wallets.svelte.ts'

const KEY = 'crowdsale.session'
/** Seconds that a message is good for, as its nonce is. */
const GOOD_FOR = 600

interface Session {
  token: string
  address: string
  chain: number
  /** RFC 3339. */
  expires: string
}

export type SignInFault = 'declined' | 'wallet' | { failure: Failure }

let session = $state.raw<Session | undefined>(load())
let fault = $state.raw<SignInFault>()
let isAsking = $state(false)

export const sessions = {
  /** Whether this account has signed in on this chain. */
  has(connection: Connection | undefined): boolean {
    return (
      session !== undefined &&
      connection !== undefined &&
      session.address.toLowerCase() === connection.account.toLowerCase() &&
      session.chain === connection.chain
    )
  },
  get current() {
    return session
  },
  get fault() {
    return fault
  },
  get isAsking() {
    return isAsking
  },
  signIn,
  signOut,
  vouchers,
}

async function signIn({ wallet, account, chain }: Connection): Promise<void> {
  if (isAsking) return
  isAsking = true
  fault = undefined
  try {
    const given = await api.nonce()
    if (!given.ok) {
      fault = { failure: given.failure }
      return
    }
    // By the service's clock, which judges it: the visitor's may be wrong.
    const issued = Date.parse(given.body.data.expires_at) - GOOD_FOR * 1000
    const message = write(account, chain, given.body.data.nonce, issued)
    let signature
    try {
      signature = await wallet.provider.request({ method: 'personal_sign', params: [hex(message), account] })
    } catch (error) {
      fault = codeOf(error) === DECLINED ? 'declined' : 'wallet'
      return
    }
    const opened = await api.signIn(message, String(signature))
    if (!opened.ok) {
      fault = { failure: opened.failure }
      return
    }
    const { token, data } = opened.body
    keep({ token, address: data.address, chain: data.chain_id, expires: data.expires_at })
  } finally {
    isAsking = false
  }
}

async function signOut(): Promise<void> {
  const token = session?.token
  keep(undefined)
  // Whether or not the service hears of it, this page has forgotten it.
  if (token !== undefined) await api.signOut(token)
}

/** The newest first; none where the session is over, which is then forgotten. */
async function vouchers(): Promise<{ ok: true; list: OwnVoucher[] } | { ok: false; failure: Failure } | undefined> {
  if (!session) return undefined
  const found = await api.ownVouchers(session.token)
  if (found.ok) return { ok: true, list: found.body.data }
  if (found.failure.kind === 'problem' && found.failure.problem.code === 'unauthenticated') {
    keep(undefined)
    return undefined
  }
  return { ok: false, failure: found.failure }
}

/** The message of ERC-4361, to the byte. */
function write(account: string, chain: number, nonce: string, issued: number): string {
  const time = (at: number) => new Date(at).toISOString()
  return [
    `${location.host} wants you to sign in with your Ethereum account:`,
    account,
    '',
    'Sign in to see what is for you alone. It sends nothing and costs nothing.',
    '',
    `URI: ${location.origin}`,
    'Version: 1',
    `Chain ID: ${chain}`,
    `Nonce: ${nonce}`,
    `Issued At: ${time(issued)}`,
    `Expiration Time: ${time(issued + 12 * 60 * 60 * 1000)}`,
  ].join('\n')
}

const hex = (text: string) =>
  `0x${[...new TextEncoder().encode(text)].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`

function load(): Session | undefined {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? 'null')
    if (typeof kept !== 'object' || kept === null || !('token' in kept) || !('expires' in kept)) return undefined
    const found = kept as Session
    return Date.parse(found.expires) > Date.now() ? found : undefined
  } catch {
    return undefined
  }
}

function keep(next: Session | undefined) {
  session = next
  try {
    if (next) sessionStorage.setItem(KEY, JSON.stringify(next))
    else sessionStorage.removeItem(KEY)
  } catch {
    // Without storage it lasts until the page is loaded again.
  }
}
