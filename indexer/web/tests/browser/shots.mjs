// The pictures of the documentation: the main screens over a world whose sale, clock and accounts are always the same.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { launch, watched } from './browser.mjs'
import { ETHER, hex } from './story.mjs'
import { addWallet } from './wallet.mjs'
import { root, until, World } from './world.mjs'

const CHAIN = 31337
const { Interface } = createRequire(import.meta.url)('ethers')
const close = new Interface(['function close()']).encodeFunctionData('close', [])
const folder = join(root, 'docs/screenshots')

const world = await World.start()
const browser = await launch()
try {
  const accounts = await world.rpc('eth_accounts')
  const send = async (from, to, value, data = '0x') => {
    const hash = await world.rpc('eth_sendTransaction', [{ from: accounts[from], to, value: hex(value), data }])
    await until('it is in a block', async () => (await world.rpc('eth_getTransactionReceipt', [hash])) ?? undefined)
  }
  const renamed = (name, symbol, opens) => (file) =>
    file
      .replaceAll('Aurora', name)
      .replaceAll('AUR', symbol)
      .replaceAll('2031-03-01T', `2031-${opens}T`)
      .replaceAll(/ends = 2031-03-\d+T/g, opens < '03' ? 'ends = 2031-02-20T' : (line) => line)
  const failed = await world.deploy('aurora-eth.toml', (file) =>
    renamed('Borealis', 'BOR', '02-01')(file).replace('ends = 2031-02-20T', 'ends = 2031-02-10T'),
  )
  const aurora = await world.deploy('aurora-eth.toml')
  await world.deploy('meridian-prorata.toml')
  await world.moveClockTo('2031-02-01T14:00:00Z')
  await send(3, failed, (5n * ETHER) / 2n)
  await world.moveClockTo('2031-02-20T14:00:00Z')
  await send(9, failed, 0n, close)
  const days = [
    [4, 35],
    [5, 50],
    [6, 12],
    [7, 28],
    [8, 44],
    [3, 17],
  ]
  for (const [index, [from, value]] of days.entries()) {
    await world.moveClockTo(`2031-03-0${index + 1}T14:00:00Z`)
    await send(from, aurora, BigInt(value) * ETHER)
  }
  await world.rpc('anvil_mine', ['0x60'])
  // From here on no block: the clock that is shown stands still.
  await world.rpc('evm_setIntervalMining', [0])
  await world.indexed()

  const shoot = async (name, options, hash, ready, act = async () => {}) => {
    const { context } = await watched(browser, world.api, { timezoneId: 'UTC', ...options })
    await context.clock.install({ time: new Date('2031-03-06T14:00:00Z') })
    await addWallet(context, world, { account: accounts[3] })
    const page = await context.newPage()
    await page.goto(`${world.api}/${hash}`)
    await page.getByText(ready).first().waitFor()
    await act(page)
    await page.evaluate(() => document.fonts.ready)
    await page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled' })
    await context.close()
  }
  const connect = async (page) => {
    await page.getByRole('banner').getByRole('button', { name: 'Connect wallet' }).click()
    await page.getByRole('button', { name: 'Test Wallet' }).click()
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
  }
  const wide = { viewport: { width: 1180, height: 900 } }
  const narrow = { viewport: { width: 360, height: 740 } }
  const sale = `#/sales/${CHAIN}/${aurora}`
  await shoot('directory', wide, '', 'Meridian')
  await shoot('sale', wide, sale, 'The way out')
  await shoot('sale-dark', { ...wide, colorScheme: 'dark' }, sale, 'The way out')
  await shoot('sale-360', narrow, sale, 'The way out')
  await shoot('review', wide, `${sale}/contribute`, 'What do you get?', async (page) => {
    await connect(page)
    await page.getByLabel('Amount in ETH').fill('2.5')
    await page.getByRole('button', { name: 'Review' }).click()
    await page.getByRole('heading', { name: 'Check before you confirm' }).waitFor()
  })
  await shoot('positions', wide, `#/positions/${accounts[3]}`, 'Your money waits for you.', connect)
  await shoot('status', wide, '#/status', 'Running')
} finally {
  await browser.close()
  await world.stop()
}
