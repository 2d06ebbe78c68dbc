// Light or dark: as the system has it, unless the visitor chose.

export type Theme = 'system' | 'light' | 'dark'

const KEY = 'crowdsale.theme'
const known = (value: string | null): Theme => (value === 'light' || value === 'dark' ? value : 'system')

let chosen = $state<Theme>(known(read()))

export const theme = {
  get chosen() {
    return chosen
  },
  choose(value: Theme) {
    chosen = value
    try {
      localStorage.setItem(KEY, value)
    } catch {
      // Without storage the choice lasts as long as the page.
    }
    theme.apply()
  },
  apply() {
    if (chosen === 'system') delete document.documentElement.dataset['theme']
    else document.documentElement.dataset['theme'] = chosen
  },
}

function read(): string | null {
  try {
    return localStorage.getItem(KEY)
  } catch {
    return null
  }
}
