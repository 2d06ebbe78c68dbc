// What the browser tests share: steps that build on each other, and words and figures as the page writes them.
import { test } from 'node:test'

/** Steps of a story: after one that failed, those that build on it say nothing. */
export function story() {
  let broken = ''
  return (name, run) =>
    test(name, async (t) => {
      if (broken) return t.skip(`after “${broken}”`)
      try {
        await run()
      } catch (error) {
        broken = name
        throw error
      }
    })
}

export const sees = (page, words, options = {}) => page.getByText(words, options).first().waitFor()
/** Figures are grouped by a narrow space that nobody can type. */
export const plain = (words) => words.replaceAll(/[\u202f\u00a0\n]+/g, ' ')
export const ETHER = 10n ** 18n
export const hex = (value) => `0x${value.toString(16)}`
/** As the page writes an amount of 18 decimals. */
export function units(raw, decimals = 18) {
  const unit = 10n ** BigInt(decimals)
  const fraction = String(raw % unit)
    .padStart(decimals, '0')
    .replace(/0+$/, '')
  const whole = String(raw / unit).replace(/\B(?=(\d{3})+$)/g, ' ')
  return fraction === '' ? whole : `${whole}.${fraction}`
}
