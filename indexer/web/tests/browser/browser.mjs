// A browser whose every page is watched: no error on its console, which is where a broken policy shows, and no request elsewhere.
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const require = createRequire(import.meta.url)
const { chromium } = require('playwright-core')
const { AxeBuilder } = require('@axe-core/playwright')

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Where pictures of every state go, if anywhere. */
const shots = process.env.SHOTS
if (shots) mkdirSync(shots, { recursive: true })

/** The one that `run.mjs` found; its empty name is Playwright's own. */
export const launch = () =>
  chromium.launch({
    ...(process.env.CHROMIUM ? { executablePath: process.env.CHROMIUM } : {}),
    args: FLAGS,
    headless: true,
  })

/** A context whose pages note what must not happen. */
export async function watched(browser, origins, options = {}) {
  const allowed = [origins].flat()
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Berlin', ...options })
  const faults = []
  context.on('page', (page) => {
    page.on('console', (message) => {
      // Being offline is said there by the browser itself.
      if (
        ['error', 'warning'].includes(message.type()) &&
        !/net::ERR_|status of (401|404|410|422|429|501|502|503)/.test(message.text())
      )
        faults.push(message.text())
    })
    page.on('pageerror', (error) => faults.push(String(error)))
    page.on('request', (request) => {
      if (!/^data:/.test(request.url()) && !allowed.some((one) => request.url().startsWith(one)))
        faults.push(`asked elsewhere: ${request.url()}`)
    })
  })
  return { context, faults }
}

/** Each pair of colours and each layout once: they do not depend on each other. */
const VIEWS = [
  { width: 1280, height: 900, colorScheme: 'light' },
  { width: 360, height: 740, colorScheme: 'dark' },
]

/** Each with each, for screens whose states are held against WCAG here alone. */
export const ALL_VIEWS = VIEWS.flatMap(({ width, height }) =>
  VIEWS.map(({ colorScheme }) => ({ width, height, colorScheme })),
)

/** A picture for who looks at them. */
export async function shoot(page, name) {
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true })
}

/** Holds what is shown now against WCAG, as it is shown now. */
export async function hasNoViolations(page, name) {
  // In the page itself: a second page for it, as it does by default for frames, which there are none of, takes the focus from this one.
  const { violations } = await new AxeBuilder({ page })
    .setLegacyMode(true)
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
    .analyze()
  const told = violations.map(
    (one) => `${one.id}: ${one.nodes.map((node) => `${node.html} ${node.failureSummary}`).join('; ')}`,
  )
  assert.deepEqual(told, [], name)
}

/** Holds what is shown now against WCAG, wide and light, narrow and dark; or in the given views. */
export async function isAccessible(page, name, views = VIEWS) {
  for (const { width, height, colorScheme } of views) {
    await page.setViewportSize({ width, height })
    await page.emulateMedia({ colorScheme })
    if (shots) await page.screenshot({ path: join(shots, `${name}-${width}-${colorScheme}.png`), fullPage: true })
    await hasNoViolations(page, `${name} at ${width}, ${colorScheme}`)
    const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
    assert.ok(over <= 0, `${name} is ${over} px too wide at ${width}`)
  }
  await page.setViewportSize({ width: 1280, height: 900 })
  await page.emulateMedia({ colorScheme: 'light' })
}
