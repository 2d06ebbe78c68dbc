// The address to which somebody wants to have sent what is theirs. What goes to a wrong one nobody brings back, so all that can be known to
// be wrong is refused.

import { addressFault, type AddressFault } from './address.ts'

const ZERO = /^0x0{40}$/

/** Addresses to which nobody wants anything to go; those that are unknown are left out. */
export interface Places {
  own?: string
  sale?: string
  vault?: string
  token?: string
  currency?: string
}

export type ReceiverFault = AddressFault | 'name' | 'zero' | keyof Places

/** What is wrong with how it is written. */
export async function writtenFault(text: string): Promise<ReceiverFault | undefined> {
  // Whoever answers for a name says where it leads. This page asks nobody.
  if (text.includes('.') && !text.startsWith('0x')) return 'name'
  const fault = await addressFault(text)
  if (fault !== undefined) return fault
  return ZERO.test(text) ? 'zero' : undefined
}

/** What is wrong with where it leads. */
export function placeFault(address: string, places: Places): keyof Places | undefined {
  const asked = address.toLowerCase()
  const names = ['own', 'sale', 'vault', 'token', 'currency'] as const
  return names.find((name) => places[name]?.toLowerCase() === asked)
}

/** Whether its capitals prove that no letter of it was mistyped. */
export const isProven = (text: string) => /[a-f]/.test(text.slice(2)) && /[A-F]/.test(text.slice(2))
