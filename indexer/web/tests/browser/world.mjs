// The real thing for the page to be driven against: `crowdsale up` on free ports, with its anvil, its Postgres and its index.
import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, openSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const { keccak256, toUtf8Bytes } = createRequire(import.meta.url)('ethers')

export const root = resolve(fileURLToPath(import.meta.url), '../../../../..')
const target = process.env.CARGO_TARGET_DIR ?? join(root, 'target')
export const binary = process.env.CROWDSALE_BINARY ?? join(target, 'debug/crowdsale')

/** The one that `scripts/lib/tools.sh` found, else npm's. */
export function findAnvil() {
  if (process.env.ANVIL) return process.env.ANVIL
  const folder = join(root, 'contracts/node_modules/@foundry-rs')
  const found = ['linux-amd64', 'linux-arm64', 'darwin-amd64', 'darwin-arm64']
    .map((platform) => join(folder, `anvil-${platform}/bin/anvil`))
    .find((path) => existsSync(path))
  return found ?? 'anvil'
}

/** Asks again until there is an answer that is not undefined. The limit is for a test that would hang, not for a slow machine. */
export async function until(what, ask) {
  let last
  for (let left = 600; left > 0; left--) {
    try {
      const found = await ask()
      if (found !== undefined && found !== false) return found
    } catch (error) {
      last = error
    }
    await new Promise((done) => setTimeout(done, 200))
  }
  throw new Error(`${what}: not seen${last ? `, ${last}` : ''}`)
}

export class World {
  services = []
  /** @param env What is set for it beside this process's environment. @param args Further flags of `up`. */
  static async start({ env = {}, args = [] } = {}) {
    const world = new World()
    world.env = env
    world.folder = mkdtempSync(join(realpathSync(tmpdir()), 'crowdsale-web-'))
    world.data = join(world.folder, 'data')
    const [out, err] = [join(world.folder, 'out'), join(world.folder, 'err')]
    world.child = spawn(
      binary,
      [
        '--json',
        'up',
        '--data',
        world.data,
        '--listen',
        '127.0.0.1:0',
        '--rpc-port',
        '0',
        '--block-time',
        '1',
        ...args,
      ],
      {
        stdio: ['ignore', openSync(out, 'w'), openSync(err, 'w')],
        cwd: root,
        env: { ...process.env, ...env },
      },
    )
    let ended
    world.child.on('error', (error) => (ended = String(error)))
    world.child.on('exit', (code) => (ended = `it ended with ${code}: ${readFileSync(err, 'utf8')}`))
    try {
      world.place = await until('`up` says where everything is', () => {
        if (ended) return { ended }
        return JSON.parse(readFileSync(out, 'utf8'))
      })
      if (ended) throw new Error(ended)
    } catch (error) {
      await world.stop()
      throw error
    }
    return world
  }

  get api() {
    return this.place.api
  }

  async stop() {
    // Of a test that failed too: else its file would not end.
    for (const service of this.services) await service.stop()
    if (this.child.exitCode === null && this.child.pid !== undefined) {
      const over = new Promise((done) => this.child.once('exit', done))
      this.child.kill('SIGINT')
      await over
    }
    // Where `up` puts what root's Postgres needs, which cannot enter the folder: named after the data folder.
    const name = keccak256(toUtf8Bytes(this.data)).slice(2, 18)
    for (const folder of [this.folder, `/var/tmp/crowdsale-${name}`]) rmSync(folder, { recursive: true, force: true })
  }

  async rpc(method, params = []) {
    const answer = await fetch(this.place.rpc, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    })
    const { result, error } = await answer.json()
    if (error) throw Object.assign(new Error(error.message), error)
    return result
  }

  /** An API of its own over the same index, which can be ended while index and chain go on. */
  async serve(...args) {
    const service = await serveApi(this.place.database_url_file, args)
    this.services.push(service)
    return service
  }

  /** Runs a command of the binary against the devnet. */
  run(...args) {
    return new Promise((done, fail) => {
      const env = { ...process.env, ...this.env, CROWDSALE_RPC_URL: this.place.rpc }
      execFile(binary, args, { cwd: root, env }, (error, stdout, stderr) =>
        error ? fail(Object.assign(new Error(`${args.join(' ')}: ${stderr}`), { stdout })) : done(stdout),
      )
    })
  }

  /** A sale file of `contracts/examples`, changed by `edit`. */
  example(example, edit = (text) => text) {
    return edit(readFileSync(join(root, 'contracts/examples', example), 'utf8'))
  }

  /** Deploys it. */
  async deploy(example, edit = (text) => text) {
    const file = join(this.folder, 'sale.toml')
    writeFileSync(file, this.example(example, edit))
    const { sale } = JSON.parse(await this.run('sale', 'deploy', file, '--dev-account', '0', '--json'))
    await this.indexed()
    return sale
  }

  async moveClockTo(time) {
    await this.rpc('evm_setNextBlockTimestamp', [Date.parse(time) / 1000])
    await this.rpc('evm_mine')
    await this.indexed()
  }

  /** Waits until the index is at the chain's head of now. */
  async indexed() {
    const head = await this.rpc('eth_getBlockByNumber', ['latest', false])
    await until(`block ${Number(head.number)} is indexed`, async () => {
      const { meta } = await this.get('/v1/status')
      return meta.chains[0]?.indexed_block.number >= Number(head.number)
    })
  }

  async get(path) {
    const answer = await fetch(`${this.api}${path}`)
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`)
    return answer.json()
  }
}

/** `crowdsale serve` on a free port, over the database whose URL is in a file. */
export async function serveApi(databaseUrlFile, args = []) {
  const env = { ...process.env, CROWDSALE_DATABASE_URL_FILE: databaseUrlFile }
  // Two that say where it is are refused.
  delete env.CROWDSALE_DATABASE_URL
  const child = spawn(binary, ['serve', '--listen', '127.0.0.1:0', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    cwd: root,
    env,
  })
  const over = new Promise((done) => child.once('exit', done))
  const url = await new Promise((done, fail) => {
    let told = ''
    child.once('exit', (code) => fail(new Error(`serve ended with ${code}: ${told}`)))
    child.stderr.on('data', (text) => {
      const found = /serving (http:\/\/[0-9.:]+)/.exec((told += text))
      if (found) done(found[1])
    })
  })
  return {
    url,
    async stop() {
      child.kill('SIGKILL')
      await over
    },
  }
}
