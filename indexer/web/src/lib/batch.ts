// Wallets that send several calls as one transaction (EIP-5792).

import type { Call } from './call.ts'
import { type Ask, inBlock, type Log, type Receipt } from './observe.ts'
import { takenBy } from './taken.ts'
import type { Event, Transaction } from './transaction.ts'

/** Whether a wallet sends several calls at once or not at all; `ready`: once it has changed the account, which it asks for. */
export type Atomic = 'supported' | 'ready' | 'unsupported'

/** Codes of EIP-5792: of these, another way may do. */
const NO_BATCH = [4200, -32601, -32004, 5700, 5710, 5750, 5760]
/** Whether a wallet that was asked for a batch does not send any. */
export const takesNoBatch = (code: number | undefined) => code !== undefined && NO_BATCH.includes(code)

const hex = (value: bigint | number) => `0x${value.toString(16)}`

export async function findAtomic(ask: Ask, account: string, chain: number): Promise<Atomic> {
  const told = await ask('wallet_getCapabilities', [account, [hex(chain)]]).catch(() => undefined)
  if (typeof told !== 'object' || told === null) return 'unsupported'
  // `0x0` is what holds for every chain.
  for (const key of [hex(chain), '0x0']) {
    const entry = Object.entries(told).find(([name]) => name.toLowerCase() === key)
    const status = (entry?.[1] as { atomic?: { status?: unknown } } | undefined)?.atomic?.status
    if (status === 'supported' || status === 'ready') return status
  }
  return 'unsupported'
}

/** Asks for the calls in one transaction, and gives the id under which the wallet tells of it: none where it took them and gave none. */
export async function sendCalls(ask: Ask, from: string, chain: number, calls: Call[]): Promise<string | undefined> {
  const sent = await ask('wallet_sendCalls', [
    {
      version: '2.0.0',
      from,
      chainId: hex(chain),
      atomicRequired: true,
      calls: calls.map(({ to, data, value }) => ({ to, data, value: hex(value) })),
    },
  ])
  const id = typeof sent === 'object' && sent !== null && 'id' in sent ? sent.id : sent
  return typeof id === 'string' ? id : undefined
}

interface Status {
  status: number
  receipts?: { transactionHash: string; status?: string; logs?: Log[] }[]
}

/** What the wallet, and then its node, tells about a batch. */
export async function observeBatch(t: Transaction, id: string, ask: Ask): Promise<Event[]> {
  if (t.hash !== undefined) {
    const receipt = (await ask('eth_getTransactionReceipt', [t.hash])) as Receipt | null
    if (receipt) return inBlock(t, receipt, BigInt(receipt.status) === 1n, ask)
  }
  // Its block is gone. Where it comes back, if it does, the wallet tells again.
  const head = Number(await ask('eth_blockNumber', []))
  const gone: Event[] = t.block ? [{ type: 'unknown', head, spent: false }] : []
  const { status, receipts } = (await ask('wallet_getCallsStatus', [id])) as Status
  const hash = receipts?.at(-1)?.transactionHash
  if (status >= 600) return [...gone, partly(t, receipts)]
  // Its hash may be of a transaction that others are in too, which goes through where the batch does not.
  if (status >= 500) return [...gone, { type: 'batch_failed', how: 'reverted' }]
  if (status >= 400) return [...gone, { type: 'batch_failed', how: 'not_sent' }]
  if (status < 200) return gone
  const failed = receipts?.filter((one) => one.status !== undefined && Number(one.status) === 0).length ?? 0
  if (failed > 0)
    return [...gone, failed === receipts?.length ? { type: 'batch_failed', how: 'reverted' } : partly(t, receipts)]
  if (hash !== undefined) return hash === t.hash ? gone : [...gone, { type: 'executed', hash }]
  return gone
}

/** Of one that went through in part, what the contribution took stands in the receipts of the wallet alone, where it gives any. */
function partly(t: Transaction, receipts: Status['receipts']): Event {
  const logs = receipts?.map((one) => one.logs)
  if (t.kind !== 'contribute' || !logs?.length || !logs.every((each) => each !== undefined))
    return { type: 'batch_failed', how: 'partly' }
  return { type: 'batch_failed', how: 'partly', taken: takenBy(logs.flat(), t).toString() }
}
