// Calls of the sale's contract: written, tried before the wallet opens, and read. Loaded with ethers when a wallet is used.

import { Interface } from 'ethers/abi'
import { abi as saleAbi } from '../../../../contracts/abi/FixedPriceSale.json'
import { abi as restrictedAbi } from '../../../../contracts/abi/RestrictedSaleToken.json'
import { abi as factoryAbi } from '../../../../contracts/abi/SaleFactory.json'
import { abi as tokenAbi } from '../../../../contracts/abi/SaleToken.json'
import { abi as walletAbi } from '../../../../contracts/abi/TeamWallet.json'
import { abi as vaultAbi } from '../../../../contracts/abi/RefundVault.json'
import { format } from './amount.ts'
import type { Call } from './call.ts'
import { explain, revertData } from './errors.ts'
import type { Say, Told } from './messages.errors.ts'
import { type Provider, Silence, unlessSilent } from './patience.ts'

const sale = new Interface(saleAbi)
const vault = new Interface(vaultAbi)
const token = new Interface(tokenAbi)
/** Sales first: most errors are theirs. */
const all = [sale, vault, token, ...[restrictedAbi, factoryAbi, walletAbi].map((abi) => new Interface(abi))]

export type { Call }

export interface Assets {
  currency: { decimals: number; symbol: string }
  token: { decimals: number; symbol: string }
}

export const calls = {
  contribute: (to: string, investor: string, amount: bigint, eligibility: string, isEther: boolean): Call => ({
    to,
    data: sale.encodeFunctionData('contribute', [investor, amount, eligibility]),
    value: isEther ? amount : 0n,
  }),
  /** `contribute` of an ERC-20 whose approval is signed (ERC-2612) for the very amount. */
  contributeWithPermit: (
    to: string,
    investor: string,
    amount: bigint,
    eligibility: string,
    { deadline, v, r, s }: { deadline: bigint; v: number; r: string; s: string },
  ): Call => ({
    to,
    data: sale.encodeFunctionData('contributeWithPermit', [investor, amount, eligibility, deadline, v, r, s]),
    value: 0n,
  }),
  claim: (to: string, investor: string): Call => ({
    to,
    data: sale.encodeFunctionData('claim', [investor]),
    value: 0n,
  }),
  refund: (to: string, investor: string): Call => ({
    to,
    data: sale.encodeFunctionData('refundFor', [investor]),
    value: 0n,
  }),
  withdraw: (to: string): Call => ({ to, data: sale.encodeFunctionData('withdraw', []), value: 0n }),
  /** The sender's own, to another address. */
  claimTo: (to: string, receiver: string): Call => ({
    to,
    data: sale.encodeFunctionData('claimTo', [receiver]),
    value: 0n,
  }),
  refundTo: (to: string, receiver: string): Call => ({
    to,
    data: sale.encodeFunctionData('refundTo', [receiver]),
    value: 0n,
  }),
  withdrawTo: (to: string, receiver: string): Call => ({
    to,
    data: sale.encodeFunctionData('withdrawTo', [receiver]),
    value: 0n,
  }),
  /** By the vault. */
  refundRestTo: (to: string, receiver: string): Call => ({
    to,
    data: vault.encodeFunctionData('refundTo', [receiver]),
    value: 0n,
  }),
  close: (to: string): Call => ({ to, data: sale.encodeFunctionData('close', []), value: 0n }),
  /** By the vault: of what investors stopped. */
  refundRest: (to: string, investor: string): Call => ({
    to,
    data: vault.encodeFunctionData('refundFor', [investor]),
    value: 0n,
  }),
  release: (to: string): Call => ({ to, data: vault.encodeFunctionData('release', []), value: 0n }),
  approve: (to: string, spender: string, amount: bigint): Call => ({
    to,
    data: token.encodeFunctionData('approve', [spender, amount]),
    value: 0n,
  }),
}

const hex = (value: bigint) => `0x${value.toString(16)}`

/** As a wallet takes it. With the chain named, a wallet that is on another one refuses. */
export function toParams(from: string, call: Call, chain?: number) {
  const params = { from, to: call.to, data: call.data, value: hex(call.value) }
  return chain === undefined ? params : { ...params, chainId: hex(BigInt(chain)) }
}

export type Tried =
  | { ok: true; result: string }
  | {
      ok: false
      /** Undefined where the node did not say. */
      told: Told | undefined
      /** Whether it is the sale that says no, and not a token which it calls in the end. */
      bySale: boolean
      /** Whether the contract would pay, and what it pays does not get through to whom it goes. */
      isUnreceived: boolean
      /** Of the error, where the page knows it. */
      name?: string
    }

/** Of the sale's ABI, but about the token that it calls. */
const OF_TOKEN = ['SafeERC20FailedOperation', 'TransferNotExact', 'FailedCall', 'Error', 'Panic']

/** Whether the call would go through in the newest block; if not, why. A wallet that does not answer has not said either: it is thrown. */
export async function attempt(provider: Provider, from: string, call: Call, assets: Assets): Promise<Tried> {
  try {
    const result = await provider.request({ method: 'eth_call', params: [toParams(from, call), 'latest'] })
    return { ok: true, result: String(result) }
  } catch (error) {
    if (error instanceof Silence) throw error
    const data = revertData(error)
    if (data === undefined) return { ok: false, told: undefined, bySale: false, isUnreceived: false }
    const selector = data.length < 10 ? undefined : data.slice(0, 10)
    const known = selector === undefined ? null : (sale.getError(selector) ?? vault.getError(selector))
    const bySale = known !== null && !OF_TOKEN.includes(known.name)
    const isUnreceived = !bySale || known.name === 'EtherTransferFailed'
    const name = known?.name ?? (selector && all.map((abi) => abi.getError(selector)).find((one) => one)?.name)
    return { ok: false, told: explain(all, data, words(assets)), bySale, isUnreceived, ...(name ? { name } : {}) }
  }
}

function words(assets: Assets): Say {
  return {
    money: (raw) => format(BigInt(raw as bigint), assets.currency),
    tokens: (raw) => format(BigInt(raw as bigint), assets.token),
  }
}

/** What a contribution would get, as the contract says in its call; none where it is no answer of a sale. Of modes that allot later, no tokens. */
export function decodeContribution(result: string): { accepted: bigint; tokens: bigint } | undefined {
  try {
    const [accepted, tokens] = sale.decodeFunctionResult('contribute', result) as unknown as [bigint, bigint]
    return { accepted, tokens }
  } catch {
    return undefined
  }
}

async function read(provider: Provider, to: string, abi: Interface, name: string, values: unknown[]) {
  const data = abi.encodeFunctionData(name, values)
  const result = await provider.request({ method: 'eth_call', params: [{ to, data }, 'latest'] })
  return abi.decodeFunctionResult(name, String(result))
}

/** What a sale has raised, and the time, in the newest block. */
export async function raisedNow(provider: Provider, address: string): Promise<{ raised: bigint; time: number }> {
  const [totals, block] = await Promise.all([
    read(provider, address, sale, 'totals', []),
    provider.request({ method: 'eth_getBlockByNumber', params: ['latest', false] }),
  ])
  return { raised: totals[0] as bigint, time: Number((block as { timestamp: string }).timestamp) }
}

/** What a refund would send an investor now, if it is tried. */
export const refundable = (provider: Provider, address: string, investor: string): Promise<bigint> =>
  read(provider, address, sale, 'refundFor', [investor]).then(([sum]) => sum as bigint, unlessSilent(0n))

/** What an address has in the sale and in its wallet, by the node of the wallet. */
export interface Standing {
  paid: bigint
  /** Of the currency. */
  balance: bigint
  /** Of an ERC-20, what the sale may take; of ether none. */
  allowance: bigint
  claimable: bigint
  excess: bigint
  /** First second in which it can no longer withdraw; zero if it cannot. */
  coolingOffUntil: number
}

export async function standing(
  provider: Provider,
  address: string,
  currency: string | undefined,
  investor: string,
): Promise<Standing> {
  const [position, balance, allowance, claimable, coolingOff] = await Promise.all([
    read(provider, address, sale, 'positionOf', [investor]),
    currency === undefined
      ? provider
          .request({ method: 'eth_getBalance', params: [investor, 'latest'] })
          .then((value) => BigInt(String(value)))
      : read(provider, currency, token, 'balanceOf', [investor]).then(([value]) => value as bigint),
    currency === undefined
      ? 0n
      : read(provider, currency, token, 'allowance', [investor, address]).then(([value]) => value as bigint),
    // Only after a success.
    read(provider, address, sale, 'claimable', [investor]).catch(unlessSilent([0n, 0n])),
    read(provider, address, sale, 'coolingOffUntil', [investor]).catch(unlessSilent([0n])),
  ])
  return {
    paid: position[0] as bigint,
    balance,
    allowance,
    claimable: claimable[0] as bigint,
    excess: claimable[1] as bigint,
    coolingOffUntil: Number(coolingOff[0] as bigint),
  }
}
