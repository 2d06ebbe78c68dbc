// The chain's clock. Sales open and close by the timestamps of blocks, so the visitor's own clock, which may be wrong or set wrong
// on purpose, is asked only how long ago a timestamp was read.

import { times } from './messages.time.ts'

/** A timestamp of a block, and when this page learnt of it, by a clock that only runs forward. */
export interface Reading {
  seconds: number
  readAt: number
}

/** Seconds of the chain now: at least the newest block's, and what has passed since it was read. */
export function chainNow(reading: Reading, now: number): number {
  return reading.seconds + Math.max(0, Math.floor((now - reading.readAt) / 1000))
}

/** The newer of two readings. A later block never turns the clock back by being read late; a reorg may. */
export function newer(before: Reading | undefined, seconds: number, now: number): Reading {
  if (before && before.seconds === seconds) return before
  return { seconds, readAt: now }
}

export function toSeconds(time: string): number {
  return Math.floor(Date.parse(time) / 1000)
}

const part = (options: Intl.DateTimeFormatOptions) =>
  new Intl.DateTimeFormat(times.locale, {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    ...options,
  })

const UTC = part({ timeZone: 'UTC' })
const LOCAL = part({ timeZoneName: 'short' })

/** `1 Mar 2031, 14:00 UTC` */
export function utc(time: string | number): string {
  // The hour and its zone stay on one line.
  return `${UTC.format(date(time))}\u00a0${times.utc}`
}

const UTC_DAY = new Intl.DateTimeFormat(times.locale, {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  timeZone: 'UTC',
})

/** `1 Mar 2031` */
export function utcDay(time: string): string {
  return UTC_DAY.format(date(time))
}

const UTC_SHORT = new Intl.DateTimeFormat(times.locale, { day: 'numeric', month: 'short', timeZone: 'UTC' })

/** `1 Mar` */
export function utcShort(seconds: number): string {
  return UTC_SHORT.format(date(seconds))
}

/** The same in the zone of the visitor, with its name. */
export function local(time: string | number): string {
  return LOCAL.format(date(time))
}

/** Whether the visitor's zone writes this time as UTC does, so that saying both says nothing. */
export function isLocalUtc(time: string | number): boolean {
  return LOCAL.format(date(time)).replace(/ [^ ]*$/, '') === UTC.format(date(time))
}

function date(time: string | number): Date {
  return new Date(typeof time === 'number' ? time * 1000 : time)
}

/** A span in its two largest units: `3 d 4 h`, `12 min 5 s`. */
export function span(seconds: number): string {
  const left = Math.max(0, Math.floor(seconds))
  const units: [number, string][] = [
    [Math.floor(left / 86_400), times.units.day],
    [Math.floor(left / 3600) % 24, times.units.hour],
    [Math.floor(left / 60) % 60, times.units.minute],
    [left % 60, times.units.second],
  ]
  const first = units.findIndex(([count]) => count > 0)
  if (first < 0) return `0 ${times.units.second}`
  return units
    .slice(first, first + 2)
    .filter(([count], index) => index === 0 || count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ')
}

/** A span that terms name: `14 days`, `1 year 30 days` stays in days, as the contract counts seconds and no calendar. */
export function days(seconds: number): string {
  if (seconds % 86_400 === 0) return times.days(seconds / 86_400)
  return span(seconds)
}
