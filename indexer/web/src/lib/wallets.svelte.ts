// Wallets of the browser: found by EIP-6963, spoken to by EIP-1193. One is connected at a time.

import { checksummed } from './address.ts'
import { m } from './messages.ts'
import { patient, type Provider, Silence } from './patience.ts'

export type { Provider }

export interface Wallet {
  info: { uuid: string; name: string; icon: string; rdns: string }
  provider: Provider
}

export interface Connection {
  wallet: Wallet
  account: string
  chain: number
}

/** Codes of EIP-1193, EIP-3085 and EIP-1474 that mean something to a person. */
export const DECLINED = 4001
const UNKNOWN_CHAIN = 4902
const PENDING_QUESTION = -32002

export type WalletFault = 'declined' | 'waiting' | 'unknown_chain' | 'silent' | 'failed'

export function codeOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'number' ? error.code : undefined
}

export function messageOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string')
    return error.message
  return String(error)
}

/** One question to a wallet: the same one, asked again, is another question. */
interface Question {
  wallet: Wallet
}

const KEY = 'crowdsale.wallet'
const INJECTED = 'injected'

let found = $state.raw<Wallet[]>([])
let connection = $state.raw<Connection>()
let fault = $state<WalletFault>()
/** The wallet that is asked to connect, as long as it has not answered. */
let asking = $state.raw<Question>()
/** The one that is asked to go to another chain. */
let switching = $state.raw<Question>()
let isOpen = $state(false)
/** Of the wallet that has not answered what it was asked, until it answers something. */
let silent = $state<string>()

export const wallets = {
  /** Those that have announced themselves, in the order in which they came. */
  get found() {
    return found
  },
  get connection() {
    return connection
  },
  get fault() {
    return fault
  },
  /** The wallet that asks the person whether to connect. The others can be chosen meanwhile: it may never answer. */
  get asking() {
    return asking?.wallet
  },
  /** Whether the connected wallet asks the person whether to go to another chain. */
  get isSwitching() {
    return switching !== undefined && switching.wallet === connection?.wallet
  },
  /** Whether the connected wallet does not answer. */
  get isSilent() {
    return connection !== undefined && connection.wallet.info.uuid === silent
  },
  /** Whether the picker is shown. */
  get isOpen() {
    return isOpen
  },
  open() {
    fault = undefined
    // What was not answered so far can be asked again: a wallet that still asks says so itself.
    asking = undefined
    isOpen = true
    ask()
  },
  close() {
    isOpen = false
  },
  start() {
    window.addEventListener('eip6963:announceProvider', (event) => announced((event as CustomEvent<Wallet>).detail))
    ask()
  },
  connect,
  disconnect,
  switchTo,
}

/** Wallets that are there announce themselves at once. The browser in a wallet's app may only put its own where pages once looked. */
function ask() {
  window.dispatchEvent(new Event('eip6963:requestProvider'))
  const { ethereum } = window as { ethereum?: Provider }
  if (found.length > 0 || typeof ethereum?.request !== 'function') return
  announced({ info: { uuid: INJECTED, name: m.wallet.injected, icon: '', rdns: INJECTED }, provider: ethereum })
}

function announced(told: Wallet) {
  // A page can be told anything: what has not the form of a wallet is none.
  if (
    typeof told?.info?.uuid !== 'string' ||
    typeof told.info.name !== 'string' ||
    typeof told.provider?.request !== 'function'
  )
    return
  if (found.some((one) => one.info.uuid === told.info.uuid)) return
  const { uuid } = told.info
  // All that is ever asked of a wallet goes through here.
  const provider = patient(told.provider, (isSilent) => {
    if (isSilent) silent = uuid
    else if (silent === uuid) silent = undefined
  })
  const wallet = { info: told.info, provider }
  // One that says its name is most often the same.
  found = [...found.filter((one) => one.info.uuid !== INJECTED), wallet]
  if (!connection && remembered() === wallet.info.rdns) void resume(wallet)
}

/** Takes up the connection of an earlier visit, if the wallet still allows it, without asking. */
async function resume(wallet: Wallet) {
  try {
    const accounts = (await wallet.provider.request({ method: 'eth_accounts' })) as string[]
    const isWanted = () => !connection && chosen === undefined
    if (accounts[0] !== undefined && isWanted()) await take(wallet, accounts[0], isWanted)
  } catch {
    // Then the person connects anew.
  }
}

/** The wallet that the person chose last. */
let chosen: Wallet | undefined

/**
 * Asks a wallet to connect. One that was left for another may still answer, much later: that answer is dropped, and so is its error. Whoever
 * chose another wallet since, or has connected one, would find an account in its place that they no longer meant; and to choose the first
 * again costs one click, for it lets itself be asked then without a question. An answer that comes late to nobody else's harm is taken.
 */
async function connect(wallet: Wallet) {
  if (asking?.wallet === wallet) return
  const question: Question = { wallet }
  asking = question
  chosen = wallet
  fault = undefined
  const isWanted = () => chosen === wallet && !connection
  try {
    const accounts = (await wallet.provider.request({ method: 'eth_requestAccounts' })) as string[]
    if (accounts[0] === undefined) throw new Error('no account')
    if (isWanted() && (await take(wallet, accounts[0], isWanted))) isOpen = false
  } catch (error) {
    if (isWanted()) fault = faultOf(error)
  } finally {
    if (asking === question) asking = undefined
  }
}

/** Undoes what `take` listens to. */
let forget = () => {}

/** Connects, if that is still wanted once the wallet has told its chain; says whether it did. */
async function take(wallet: Wallet, asked: string, isWanted: () => boolean): Promise<boolean> {
  const { provider } = wallet
  const [chain, account] = await Promise.all([
    provider.request({ method: 'eth_chainId' }).then(Number),
    checksummed(asked),
  ])
  if (!isWanted()) return false
  forget()
  connection = { wallet, account, chain }
  remember(wallet.info.rdns)
  const accountsChanged = async (accounts: string[]) => {
    const changed = accounts[0] === undefined ? undefined : await checksummed(accounts[0]).catch(() => undefined)
    if (connection?.wallet !== wallet) return
    if (changed === undefined) disconnect()
    else connection = { ...connection, account: changed }
  }
  const chainChanged = (id: string) => {
    if (connection?.wallet !== wallet) return
    connection = { ...connection, chain: Number(id) }
    // That it went somewhere answers what it was asked, whether or not it says so, too.
    if (switching?.wallet === wallet) switching = undefined
  }
  provider.on?.('accountsChanged', accountsChanged)
  provider.on?.('chainChanged', chainChanged)
  forget = () => {
    provider.removeListener?.('accountsChanged', accountsChanged)
    provider.removeListener?.('chainChanged', chainChanged)
    forget = () => {}
  }
  return true
}

function disconnect() {
  forget()
  connection = undefined
  chosen = undefined
  switching = undefined
  remember('')
}

/** Asks the wallet to go to another chain. */
async function switchTo(chain: number) {
  if (!connection || switching?.wallet === connection.wallet) return
  const { wallet } = connection
  const question: Question = { wallet }
  switching = question
  fault = undefined
  const { provider } = wallet
  try {
    await provider.request({ method: 'wallet_switchEthereumChain', params: [{ chainId: `0x${chain.toString(16)}` }] })
    // Some wallets tell of it late: they are asked.
    const now = Number(await provider.request({ method: 'eth_chainId' }))
    if (connection?.wallet === wallet) connection = { ...connection, chain: now }
  } catch (error) {
    // Of a wallet that was left for another meanwhile, nobody wants to know it.
    if (connection?.wallet === wallet) fault = faultOf(error)
  } finally {
    if (switching === question) switching = undefined
  }
}

function faultOf(error: unknown): WalletFault {
  if (error instanceof Silence) return 'silent'
  switch (codeOf(error)) {
    case DECLINED:
      return 'declined'
    case UNKNOWN_CHAIN:
      return 'unknown_chain'
    case PENDING_QUESTION:
      return 'waiting'
    default:
      return 'failed'
  }
}

function remembered(): string | null {
  try {
    return localStorage.getItem(KEY)
  } catch {
    return null
  }
}

function remember(rdns: string) {
  try {
    if (rdns === '') localStorage.removeItem(KEY)
    else localStorage.setItem(KEY, rdns)
  } catch {
    // Without storage the connection lasts as long as the page.
  }
}
