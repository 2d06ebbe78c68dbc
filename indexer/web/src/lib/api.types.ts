// What the API answers, by the types of its own description. Types alone: who reads them loads nothing.

import type { components } from './schema.d.ts'

export type Schemas = components['schemas']
export type Sale = Schemas['Sale']
export type Contribution = Schemas['Contribution']
export type Activity = Schemas['Activity']
export type Position = Schemas['Position']
export type Status = Schemas['Status']
export type ChainMeta = Schemas['ChainMeta']
export type Problem = Schemas['Problem']
export type SaleState = Schemas['SaleState']
export type FeedEvent = Schemas['FeedEvent']
export type OwnVoucher = Schemas['OwnVoucher']
export type SalePlan = Schemas['SalePlan']
export type PlannedFlow = Schemas['PlannedFlow']
export type FileFault = Schemas['FileFault']

/** Who told an answer that is none of the API. */
export interface Origin {
  by: 'node' | 'wallet'
  /** The block that it is true at. */
  block: number
}

export type Failure =
  /** No answer at all. */
  | { kind: 'down' }
  /** An answer that is none of this API. */
  | { kind: 'garbled'; status: number }
  /** A problem, and after how many seconds it may be worth trying again. */
  | { kind: 'problem'; problem: Problem; retryAfter: number | undefined }

export type Answer<T> =
  /** With its origin where that is no API but a node. */
  { ok: true; body: T; origin: Origin | undefined } | { ok: false; failure: Failure }
