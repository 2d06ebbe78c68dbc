// Routes live behind the `#`: a file server needs to know nothing of them.

export type Route =
  | { page: 'directory'; q: string; state: string; chain: string }
  | { page: 'sale'; chain: number; sale: string }
  | { page: 'contribute'; chain: number; sale: string }
  | { page: 'positions'; address: string }
  | { page: 'status' }
  | { page: 'team' }
  | { page: 'team-sale'; chain: number; sale: string }
  | { page: 'desk'; chain: number; sale: string }
  | { page: 'unknown'; path: string }

export function parse(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#/, '').split('?', 2)
  const parts = path.split('/').filter((part) => part !== '')
  const values = new URLSearchParams(query)
  const value = (name: string) => values.get(name) ?? ''
  if (parts.length === 0) return { page: 'directory', q: value('q'), state: value('state'), chain: value('chain') }
  if (parts[0] === 'status' && parts.length === 1) return { page: 'status' }
  if (parts[0] === 'team' && parts.length === 1) return { page: 'team' }
  if (parts[0] === 'team' && isChain(parts[1]) && parts[2] !== undefined) {
    const [chain, sale] = [Number(parts[1]), decode(parts[2])]
    if (parts.length === 3) return { page: 'team-sale', chain, sale }
    if (parts.length === 4 && parts[3] === 'vouchers') return { page: 'desk', chain, sale }
  }
  if (parts[0] === 'positions' && parts.length <= 2) return { page: 'positions', address: decode(parts[1] ?? '') }
  if (parts[0] === 'sales' && isChain(parts[1]) && parts[2] !== undefined) {
    const [chain, sale] = [Number(parts[1]), decode(parts[2])]
    if (parts.length === 3) return { page: 'sale', chain, sale }
    if (parts.length === 4 && parts[3] === 'contribute') return { page: 'contribute', chain, sale }
  }
  return { page: 'unknown', path }
}

const isChain = (text: string | undefined) => /^\d{1,15}$/.test(text ?? '')

export function href(route: Exclude<Route, { page: 'unknown' }>): string {
  switch (route.page) {
    case 'directory': {
      const query = new URLSearchParams()
      for (const name of ['q', 'state', 'chain'] as const) if (route[name] !== '') query.set(name, route[name])
      const text = query.toString()
      return text === '' ? '#/' : `#/?${text}`
    }
    case 'sale':
      return `#/sales/${route.chain}/${route.sale}`
    case 'contribute':
      return `#/sales/${route.chain}/${route.sale}/contribute`
    case 'positions':
      return route.address === '' ? '#/positions' : `#/positions/${encodeURIComponent(route.address)}`
    case 'status':
      return '#/status'
    case 'team':
      return '#/team'
    case 'team-sale':
      return `#/team/${route.chain}/${route.sale}`
    case 'desk':
      return `#/team/${route.chain}/${route.sale}/vouchers`
  }
}

/** What cannot be decoded is shown as it was written. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
