// What a wallet is asked to call.

export interface Call {
  to: string
  data: string
  /** Wei. */
  value: bigint
}
