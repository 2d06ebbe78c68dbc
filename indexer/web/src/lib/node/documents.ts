// The documents that a sale was created with. Contracts keep no more of them than what was written at their creation, so the event of the
// factory is looked for; of those that came later the sale keeps the hashes.

import { abis, type Reader } from './reader.ts'
import { quantity } from './heads.ts'

export interface NodeDocument {
  sha256: string
  /** Where it is served; undefined where the node did not tell. */
  uri: string | undefined
}

export interface NodeDocuments {
  sale: NodeDocument
  whitepaper: NodeDocument
  /** In order; the last is in force. */
  superseding: NodeDocument[]
}

interface Log {
  topics: string[]
  data: string
}

const word = (address: string) => `0x${address.slice(2).toLowerCase().padStart(64, '0')}`

async function logs(r: Reader, address: string, topics: string[], from: number, to: number): Promise<Log[]> {
  const range = { fromBlock: quantity(from), toBlock: quantity(to) }
  return (await r.place.ask('eth_getLogs', [{ address, topics, ...range }])) as Log[]
}

/** The block in which a contract came to be, by halves: of a node that keeps what was. */
async function creationOf(r: Reader, sale: string): Promise<number> {
  let [below, at] = [-1, r.heads.latest.number]
  while (at - below > 1) {
    const middle = Math.floor((below + at) / 2)
    if ((await r.at(middle).code(sale)) === '0x') below = middle
    else at = middle
  }
  return at
}

/**
 * Throws where the node does not tell.
 * @param before What was read before: as long as no other one was published, that is all.
 */
export async function readDocuments(r: Reader, sale: string, before?: NodeDocuments): Promise<NodeDocuments> {
  const { factory } = r.place
  const head = r.heads.latest.number
  const created = abis.factory.getEvent('SaleCreated')?.topicHash ?? ''
  const superseded = abis.sale.getEvent('WhitepaperSuperseded')?.topicHash ?? ''
  const hashes = await r.one<string[]>('sale', sale, 'whitepapers')
  if (before && before.superseding.map((one) => one.sha256).join() === hashes.join()) return before
  let first = 0
  let found: Log[]
  try {
    found = await logs(r, factory, [created, word(sale)], 0, head)
  } catch {
    // A node that gives the events of few blocks at once.
    first = await creationOf(r, sale)
    found = await logs(r, factory, [created, word(sale)], first, first)
  }
  const [log] = found
  if (!log) throw new Error('the node has no event of its creation')
  const { documents } = abis.factory.decodeEventLog('SaleCreated', log.data, log.topics) as unknown as {
    documents: { saleHash: string; saleURI: string; whitepaperHash: string; whitepaperURI: string }
  }
  const later = hashes.length === 0 ? [] : await logs(r, sale, [superseded], first, head).catch((): Log[] => [])
  const uris = new Map(
    later.map((one) => {
      const { version, uri } = abis.sale.decodeEventLog('WhitepaperSuperseded', one.data, one.topics) as unknown as {
        version: bigint
        uri: string
      }
      return [Number(version), uri]
    }),
  )
  return {
    sale: { sha256: documents.saleHash, uri: documents.saleURI },
    whitepaper: { sha256: documents.whitepaperHash, uri: documents.whitepaperURI },
    superseding: hashes.map((sha256, index) => ({ sha256, uri: uris.get(index + 1) })),
  }
}
