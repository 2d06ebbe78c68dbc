// What an error of a wallet says about whether something went out.

/**
 * Codes with which nothing can have: the person or the wallet said no before, or the question was none that it takes. Of EIP-1193: declined,
 * not authorised, not supported; of EIP-3085: a chain that it does not know; of JSON-RPC: not understood; of EIP-5792: no batch of this kind;
 * of WalletConnect: declined; 3: a call that reverts, which is found when the fee is estimated.
 *
 * What is not here is open. A wallet hands on what its node says, and a node that says "internal error", "limit exceeded", "already known" or
 * nothing at all may have it. `-32002` is a question that is still open to one, and a timeout to another; 4900 and 4901 are a connection
 * that was lost, perhaps after the transaction had left.
 */
const UNSENT = [4001, 4100, 4200, 4902, 5000, 5700, 5710, 5740, 5750, 5760, 3, -32700, -32600, -32601, -32602, -32004]

/** Whether nothing was sent for sure, of a wallet that was asked to send and answered with this code. */
export const isUnsent = (code: number | undefined) => code !== undefined && UNSENT.includes(code)

/** With which the question may still be open in the wallet: there is one already, or the connection to it is lost. */
const STILL_OPEN = [-32002, 4900, 4901]

/** Whether a wallet that answered with this code may still ask, and send later. An error without a code can be any. */
export const mayStillAsk = (code: number | undefined) => code === undefined || STILL_OPEN.includes(code)
