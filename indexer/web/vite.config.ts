import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'

// Where `npm run dev` finds a running `crowdsale serve` or `crowdsale up`.
const api = process.env.CROWDSALE_API ?? 'http://127.0.0.1:8080'

export default defineConfig({
  // Relative, so that the built page works under any path and from any file server.
  base: './',
  plugins: [svelte()],
  build: {
    target: 'es2022',
    // Nothing becomes a data: URL or a piece of script within the page: the policy of its server allows neither.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  // The contracts' ABIs lie beside the indexer.
  server: { proxy: { '/v1': api }, fs: { allow: ['../..'] } },
  preview: { proxy: { '/v1': api } },
})
