// Finds a Chromium, or gets Debian's or Playwright's, and runs the browser tests. Without one that is a failure; with `--or-skip` a loud word.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { accessSync, constants, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Milliseconds that a network which does not answer may take. */
const LONGEST = 300_000

function find() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']) {
      try {
        accessSync(join(folder, name), constants.X_OK)
        return join(folder, name)
      } catch {
        // Not here.
      }
    }
  }
  return undefined
}

/** Debian's, where one may. */
function byDebian() {
  if (process.getuid?.() !== 0) return undefined
  console.error('web: Chromium, by apt-get')
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  try {
    for (const step of [['update'], ['install', '-y', '--no-install-recommends', 'chromium']])
      execFileSync('apt-get', ['-qq', ...step], { stdio: 'ignore', env, timeout: LONGEST })
  } catch {
    // No Debian, or no network.
    return undefined
  }
  return find()
}

/** Playwright's own, into the home of who runs this; it may lack libraries of the system, so it is started once. */
async function byPlaywright() {
  console.error('web: Chromium, by Playwright')
  const require = createRequire(import.meta.url)
  const { chromium } = require('playwright-core')
  try {
    const install = join(require.resolve('playwright-core/package.json'), '../cli.js')
    execFileSync(process.execPath, [install, 'install', '--only-shell', 'chromium'], {
      stdio: 'ignore',
      timeout: LONGEST,
    })
    await (await chromium.launch({ headless: true })).close()
    return ''
  } catch {
    return undefined
  }
}

const orSkip = process.argv.includes('--or-skip')
const chromium = find() ?? byDebian() ?? (await byPlaywright())
if (chromium === undefined) {
  const hint =
    'hint: on Debian or Ubuntu: apt-get install chromium; elsewhere name one that is there: CHROMIUM=/path/to/chromium'
  if (orSkip) {
    const rule = '='.repeat(100)
    console.error(
      `${rule}\nwarning: THE BROWSER TESTS WERE SKIPPED: there is no Chromium, and none can be had here\n${hint}\n${rule}`,
    )
    process.exit(0)
  }
  console.error(`error: the browser tests cannot run: there is no Chromium, and none can be had here\n${hint}`)
  process.exit(1)
}

const folder = fileURLToPath(new URL('.', import.meta.url))
// Named ones alone, for who works on one: `run.mjs alone modes`. `shots` is no test: it takes the pictures of the documentation.
const wanted = process.argv.slice(2).filter((one) => !one.startsWith('--'))
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.test.mjs'))
  .filter((name) => wanted.length === 0 || wanted.includes(name.replace('.test.mjs', '')))
if (wanted.includes('shots')) {
  const env = { ...process.env, CHROMIUM: chromium }
  process.exit(spawnSync(process.execPath, [join(folder, 'shots.mjs')], { stdio: 'inherit', env }).status ?? 1)
}

/** Files that run at a time: each has a chain, a service and a browser of its own, and waits for blocks most of its time. */
const AT_ONCE = Math.min(2, availableParallelism())

/** Milliseconds that one test may take: one that hangs would hold all of them. */
const LONGEST_TEST = 600_000

/** What runs now, and what it has written. */
const running = new Map()

/** Who ends this sees what was written so far. Each file has a group of its own, with its service and its browser. */
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
])
  process.once(signal, () => {
    for (const [child, written] of running) {
      process.stdout.write(Buffer.concat(written))
      try {
        // By which `up` and the browser end what they have started, too.
        process.kill(-child.pid, 'SIGINT')
      } catch {
        // It has ended.
      }
    }
    process.exit(code)
  })

/** Runs one file; whether it passed. What it writes is shown when it ends, so that two do not write into each other. */
function passes(name) {
  return new Promise((resolve, reject) => {
    console.error(`web: ${name}`)
    const how = ['--test', '--test-reporter=spec', `--test-timeout=${LONGEST_TEST}`]
    const child = spawn(process.execPath, [...how, join(folder, name)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, CHROMIUM: chromium },
      detached: true,
    })
    const written = []
    running.set(child, written)
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => written.push(chunk))
    child.on('error', reject)
    child.on('close', (status) => {
      running.delete(child)
      process.stdout.write(Buffer.concat(written))
      resolve(status === 0)
    })
  })
}

/** Runs files, so many at a time; those that fail. */
async function failing(names, atOnce) {
  const [waiting, failed] = [[...names], []]
  const one = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift())
      if (!(await passes(name))) failed.push(name)
  }
  await Promise.all(Array.from({ length: atOnce }, one))
  return failed
}

let failed = await failing(files, AT_ONCE)
// A browser that stumbles over a busy machine is no fault of the page: once more, and said aloud.
if (failed.length > 0) {
  console.error(`web: failed, and tried once more: ${failed.join(' ')}`)
  const again = await failing(failed, 1)
  const unsteady = failed.filter((name) => !again.includes(name))
  if (unsteady.length > 0) console.error(`warning: passed only when tried again: ${unsteady.join(' ')}`)
  failed = again
}
console.error(
  failed.length > 0 ? `error: failed twice: ${failed.join(' ')}` : `web: ${files.length} files of browser tests passed`,
)
process.exit(failed.length > 0 ? 1 : 0)
