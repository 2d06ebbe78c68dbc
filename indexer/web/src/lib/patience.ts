// How long a wallet is waited for where it answers by itself. An extension whose worker was restarted has lost what it was asked, and never
// answers.

import { silence } from './messages.silence.ts'

export interface Provider {
  request(asked: { method: string; params?: unknown[] }): Promise<unknown>
  on?(event: string, listener: (value: never) => void): unknown
  removeListener?(event: string, listener: (value: never) => void): unknown
}

/** Longer than any answer takes, as of a node over HTTP. */
export const PATIENCE = 20_000

/**
 * What no person is asked for. Only these have a limit: a question to a person takes as long as the person does, and one that was given up
 * could be asked twice and paid twice. So what is not here waits.
 */
const READS = new Set([
  'eth_accounts',
  'eth_blockNumber',
  'eth_call',
  'eth_chainId',
  'eth_estimateGas',
  'eth_gasPrice',
  'eth_getBalance',
  'eth_getBlockByNumber',
  'eth_getCode',
  'eth_getLogs',
  'eth_getStorageAt',
  'eth_getTransactionByHash',
  'eth_getTransactionCount',
  'eth_getTransactionReceipt',
  'wallet_getCallsStatus',
  'wallet_getCapabilities',
])

/** A wallet that has not answered. Nothing is known by it: neither yes nor no. */
export class Silence extends Error {
  constructor() {
    super(silence.wallet)
  }
}

/** For `catch`: stands in where something says no, and not where nobody says anything. */
export const unlessSilent =
  <T>(value: T) =>
  (error: unknown): T => {
    if (error instanceof Silence) throw error
    return value
  }

/**
 * The provider with a limit to what it answers by itself.
 * @param hear Told whether it has answered in time; a late answer is one, too, though nobody waits for it any more.
 */
export function patient(provider: Provider, hear: (isSilent: boolean) => void): Provider {
  return {
    on: (event, listener) => provider.on?.(event, listener),
    removeListener: (event, listener) => provider.removeListener?.(event, listener),
    async request(asked) {
      const answer = Promise.resolve(provider.request(asked))
      if (!READS.has(asked.method)) return answer
      const heard = () => hear(false)
      void answer.then(heard, heard)
      let timer: ReturnType<typeof setTimeout> | undefined
      const limit = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          hear(true)
          reject(new Silence())
        }, PATIENCE)
      })
      return Promise.race([answer, limit]).finally(() => clearTimeout(timer))
    },
  }
}
