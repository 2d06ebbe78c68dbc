// Contracts that only these tests need, compiled by the same solc as the others.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { root, until } from './world.mjs'

const contracts = createRequire(join(root, 'contracts/package.json'))
const { ContractFactory, Interface } = createRequire(import.meta.url)('ethers')
const folder = join(dirname(fileURLToPath(import.meta.url)), 'contracts')

const done = new Map()

/** Its interface and its code. */
export function compile(name) {
  if (!done.has(name)) done.set(name, compiled(name))
  return done.get(name)
}

function compiled(name) {
  const sources = { [`${name}.sol`]: { content: readFileSync(join(folder, `${name}.sol`), 'utf8') } }
  const outputSelection = { '*': { '*': ['abi', 'evm.bytecode.object'] } }
  const settings = { outputSelection, viaIR: true, optimizer: { enabled: true } }
  const input = { language: 'Solidity', sources, settings }
  // What is imported lies in the contracts' packages.
  const imported = (path) => ({ contents: readFileSync(contracts.resolve(path), 'utf8') })
  const output = JSON.parse(contracts('solc').compile(JSON.stringify(input), { import: imported }))
  const faults = (output.errors ?? []).filter(({ severity }) => severity === 'error')
  if (faults.length > 0) throw new Error(faults.map((one) => one.formattedMessage).join('\n'))
  const { abi, evm } = output.contracts[`${name}.sol`][name]
  return { abi: new Interface(abi), code: `0x${evm.bytecode.object}` }
}

/** Puts it on the chain, and gives its interface and its address. */
export async function deploy(world, name, from, values = []) {
  const { abi, code } = compile(name)
  const { data } = await new ContractFactory(abi, code).getDeployTransaction(...values)
  const hash = await world.rpc('eth_sendTransaction', [{ from, data }])
  const receipt = await until(
    `${name} is deployed`,
    async () => (await world.rpc('eth_getTransactionReceipt', [hash])) ?? undefined,
  )
  return { abi, address: receipt.contractAddress }
}
