// Contracts, read at one block: every figure of an answer belongs to the same state.

import { Interface } from 'ethers/abi'
import { abi as factoryAbi } from '../../../../../contracts/abi/SaleFactory.json'
import { abi as saleAbi } from '../../../../../contracts/abi/FixedPriceSale.json'
import { abi as restrictedAbi } from '../../../../../contracts/abi/RestrictedSaleToken.json'
import { abi as vaultAbi } from '../../../../../contracts/abi/RefundVault.json'
import { isRefusal } from '../errors.ts'
import type { Place } from '../source.ts'
import { type Heads, quantity } from './heads.ts'

export const abis = {
  factory: new Interface(factoryAbi),
  sale: new Interface(saleAbi),
  vault: new Interface(vaultAbi),
  token: new Interface(restrictedAbi),
}

export const NOBODY = '0x0000000000000000000000000000000000000000'

export class Reader {
  constructor(
    readonly place: Place,
    readonly heads: Heads,
    private readonly tag: string = quantity(heads.latest.number),
  ) {}

  /** The same at an older block. */
  at(number: number): Reader {
    return new Reader(this.place, this.heads, quantity(number))
  }

  /** What a function gives. `from` matters where it is asked on behalf of somebody. */
  async call(
    abi: keyof typeof abis,
    to: string,
    name: string,
    values: unknown[] = [],
    from?: string,
  ): Promise<unknown[]> {
    const data = abis[abi].encodeFunctionData(name, values)
    const asked = from === undefined ? { to, data } : { from, to, data }
    const result = String(await this.place.ask('eth_call', [asked, this.tag]))
    return abis[abi].decodeFunctionResult(name, result) as unknown as unknown[]
  }

  /** The one value that a function gives. */
  async one<T>(abi: keyof typeof abis, to: string, name: string, values: unknown[] = []): Promise<T> {
    return (await this.call(abi, to, name, values))[0] as T
  }

  /** The same, or `none` where the contract refuses. A node that fails is another matter, and is thrown. */
  async unless<T>(none: T, asked: Promise<T>): Promise<T> {
    try {
      return await asked
    } catch (error) {
      if (isRefusal(error)) return none
      throw error
    }
  }

  async code(address: string): Promise<string> {
    return String(await this.place.ask('eth_getCode', [address, this.tag]))
  }

  /** A word of a contract's storage. */
  async storage(address: string, slot: string): Promise<bigint> {
    return BigInt(String(await this.place.ask('eth_getStorageAt', [address, slot, this.tag])))
  }

  async balance(currency: string, of: string): Promise<bigint> {
    if (currency === NOBODY) return BigInt(String(await this.place.ask('eth_getBalance', [of, this.tag])))
    return this.one<bigint>('token', currency, 'balanceOf', [of])
  }
}
