// What tests of the page as people use it have in common.
import { test } from 'node:test'
import { until } from './world.mjs'

export const CHAIN = 31337
export const ETHER = 10n ** 18n
export const hex = (value) => `0x${BigInt(value).toString(16)}`

/** Steps of a story: after one that failed, those that build on it say nothing. */
export function story() {
  let broken = ''
  return (name, run) =>
    test(name, async (t) => {
      if (broken) return t.skip(`after “${broken}”`)
      try {
        await run()
      } catch (error) {
        broken = name
        throw error
      }
    })
}

export const sees = (page, words, options = {}) => page.getByText(words, options).first().waitFor()
/** Figures are grouped by a narrow space that nobody can type. */
export const plain = (words) => words.replaceAll(/[\u202f\u00a0\n]+/g, ' ')

/** The receipt of a transaction, once it is in a block. */
export const receiptOf = (world, hash) =>
  until(`${hash} is in a block`, async () => (await world.rpc('eth_getTransactionReceipt', [hash])) ?? undefined)

/** Sends from an account of the devnet, waits for the block, and holds that it went through. */
export async function send(world, transaction) {
  const receipt = await receiptOf(world, await world.rpc('eth_sendTransaction', [transaction]))
  if (receipt.status !== '0x1') throw new Error(`failed: ${JSON.stringify(transaction)}`)
  return receipt
}

export async function read(world, abi, to, name, values = []) {
  const result = await world.rpc('eth_call', [{ to, data: abi.encodeFunctionData(name, values) }, 'latest'])
  return abi.decodeFunctionResult(name, result)
}
