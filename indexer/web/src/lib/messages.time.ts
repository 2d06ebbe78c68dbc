// Words of times; otherwise as `messages.ts`.

export const times = {
  /** How dates are written, by BCP 47: those of the language that `messages.ts` is in. */
  locale: 'en-GB',
  utc: 'UTC',
  units: { day: 'd', hour: 'h', minute: 'min', second: 's' },
  days: (count: number) => (count === 1 ? '1 day' : `${count} days`),
}
