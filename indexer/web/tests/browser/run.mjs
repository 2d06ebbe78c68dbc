// Finds a Chromium, installs Debian's where it may, and runs the browser tests. Without one they are left out, and on CI that is a failure.
import { execFileSync, spawnSync } from 'node:child_process'
import { accessSync, constants, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

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

let chromium = find()
if (!chromium && process.getuid?.() === 0) {
  console.error('web: Chromium, by apt-get')
  try {
    execFileSync('apt-get', ['update', '-qq'], { stdio: 'ignore' })
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], { stdio: 'ignore', env })
  } catch {
    // No Debian, or no network: said below.
  }
  chromium = find()
}
if (!chromium) {
  const failed = process.env.CI === 'true'
  console.error(
    `${failed ? 'error' : 'web'}: the browser tests ${failed ? 'cannot run' : 'are left out'}: there is no Chromium`,
  )
  console.error('hint: on Debian or Ubuntu: apt-get install chromium; elsewhere name it: CHROMIUM=/path/to/chromium')
  process.exit(failed ? 1 : 0)
}

const folder = fileURLToPath(new URL('.', import.meta.url))
// Named ones alone, for who works on one: `run.mjs alone modes`.
const wanted = process.argv.slice(2)
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.test.mjs'))
  .filter((name) => wanted.length === 0 || wanted.includes(name.replace('.test.mjs', '')))
const { status } = spawnSync(
  process.execPath,
  ['--test', '--test-concurrency=1', '--test-reporter=spec', ...files.map((name) => join(folder, name))],
  {
    stdio: 'inherit',
    env: { ...process.env, CHROMIUM: chromium },
  },
)
process.exit(status ?? 1)
