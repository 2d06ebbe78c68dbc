// Addresses that a person pastes. The checksum needs a hash function, which is loaded when it is first needed.

export type AddressFault = 'empty' | 'form' | 'checksum'

/** What is wrong with an address, by EIP-55 where it has capitals. */
export async function addressFault(text: string): Promise<AddressFault | undefined> {
  if (text === '') return 'empty'
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) return 'form'
  const digits = text.slice(2)
  if (digits === digits.toLowerCase()) return undefined
  const { getAddress } = await import('ethers/address')
  try {
    getAddress(text)
    return undefined
  } catch {
    return 'checksum'
  }
}

/** With its EIP-55 capitals. */
export async function checksummed(address: string): Promise<string> {
  const { getAddress } = await import('ethers/address')
  return getAddress(address.toLowerCase())
}
