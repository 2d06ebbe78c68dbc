// What is shown is what there is: the rows of a list that is gone on with, the finality of a block, the payment in a picture.
import assert from 'node:assert/strict'
import { after, before } from 'node:test'
// Another's than the code that draws it, so that both cannot be wrong in the same way.
import decodeQR from 'qr/decode.js'
import { ALL_VIEWS, isAccessible, launch, watched } from './browser.mjs'
import { CHAIN, ETHER, hex, plain, send, story } from './steps.mjs'
import { until, World } from './world.mjs'

const test = story()
let world, browser, accounts, sale, page, context, faults

/** Contributions, each of an amount of its own. */
const COUNT = 25
const paid = (index) => ETHER + (BigInt(index) * ETHER) / 100n

before(async () => {
  world = await World.start()
  browser = await launch()
  accounts = await world.rpc('eth_accounts')
  sale = await world.deploy('aurora-eth.toml')
  await world.moveClockTo('2031-03-01T14:00:00Z')
  // From here on blocks come with transactions, or when a step says so.
  await world.rpc('evm_setIntervalMining', [0])
  await world.rpc('evm_setAutomine', [true])
  for (let index = 0; index < COUNT; index++)
    await send(world, { from: accounts[2 + (index % 5)], to: sale, value: hex(paid(index)) })
  await world.indexed()
  ;({ context, faults } = await watched(browser, world.api))
  page = await context.newPage()
})

after(async () => {
  await browser?.close()
  await world?.stop()
})

const open = () => page.goto(`${world.api}/#/sales/${CHAIN}/${sale}`)
const listed = async (name, limit) => (await world.get(`/v1/sales/${CHAIN}/${sale}/${name}?limit=${limit}`)).data
/** As the page writes ether, without what it adds for the eye. */
const written = ({ raw }) => `${(Number(BigInt(raw) / 10n ** 16n) / 100).toString()} ETH`

const lists = {
  contributions: {
    rows: async () => {
      const cells = page.locator('section', { has: page.locator('#contributions') }).locator('tbody td:nth-child(2)')
      return (await cells.allInnerTexts()).map(plain)
    },
    expected: async (limit) => (await listed('contributions', limit)).map((one) => written(one.amount)),
  },
  activity: {
    rows: async () => {
      const sums = page.locator('section', { has: page.locator('#activity') }).locator('li .sum')
      return (await sums.allInnerTexts()).map((text) => / ?([0-9.]+ ETH)/.exec(plain(text))?.[1])
    },
    expected: async (limit) =>
      (await listed('activity', limit)).map(({ amount }) => (amount ? written(amount) : undefined)),
  },
}

for (const [name, { rows, expected }] of Object.entries(lists))
  test(`a double click on “Show more” of the ${name} brings each row once`, async () => {
    await page.goto('about:blank')
    await open()
    await until('the first rows are there', async () => (await rows()).length === 10)
    assert.deepEqual(await rows(), await expected(10))
    // Both clicks come before the first answer.
    const asked = []
    let answer
    const answered = new Promise((done) => (answer = done))
    await page.route(`**/${name}?*cursor=*`, async (route) => {
      asked.push(route.request().url())
      await answered
      await route.continue()
    })
    const more = page.locator('section', { has: page.locator(`#${name}`) }).getByRole('button', { name: 'Show more' })
    await more.dblclick()
    await until('more is asked for', () => asked.length > 0)
    assert.ok(await more.isDisabled())
    await isAccessible(page, `more-${name}`)
    answer()
    await until('more rows are there', async () => (await rows()).length > 10)
    assert.deepEqual(await rows(), await expected(20))
    assert.equal(asked.length, 1)
    await page.unroute(`**/${name}?*cursor=*`)
    await more.click()
    await until('the last rows are there', async () => (await rows()).length > 20)
    const all = await expected(30)
    assert.ok(all.length >= COUNT)
    await until('no row is missing', async () => (await rows()).length === all.length)
    assert.deepEqual(await rows(), all)
    assert.equal(await more.count(), 0)
    assert.deepEqual(faults, [])
  })

test('a block is included, then safe, then final, as the node of the service says', async () => {
  const newest = await world.rpc('eth_getBlockByNumber', ['latest', false])
  const at = async (tag) => Number((await world.rpc('eth_getBlockByNumber', [tag, false])).number)
  const badges = page.locator('section', { has: page.locator('#contributions') }).locator('tbody .badge')
  const shows = (word) =>
    until(`all are shown as ${word}`, async () => {
      const texts = await badges.allInnerTexts()
      return texts.length === 10 && texts.every((text) => text === word)
    })
  await page.goto('about:blank')
  await open()
  await shows('Included')
  // An epoch has 32 blocks: what is older than one is safe, and than two final.
  await world.rpc('anvil_mine', ['0x28'])
  const [safe, finalized] = [await at('safe'), await at('finalized')]
  assert.ok(finalized < Number(newest.number) - 10 && Number(newest.number) <= safe, `${finalized} ${safe}`)
  await shows('Safe')
  assert.deepEqual(
    (await listed('contributions', 10)).map((one) => one.block.finality),
    Array(10).fill('safe'),
  )
  assert.equal(await badges.first().getAttribute('title'), 'In a block that the network is very unlikely to replace.')
  await isAccessible(page, 'finality-safe', ALL_VIEWS)
  await world.rpc('anvil_mine', ['0x28'])
  await shows('Final')
  assert.deepEqual(faults, [])
})

/** The text of the code in a picture of the page. */
async function decode(png) {
  const canvas = await context.newPage()
  try {
    const picture = await canvas.evaluate(async (base64) => {
      const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${base64}`)).blob())
      const { width, height } = bitmap
      const drawn = new OffscreenCanvas(width, height).getContext('2d')
      drawn.drawImage(bitmap, 0, 0)
      const reader = new FileReader()
      const read = new Promise((done) => (reader.onload = done))
      reader.readAsDataURL(new Blob([drawn.getImageData(0, 0, width, height).data]))
      await read
      return { width, height, data: reader.result.split(',')[1] }
    }, png.toString('base64'))
    return decodeQR({ ...picture, data: Buffer.from(picture.data, 'base64') })
  } finally {
    await canvas.close()
  }
}

test('the picture of a payment says what its link says, in any colours, and follows the amount', async () => {
  await page.goto(`${world.api}/#/sales/${CHAIN}/${sale}/contribute`)
  const field = page.getByLabel('Amount in ETH')
  const code = page.locator('details', { has: page.getByText('Pay from a wallet on another device') })
  await field.fill('2.5')
  await page.getByText('Pay from a wallet on another device').click()
  // To the wei, and as much as there can be.
  for (const [amount, wei] of [
    ['2.5', '2500000000000000000'],
    ['0.050000000000000001', '50000000000000001'],
    ['49.999999999999999999', '49999999999999999999'],
  ]) {
    await field.fill(amount)
    await code.getByRole('img', { name: `Code that asks a wallet to pay ${amount} ETH` }).waitFor()
    // EIP-681, with the address as the chain’s checksum has it.
    const wanted = `ethereum:${sale}@${CHAIN}?value=${wei}`
    for (const { width, height, colorScheme } of ALL_VIEWS) {
      await page.setViewportSize({ width, height })
      await page.emulateMedia({ colorScheme })
      assert.equal(await decode(await code.screenshot()), wanted, `${amount} at ${width}, ${colorScheme}`)
    }
  }
  assert.deepEqual(faults, [])
})
