import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'svelte/compiler'

// From where it is compiled to.
const SRC = new URL('../../../src/', import.meta.url)
const components = readdirSync(SRC, { recursive: true })
  .map(String)
  .filter((name) => name.endsWith('.svelte'))

/** What somebody reads or hears. */
const SAID = ['alt', 'aria-label', 'aria-description', 'aria-roledescription', 'label', 'placeholder', 'title']

interface Node {
  type?: string
  name?: string
  data?: string
  value?: unknown
}

/** Words in the markup, and in attributes that are said. A letter alone stands for itself. */
function words(part: unknown, found: string[], isSaid = true): string[] {
  if (Array.isArray(part)) for (const each of part) words(each, found, isSaid)
  else if (part !== null && typeof part === 'object') {
    const node = part as Node
    if (node.type === 'Text' && isSaid && /\p{L}{2}/u.test(node.data ?? '')) found.push(String(node.data).trim())
    const isAttribute = node.type === 'Attribute'
    for (const [key, value] of Object.entries(part))
      if (key !== 'metadata') words(value, found, isAttribute ? SAID.includes(node.name ?? '') : isSaid)
  }
  return found
}

test('no screen has words of its own: a translation needs the messages alone', () => {
  assert.ok(components.length > 40, `${components.length} components`)
  const own = components.flatMap((name) => {
    const { fragment } = parse(readFileSync(new URL(name, SRC), 'utf8'), { modern: true })
    return words(fragment, []).map((text) => `${name}: ${text}`)
  })
  assert.deepEqual(own, [])
})

test('and the test finds them', () => {
  const of = (markup: string) => words(parse(markup, { modern: true }).fragment, [])
  assert.deepEqual(of('<p class="big">Hello {name}</p>'), ['Hello'])
  assert.deepEqual(of('<img alt="A chart" src="x" />'), ['A chart'])
  assert.deepEqual(of('{#if a}<b>{b}</b>{:else}none{/if}'), ['none'])
  assert.deepEqual(of('<p class="big">{m.hello} · {name}</p>'), [])
})
