// Whoever has a keyboard and nothing else: what the focus is on, whether it can be seen there, and whether it was ever lost.
import assert from 'node:assert/strict'
import { until } from './world.mjs'

/** Most presses of the Tab key on the way to anything. */
const FAR = 150

/** Notes each time that the focus is on nothing because what had it went away, was hidden or no longer took it. */
function watch() {
  window.lostFocus = []
  let last
  document.addEventListener('focusin', ({ target }) => (last = target))
  const look = () => {
    const on = document.activeElement
    const isOnNothing = on === null || on === document.body || on.matches(':disabled') || !on.checkVisibility()
    const wasTaken = last && (!last.isConnected || last.matches(':disabled') || !last.checkVisibility())
    if (isOnNothing && wasTaken) {
      window.lostFocus.push(last.outerHTML.slice(0, 160))
      last = undefined
    }
    requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
}

export class Keys {
  /** @param context Whose pages are watched from now on. */
  static async watch(context) {
    await context.addInitScript(watch)
  }

  constructor(page) {
    this.page = page
    // As long as somebody listens, the browser asks here for files, and not a person who is not there.
    page.on('filechooser', () => {})
  }

  press(key) {
    return this.page.keyboard.press(key)
  }

  /** What has the focus: its name, its kind, and whether it can be seen to have it. */
  focus() {
    return this.page.evaluate(() => {
      const one = document.activeElement
      if (!one || one === document.body) return { name: '', tag: 'BODY', isSeen: false }
      const written = (of) => (of.textContent ?? '').replaceAll(/\s+/g, ' ').trim()
      const label = one.labels?.[0]?.querySelector('span') ?? one.labels?.[0]
      const name = one.getAttribute('aria-label') ?? (label ? written(label) : written(one))
      const { outlineStyle, outlineWidth } = getComputedStyle(one)
      const { width, height, bottom, right } = one.getBoundingClientRect()
      const isThere = width > 1 && height > 1 && bottom > 0 && right > 0
      const isSeen = isThere && outlineStyle !== 'none' && parseFloat(outlineWidth) > 0
      return { name, tag: one.tagName, id: one.id, isSeen }
    })
  }

  /** Goes on, or back, until what has that name has the focus. Wherever the focus comes by, it can be seen. */
  async reach(name, { back = false, after } = {}) {
    const passed = []
    let isPast = after === undefined
    for (let left = FAR; left > 0; left--) {
      await this.press(back ? 'Shift+Tab' : 'Tab')
      const at = await this.focus()
      passed.push(at.name.slice(0, 40))
      if (at.tag !== 'BODY') assert.ok(at.isSeen, `the focus on “${at.name}” (${at.tag}) can be seen`)
      if (isPast && at.name === name) return
      isPast ||= at.name === after
    }
    assert.fail(`“${name}” cannot be reached: ${[...new Set(passed)].join(' | ')}`)
  }

  /** Reaches it and presses it. */
  async use(name, key = 'Enter', options = {}) {
    await this.reach(name, options)
    await this.press(key)
  }

  /** Reaches a button, waits until what was written before has been looked at and it can be pressed, and presses it. */
  async act(name, key = 'Enter') {
    await this.reach(name)
    await until(`“${name}” can be pressed`, () =>
      this.page.evaluate(() => document.activeElement?.getAttribute('aria-disabled') !== 'true'),
    )
    await this.press(key)
  }

  /** Reaches a field, and writes into it in the place of what is there. */
  async write(name, text) {
    await this.reach(name)
    await this.press('Control+A')
    await this.page.keyboard.type(text)
  }

  /** Reaches a field for files, and chooses one. */
  async choose(name, file, key = 'Enter') {
    await this.reach(name)
    await this.chooseHere(file, key)
  }

  /** The same where the focus is on it already. */
  async chooseHere(file, key = 'Enter') {
    const chooser = this.page.waitForEvent('filechooser')
    await this.press(key)
    await (await chooser).setFiles(file)
  }

  /** Holds that what has the focus is this, can be seen to have it, and that it was never lost on the way. */
  async isOn(name) {
    const at = await this.focus()
    assert.equal(at.name, name)
    assert.ok(at.isSeen, `the focus on “${name}” can be seen`)
    await this.wasNeverLost()
  }

  async wasNeverLost() {
    // Two frames on, whatever the last change took away has been noted.
    const lost = await this.page.evaluate(
      () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(window.lostFocus)))),
    )
    assert.deepEqual(lost, [], 'what had the focus when it was lost')
  }

  /** Goes all the way round, and back again: everything that takes the focus is passed both ways, and nothing keeps it. */
  async goesRound() {
    const at = () =>
      this.page.evaluate(() => {
        window.numbered ??= new Map()
        const one = document.activeElement
        if (!window.numbered.has(one)) window.numbered.set(one, window.numbered.size)
        return window.numbered.get(one)
      })
    const round = async (key) => {
      await this.press(key)
      const first = await at()
      const passed = [first]
      for (let left = FAR; left > 0; left--) {
        await this.press(key)
        const { name, tag, isSeen } = await this.focus()
        // Beyond the last thing of a page there is the browser.
        if (tag === 'BODY') continue
        assert.ok(isSeen, `the focus on “${name}” (${tag}) can be seen`)
        const here = await at()
        // A field for a date has several parts.
        if (here === first && passed.at(-1) !== first) return new Set(passed)
        passed.push(here)
      }
      assert.fail(`the ${key} key does not come round`)
    }
    const [on, back] = [await round('Tab'), await round('Shift+Tab')]
    const takes = await this.page.evaluate(() => {
      const all = document.querySelectorAll('a[href], button, input, select, textarea, summary')
      const shown = [...all].filter((one) => one.checkVisibility() && !one.matches(':disabled'))
      return shown.map((one) => ({ at: window.numbered.get(one) ?? -1, html: one.outerHTML.slice(0, 120) }))
    })
    assert.deepEqual(
      takes.filter(({ at }) => !on.has(at) || !back.has(at)),
      [],
      'what the Tab key does not come by',
    )
    assert.equal(takes.length, on.size)
    assert.equal(takes.length, back.size)
  }
}
