// A node over HTTP: one question, one answer.

import type { Ask } from '../source.ts'

/** An error that the node tells, as wallets tell theirs: with the data of a revert in it. */
export class NodeError extends Error {
  constructor(
    readonly code: number,
    message: string,
    readonly data: unknown,
  ) {
    super(message)
  }
}

/** Longer than any answer takes; a node that hangs would hang the page. */
const PATIENCE = 20_000

export function overHttp(url: string): Ask {
  let count = 0
  return async (method, params) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: ++count, method, params }),
      referrerPolicy: 'no-referrer',
      signal: AbortSignal.timeout(PATIENCE),
    })
    const body = (await response.json()) as {
      result?: unknown
      error?: { code: number; message: string; data?: unknown }
    }
    if (body.error) throw new NodeError(body.error.code, body.error.message, body.error.data)
    if (!response.ok || !('result' in body)) throw new Error(`the node answered with HTTP status ${response.status}`)
    return body.result
  }
}
