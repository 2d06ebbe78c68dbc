// What a wallet is asked to call.

import type { Told } from './messages.errors.ts'

/** Why there is nothing to call, found when the button was pressed. */
export class Withheld extends Error {
  constructor(readonly told: Told) {
    super(told.sentence)
  }
}

export interface Call {
  to: string
  data: string
  /** Wei. */
  value: bigint
}
