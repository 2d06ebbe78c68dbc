// Fails if what a browser loads before the page is there is more than so many bytes, each file gzipped as the server sends it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

const [folder, limit] = [process.argv[2], Number(process.argv[3])]
const html = readFileSync(join(folder, 'index.html'), 'utf8')
if (/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=/.test(html)) {
  console.error('error: index.html has script or style within it, which the policy of the page forbids')
  process.exit(1)
}
const names = ['index.html', ...[...html.matchAll(/(?:src|href)="\.?\/?([^"#]+\.(?:js|css|svg))"/g)].map(([, name]) => name)]
let total = 0
for (const name of names) total += gzipSync(readFileSync(join(folder, name))).length
console.error(`web: the first load is ${total} bytes gzipped in ${names.length} files, of ${limit}`)
if (names.length < 3 || total > limit) {
  console.error('error: the first load is too large, or its files were not found')
  process.exit(1)
}
