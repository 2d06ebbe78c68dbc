import { mount } from 'svelte'
import App from './App.svelte'
import './app.css'
import { chains } from './lib/chains.svelte.ts'
import { theme } from './lib/theme.svelte.ts'
import { transactions } from './lib/transactions.svelte.ts'
import { wallets } from './lib/wallets.svelte.ts'

const target = document.getElementById('app')
if (!target) throw new Error('the page has no place to be mounted in')
theme.apply()
chains.start()
wallets.start()
transactions.start()
mount(App, { target })
