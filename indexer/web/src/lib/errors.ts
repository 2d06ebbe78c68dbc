// From the data of a revert to a sentence, by the selector of the error and the committed ABIs.

import type { Interface } from 'ethers/abi'
import { errors, type Say, type Told, unexplained, type Values } from './messages.errors.ts'

const REASON = '0x08c379a0'
const PANIC = '0x4e487b71'

export function explain(abis: readonly Interface[], data: string, say: Say): Told {
  if (data === '0x' || data === '') return unexplained.empty
  const selector = data.slice(0, 10)
  for (const abi of abis) {
    // Reasons and panics are known to every interface; they are told below.
    const error = selector === REASON || selector === PANIC ? null : abi.getError(selector)
    const sentence = error && errors[error.name]
    if (!error || !sentence) continue
    try {
      const decoded = abi.decodeErrorResult(error, data)
      const values: Values = {}
      error.inputs.forEach((input, index) => (values[input.name] = decoded[index]))
      return sentence(values, say)
    } catch {
      // Cut off: as one that is not known.
    }
  }
  if (selector === PANIC) return unexplained.panic
  const abi = abis[0]
  if (selector === REASON && abi) {
    try {
      return unexplained.reason(String(abi.decodeErrorResult('Error', data)[0]))
    } catch {
      return unexplained.empty
    }
  }
  return unexplained.unknown(data)
}

/** Whether a contract refused, or none was there that could answer; a node that fails is another matter. */
export function isRefusal(error: unknown): boolean {
  if (revertData(error) !== undefined) return true
  if (typeof error !== 'object' || error === null) return false
  const { code, message } = error as { code?: unknown; message?: unknown }
  // ethers' word for an answer that has not the form; and nodes that tell no data.
  return code === 'BAD_DATA' || code === 3 || /revert/i.test(String(message))
}

/** The data of a revert, wherever in its error a wallet or node puts it. */
export function revertData(error: unknown, depth = 0): string | undefined {
  if (typeof error !== 'object' || error === null || depth > 5) return undefined
  const fields = error as Record<string, unknown>
  const data = fields['data']
  if (typeof data === 'string' && /^0x([0-9a-fA-F]{2})*$/.test(data)) return data
  for (const name of ['data', 'error', 'info', 'cause', 'originalError', 'result', 'details']) {
    const found = revertData(fields[name], depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}
