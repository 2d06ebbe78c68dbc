// What stands on and below the pictures of a sale, and in the tables behind them.

import { days } from './time.ts'

const plural = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`

export const pictures = {
  table: 'As a table',

  unlock: {
    title: 'When tokens become free',
    label: (atOnce: string, cliff: number, duration: number) =>
      `${atOnce} at once${cliff > 0 ? `, nothing more for ${days(cliff)}` : ''}, all after ${days(duration)}. The table below has the steps.`,
    before: 'Counted from the success of the sale, which is still to come.',
    since: (time: string) => `Counted from the success on ${time}. The upright line is now.`,
    when: 'When',
    free: 'Free in all',
    yours: 'Of yours',
    success: 'with the success',
    after: (seconds: number) => `${days(seconds)} after it`,
  },

  spread: {
    title: 'How it is spread',
    about: 'One person can have many addresses, so this is the least that the largest have.',
    investors: (count: number) => `The money, over ${plural(count, 'investor', 'investors')}`,
    holders: (count: number) =>
      `All tokens, over ${plural(count, 'holder', 'holders')}: the contracts of the sale and of the team hold some for others, and count too`,
    top: { 1: 'The largest', 10: 'The 10 largest', 100: 'The 100 largest' } as Record<number, string>,
    bar: (who: string, share: string) => `${who}: ${share}`,
    who: 'Who',
    share: 'Share',
    paid: 'Paid',
    held: 'Held',
    size: 'Paid each',
    between: (from: string, below: string) => `from ${from}, below ${below}`,
    count: 'Investors',
    sizes: 'Investors by what they paid',
  },
}
