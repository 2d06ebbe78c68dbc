import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { MOST, readSaleFile, sha256 } from '../../src/lib/saleFile.ts'

const file = (bytes: Uint8Array<ArrayBuffer> | string) => new File([bytes], 'sale.toml')

test('a file is read to the byte: what is hashed is what was chosen', async () => {
  for (const text of ['[sale]\r\nname = "Äther"\n', '\ufeff[sale]', ' \n', 'x'.repeat(MOST)]) {
    const chosen = file(text)
    const read = await readSaleFile(chosen)
    assert.ok('file' in read)
    assert.equal(read.file.text, text)
    const hash = createHash('sha256').update(read.file.text).digest('hex')
    assert.equal(await sha256(chosen), `0x${hash}`)
  }
})

test('what is no sale file is told apart', async () => {
  const fault = async (chosen: File) => {
    const read = await readSaleFile(chosen)
    return 'fault' in read ? read.fault.kind : 'none'
  }
  assert.equal(await fault(file('')), 'empty')
  assert.equal(await fault(file('x'.repeat(MOST + 1))), 'tooLarge')
  assert.equal(await fault(file(new Uint8Array([0x61, 0xff]))), 'notText')
})
