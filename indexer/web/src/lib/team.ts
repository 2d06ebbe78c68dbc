// Calls of a team and of objectors, and what they have to know of the contracts first. Loaded with ethers.

import { Interface } from 'ethers/abi'
import { abi as saleAbi } from '../../../../contracts/abi/FixedPriceSale.json'
import { abi as vaultAbi } from '../../../../contracts/abi/RefundVault.json'
import { abi as restrictedAbi } from '../../../../contracts/abi/RestrictedSaleToken.json'
import { abi as walletAbi } from '../../../../contracts/abi/TeamWallet.json'
import { calls, type Call } from './contract.ts'
import { isRefusal } from './errors.ts'
import type { Provider } from './wallets.svelte.ts'

const sale = new Interface(saleAbi)
const vault = new Interface(vaultAbi)
const token = new Interface(restrictedAbi)
const wallet = new Interface(walletAbi)

const to = (abi: Interface, address: string, name: string, values: unknown[] = []): Call => ({
  to: address,
  data: abi.encodeFunctionData(name, values),
  value: 0n,
})

export const teamCalls = {
  object: (at: string) => to(vault, at, 'object'),
  refundRest: calls.refundRest,
  release: calls.release,
  cancel: (at: string) => to(sale, at, 'cancel'),
  returnUnsold: (at: string) => to(sale, at, 'returnUnsold'),
  setPaused: (at: string, paused: boolean) => to(sale, at, 'setPaused', [paused]),
  setVoucherSigner: (at: string, signer: string) => to(sale, at, 'setVoucherSigner', [signer]),
  setCompliance: (at: string, officer: string) => to(sale, at, 'setCompliance', [officer]),
  reject: (at: string, investor: string) => to(sale, at, 'reject', [investor]),
  transferOwnership: (at: string, owner: string) => to(sale, at, 'transferOwnership', [owner]),
  acceptOwnership: (at: string) => to(sale, at, 'acceptOwnership'),
  supersedeWhitepaper: (at: string, hash: string, uri: string) => to(sale, at, 'supersedeWhitepaper', [hash, uri]),
  payAllocation: (at: string, of: string) => to(wallet, at, 'release(address)', [of]),
  reclaimAllocation: (at: string, of: string) => to(wallet, at, 'reclaim', [of]),
  approveHolder: (at: string, holder: string, until: bigint) => to(token, at, 'setHolders', [[holder], [until]]),
}

async function read(provider: Provider, address: string, abi: Interface, name: string, values: unknown[] = []) {
  const data = abi.encodeFunctionData(name, values)
  const result = await provider.request({ method: 'eth_call', params: [{ to: address, data }, 'latest'] })
  return abi.decodeFunctionResult(name, String(result))
}

/** What a success kept of an account's money, whether it has objected, and what the vault would pay it of the rest. */
export interface Stake {
  stake: bigint
  hasObjected: boolean
  refundable: bigint
}

export async function stakeOf(provider: Provider, at: string, vaultAt: string, investor: string): Promise<Stake> {
  const [stake, hasObjected, refundable] = await Promise.all([
    read(provider, at, sale, 'stakeOf', [investor]),
    read(provider, vaultAt, vault, 'hasObjected', [investor]),
    read(provider, vaultAt, vault, 'refundable', [investor]),
  ])
  return {
    stake: stake[0] as bigint,
    hasObjected: hasObjected[0] as boolean,
    refundable: refundable[0] as bigint,
  }
}

/** Who signs vouchers now, and for which epoch. */
export async function voucherSigner(provider: Provider, at: string): Promise<{ signer: string; epoch: bigint }> {
  const [signer, epoch] = await read(provider, at, sale, 'voucherSigner')
  return { signer: String(signer), epoch: epoch as bigint }
}

const contract = new Interface(['function isValidSignature(bytes32 hash, bytes signature) view returns (bytes4)'])
const MAGIC = '0x1626ba7e'

/** Whether a contract says that it signed (ERC-1271). Of an address without a contract the answer is empty. A node that fails is thrown. */
export async function vouchesAs(provider: Provider, signer: string, hash: string, signature: string): Promise<boolean> {
  try {
    const [magic] = await read(provider, signer, contract, 'isValidSignature', [hash, signature])
    return magic === MAGIC
  } catch (error) {
    if (!isRefusal(error)) throw error
    return false
  }
}

/** What a call costs the network now, in wei; none where the node would not say. */
export async function estimateFee(provider: Provider, from: string, call: Call): Promise<bigint | undefined> {
  try {
    const params = [{ from, to: call.to, data: call.data, value: `0x${call.value.toString(16)}` }]
    const [gas, price] = await Promise.all([
      provider.request({ method: 'eth_estimateGas', params }),
      provider.request({ method: 'eth_gasPrice' }),
    ])
    return BigInt(String(gas)) * BigInt(String(price))
  } catch {
    return undefined
  }
}
