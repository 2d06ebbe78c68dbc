// What the stories of several files have in common: steps that build on each other, and the chain's own word on what the page says.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test as nodeTest } from 'node:test'
import { until } from './world.mjs'

const { getAddress, Interface } = createRequire(import.meta.url)('ethers')

export const CHAIN = 31337
export const ETHER = 10n ** 18n
export const hex = (value) => `0x${value.toString(16)}`

/** The devnet's accounts, as contracts and pages write them. */
export const accountsOf = async (world) => (await world.rpc('eth_accounts')).map((one) => getAddress(one))

/** Steps of a story: after one that failed, those that build on it say nothing. */
export function story() {
  let broken = ''
  return (name, run) =>
    nodeTest(name, async (t) => {
      if (broken) return t.skip(`after “${broken}”`)
      try {
        await run(t)
      } catch (error) {
        broken = name
        throw error
      }
    })
}

export const sees = (page, words, options = {}) => page.getByText(words, options).first().waitFor()
/** Figures are grouped by a narrow space that nobody can type. */
export const plain = (words) => words.replaceAll(/[\u202f\u00a0\n]+/g, ' ')

const abi = new Interface([
  'function positionOf(address) view returns (uint256 paid, uint256 tokens)',
  'function paused() view returns (bool)',
  'function state() view returns (uint8)',
  'function owner() view returns (address)',
  'function pendingOwner() view returns (address)',
  'function compliance() view returns (address)',
  'function voucherSigner() view returns (address signer, uint256 epoch)',
  'function whitepapers() view returns (bytes32[])',
  'function vault() view returns (address)',
  'function stakeOf(address) view returns (uint256)',
  'function account() view returns (uint256 received, uint256 released)',
  'function objections() view returns (uint256 objected, uint256 needed, bool stopped)',
  'function hasObjected(address) view returns (bool)',
  'function refundable(address) view returns (uint256)',
  'function approvedUntil(address) view returns (uint256)',
  'function balanceOf(address) view returns (uint256)',
  'function allowance(address,address) view returns (uint256)',
  'function contribute(address,uint256,bytes) payable returns (uint256,uint256)',
  'function transfer(address,uint256) returns (bool)',
])

/** The chain as it is, and what happens on it past the page. */
export class Chain {
  constructor(world) {
    this.world = world
  }

  async read(to, name, values = []) {
    const params = [{ to, data: abi.encodeFunctionData(name, values) }, 'latest']
    return abi.decodeFunctionResult(name, await this.world.rpc('eth_call', params))
  }

  async balance(account) {
    return BigInt(await this.world.rpc('eth_getBalance', [account, 'latest']))
  }

  /** Sends, and waits for its block. */
  async send(from, to, { value = 0n, data = '0x' } = {}) {
    const hash = await this.world.rpc('eth_sendTransaction', [{ from, to, value: hex(value), data }])
    const receipt = await until(
      `${hash} is in a block`,
      async () => (await this.world.rpc('eth_getTransactionReceipt', [hash])) ?? undefined,
    )
    assert.equal(receipt.status, '0x1')
    return receipt
  }

  call(from, to, name, values, value) {
    return this.send(from, to, { data: abi.encodeFunctionData(name, values), value })
  }

  /** What the last transaction of the page cost its sender in fees. */
  async feeOf(page) {
    const { hash } = await page.evaluate(() => JSON.parse(localStorage.getItem('crowdsale.transactions'))[0])
    const receipt = await until(
      `${hash} is in a block`,
      async () => (await this.world.rpc('eth_getTransactionReceipt', [hash])) ?? undefined,
    )
    assert.equal(receipt.status, '0x1')
    return BigInt(receipt.gasUsed) * BigInt(receipt.effectiveGasPrice)
  }
}

/** How often a wallet was asked for something since the page was loaded. */
export const asked = (page, method) =>
  page.evaluate((one) => window.testWallet.asked.filter((each) => each === one).length, method)

/** Connects the test wallet from the head of the page. */
export async function connect(page) {
  await page.locator('header').getByRole('button', { name: 'Connect wallet' }).click()
  await page.getByRole('button', { name: 'Test Wallet' }).click()
  await page.locator('header').getByText('Your wallet').waitFor({ state: 'attached' })
}

export const use = (page, account) => page.evaluate((one) => window.testWallet.use(one), account)
