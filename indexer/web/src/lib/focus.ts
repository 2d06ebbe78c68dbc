// Whoever goes by keyboard or by ear stands where the focus is. The browser puts it back to the top of the page when what has it goes
// away: a button that has done its work, a card whose time is over, a dialog whose opener is gone. Here it goes to what has come in that
// place, else to the heading of the part that it stood in.

/** From what had the focus up to the page, as it was then. */
type Trail = Element[]

const trails: { page: Trail; dialog: Trail } = { page: [], dialog: [] }

const isShown = (one: Element) => one.isConnected && one.checkVisibility()
const takes = (one: Element) => isShown(one) && !one.matches(':disabled')

/** Whether the focus is on nothing. What was hidden has it until the page is drawn, and then no more. */
function isLost(): boolean {
  const on = document.activeElement
  return on === null || on === document.body || !isShown(on)
}

/** Where an element is, for what is remembered. */
const layerOf = (one: Element) => (one.closest('dialog') ? 'dialog' : 'page')

/** What takes the focus in the place of something that was in `one`; none where that is for a part around it to say. */
function placeIn(one: Element): HTMLElement | undefined {
  if (one.matches('[data-takes-over]')) {
    const all = [...one.querySelectorAll<HTMLElement>('button, a[href], input, select, textarea, summary')]
    return all.find(takes)
  }
  const heading = one.matches('main') ? one.querySelector('h1') : ofLabel(one)
  if (!(heading instanceof HTMLElement) || !takes(heading)) return undefined
  if (heading.tabIndex < 0) heading.tabIndex = -1
  return heading
}

function ofLabel(one: Element): Element | null {
  const id = one.matches('section, dialog') ? one.getAttribute('aria-labelledby') : null
  return id === null ? null : document.getElementById(id)
}

function mend() {
  if (!isLost()) return
  const trail = document.querySelector('dialog[open]') ? trails.dialog : trails.page
  for (const one of trail.slice(1)) {
    const place = isShown(one) ? placeIn(one) : undefined
    if (!place) continue
    place.focus({ preventScroll: true })
    // Who points and clicks does not follow the focus, and is left where they look.
    if (place.matches(':focus-visible')) place.scrollIntoView({ block: 'nearest' })
    return
  }
}

/** Watches over the focus, as long as the page lives. */
export function keepFocus() {
  document.addEventListener('focusin', ({ target }) => {
    if (!(target instanceof Element)) return
    const trail: Trail = []
    for (let one: Element | null = target; one; one = one.parentElement) trail.push(one)
    trails[layerOf(target)] = trail
  })
  // Who clicks beside everything wants the focus nowhere. What goes away is gone by the time that this is asked.
  document.addEventListener('focusout', ({ target, relatedTarget }) => {
    if (relatedTarget !== null || !(target instanceof Element)) return
    queueMicrotask(() => {
      if (document.activeElement === document.body && takes(target)) trails[layerOf(target)] = []
    })
  })
  new MutationObserver(mend).observe(document.body, {
    subtree: true,
    childList: true,
    attributes: true,
    attributeFilter: ['hidden', 'open'],
  })
}
