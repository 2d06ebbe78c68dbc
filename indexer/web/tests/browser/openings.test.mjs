// A page that hears of nothing but the stream shows that a sale has opened.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { launch, watched } from './browser.mjs'
import { World } from './world.mjs'

let world, browser

before(async () => {
  world = await World.start()
  browser = await launch()
})

after(async () => {
  await browser?.close()
  await world?.stop()
})

test('the stream says that a sale opens, and the page shows it', async () => {
  const sale = await world.deploy('aurora-eth.toml')
  const { context, faults } = await watched(browser, world.api)
  const page = await context.newPage()
  // It learns of new blocks by asking for the status, again and again: here that stands still.
  let status
  await page.route('**/v1/status', async (route) => {
    status ??= await (await route.fetch()).text()
    await route.fulfill({ body: status, contentType: 'application/json' })
  })
  await page.addInitScript(() => {
    const listen = EventSource.prototype.addEventListener
    window.heard = []
    EventSource.prototype.addEventListener = function (type, told) {
      listen.call(this, type, (event) => {
        window.heard.push(type)
        told(event)
      })
    }
  })
  await page.goto(`${world.api}/#/sales/31337/${sale}`)
  const sees = (words, options = {}) => page.getByText(words, options).first().waitFor()
  await sees('It opens 1 Mar 2031, 14:00 UTC')
  await sees('Live', { exact: true })
  await world.moveClockTo('2031-03-01T14:00:00Z')
  await sees('It is open')
  const opened = page.getByRole('listitem').filter({ hasText: 'The sale opened' })
  await opened.waitFor()
  assert.match(await opened.innerText(), /1 Mar 2031, 14:00/)
  assert.ok((await page.evaluate(() => window.heard)).includes('sale.opened'))
  assert.deepEqual(faults, [])
})
