import { mount } from 'svelte'
import App from './App.svelte'
import './app.css'
import { chains } from './lib/chains.svelte.ts'
import { theme } from './lib/theme.svelte.ts'

const target = document.getElementById('app')
if (!target) throw new Error('the page has no place to be mounted in')
theme.apply()
chains.start()
mount(App, { target })
