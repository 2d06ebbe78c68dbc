// Where the visitor is, by the address bar alone.

import { parse, type Route } from './router.ts'

let current = $state<Route>(parse(location.hash))

window.addEventListener('hashchange', () => {
  current = parse(location.hash)
})

export const route = {
  get current() {
    return current
  },
  go(hash: string) {
    location.hash = hash
  },
}
