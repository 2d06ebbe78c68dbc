// A sale file that somebody chose: read as it is, to the byte, and kept by this tab alone.

/** What the service takes; a sale file has some 5 kB. */
export const MOST = 60_000

const KEY = 'crowdsale.sale-file'

export interface SaleFile {
  name: string
  size: number
  /** Its bytes are what is hashed, so nothing of it may get lost in between. */
  text: string
}

export type FileFault = { kind: 'notText' | 'empty'; name: string } | { kind: 'tooLarge'; name: string; size: number }

export async function readSaleFile(file: File): Promise<{ file: SaleFile } | { fault: FileFault }> {
  const { name, size } = file
  if (size > MOST) return { fault: { kind: 'tooLarge', name, size } }
  if (size === 0) return { fault: { kind: 'empty', name } }
  try {
    // A byte order mark counts: another file has another hash.
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await file.arrayBuffer())
    return { file: { name, size, text } }
  } catch {
    return { fault: { kind: 'notText', name } }
  }
}

export function keepSaleFile(file: SaleFile | undefined) {
  try {
    if (file) sessionStorage.setItem(KEY, JSON.stringify(file))
    else sessionStorage.removeItem(KEY)
  } catch {
    // Without storage the file is chosen again after a reload.
  }
}

export function keptSaleFile(): SaleFile | undefined {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? 'null') as SaleFile | null
    return typeof kept?.text === 'string' ? kept : undefined
  } catch {
    return undefined
  }
}

/** As the chain writes it. */
export async function sha256(file: File): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await file.arrayBuffer()))
  return `0x${[...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`
}
