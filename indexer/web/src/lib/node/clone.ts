// The code of a clone with arguments (ERC-1167, as OpenZeppelin's `Clones` writes it): it calls the code that it shares, and nothing else.

const BEFORE = '363d3d373d3d3d363d73'
const AFTER = '5af43d82803e903d91602b57fd5bf3'

/**
 * Which of `shared` a contract with this code is a clone of; -1 if of none. All that runs is compared: the address of shared code in a
 * code that does something else says nothing. What follows are arguments, which never run.
 */
export function cloneOf(code: string, shared: string[]): number {
  const lower = code.toLowerCase()
  return shared.findIndex((one) => lower.startsWith(`0x${BEFORE}${one.slice(2).toLowerCase()}${AFTER}`))
}
