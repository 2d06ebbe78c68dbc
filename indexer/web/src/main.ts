import { mount } from 'svelte'
import App from './App.svelte'
import './app.css'
import { chains } from './lib/chains.svelte.ts'
import { source } from './lib/source.ts'
import { theme } from './lib/theme.svelte.ts'
import { transactions } from './lib/transactions.svelte.ts'
import { wallets } from './lib/wallets.svelte.ts'

const target = document.getElementById('app')
if (!target) throw new Error('the page has no place to be mounted in')
theme.apply()
wallets.start()
source.setWallet(() => {
  const { connection } = wallets
  return (
    connection && {
      chain: connection.chain,
      ask: (method, params) => connection.wallet.provider.request({ method, params }),
    }
  )
})
chains.start()
transactions.start()
mount(App, { target })
source.prepare()
