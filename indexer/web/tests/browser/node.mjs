// A chain and nothing else: anvil with the contracts on it, no index, no API; and a file server that knows no more than files.
import { execFile, spawn } from 'node:child_process'
import { createServer } from 'node:http'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join, normalize } from 'node:path'
import { binary, findAnvil, root } from './world.mjs'

export class Node {
  static async start() {
    const node = new Node()
    node.folder = mkdtempSync(join(tmpdir(), 'crowdsale-node-'))
    node.child = spawn(findAnvil(), ['--port', '0', '--timestamp', '1924992000'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    node.url = await new Promise((done, fail) => {
      let told = ''
      node.child.on('exit', (code) => fail(new Error(`anvil ended with ${code}: ${told}`)))
      node.child.stdout.on('data', (text) => {
        told += text
        const found = /Listening on ([0-9.:]+)/.exec(told)
        if (found) done(`http://${found[1]}`)
      })
    })
    const { factory } = JSON.parse(await node.run('factory', 'deploy', '--dev-account', '9', '--json'))
    node.factory = factory
    return node
  }

  async stop() {
    if (this.child.exitCode === null) {
      const over = new Promise((done) => this.child.once('exit', done))
      this.child.kill('SIGINT')
      await over
    }
    rmSync(this.folder, { recursive: true, force: true })
  }

  async rpc(method, params = []) {
    const answer = await fetch(this.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    })
    const { result, error } = await answer.json()
    if (error) throw Object.assign(new Error(error.message), error)
    return result
  }

  run(...args) {
    const env = {
      ...process.env,
      CROWDSALE_RPC_URL: this.url,
      ...(this.factory ? { CROWDSALE_FACTORY: this.factory } : {}),
    }
    return new Promise((done, fail) => {
      execFile(binary, args, { cwd: root, env }, (error, stdout, stderr) =>
        error ? fail(new Error(`${args.join(' ')}: ${stderr}`)) : done(stdout),
      )
    })
  }

  /** Deploys a sale of `contracts/examples`, changed by `edit`. */
  async deploy(example, edit = (text) => text) {
    const file = join(this.folder, 'sale.toml')
    writeFileSync(file, edit(readFileSync(join(root, 'contracts/examples', example), 'utf8')))
    return JSON.parse(await this.run('sale', 'deploy', file, '--dev-account', '0', '--json')).sale
  }

  async moveClockTo(time) {
    await this.rpc('evm_setNextBlockTimestamp', [Date.parse(time) / 1000])
    await this.rpc('evm_mine')
  }
}

const KINDS = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }

/** Serves a folder under a path, as any file server would. */
export async function serveFolder(folder, path) {
  const server = createServer(async ({ url }, response) => {
    const asked = normalize(new URL(url, 'http://any').pathname)
    const name = asked === path ? 'index.html' : asked.slice(path.length)
    try {
      if (!asked.startsWith(path)) throw new Error('elsewhere')
      const bytes = await readFile(join(folder, name))
      response.writeHead(200, { 'content-type': KINDS[extname(name)] ?? 'application/octet-stream' }).end(bytes)
    } catch {
      response.writeHead(404).end()
    }
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  return { origin: `http://127.0.0.1:${server.address().port}`, stop: () => new Promise((done) => server.close(done)) }
}
