import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { patient, PATIENCE, Silence, unlessSilent } from '../../src/lib/patience.ts'

/** A wallet whose answers the test gives. */
function held() {
  const waiting: { method: string; done: (value: unknown) => void; fail: (error: unknown) => void }[] = []
  const heard: boolean[] = []
  const provider = patient(
    {
      request: ({ method }) => new Promise((done, fail) => waiting.push({ method, done, fail })),
    },
    (isSilent) => heard.push(isSilent),
  )
  return { waiting, heard, provider }
}

test('what a wallet answers by itself is waited for so long, and what it asks a person for without a limit', async () => {
  mock.timers.enable({ apis: ['setTimeout'] })
  try {
    const { waiting, heard, provider } = held()
    const read = provider.request({ method: 'eth_getTransactionReceipt', params: ['0x1'] })
    const settled: string[] = []
    for (const method of [
      'eth_requestAccounts',
      'eth_sendTransaction',
      'eth_signTypedData_v4',
      'personal_sign',
      'wallet_sendCalls',
      'wallet_switchEthereumChain',
    ])
      void provider.request({ method }).then(
        () => settled.push(method),
        () => settled.push(method),
      )
    mock.timers.tick(PATIENCE)
    await assert.rejects(read, Silence)
    assert.deepEqual(heard, [true])
    mock.timers.tick(1_000 * PATIENCE)
    await Promise.resolve()
    assert.deepEqual(settled, [])
    waiting[1]?.done(['0xa'])
    await new Promise((done) => setImmediate(done))
    assert.deepEqual(settled, ['eth_requestAccounts'])
    // The answer that nobody waits for any more says that it is there again.
    waiting[0]?.done(null)
    await new Promise((done) => setImmediate(done))
    assert.deepEqual(heard, [true, false])
  } finally {
    mock.timers.reset()
  }
})

test('answers and errors come through as they are, and nothing is said of silence then', async () => {
  mock.timers.enable({ apis: ['setTimeout'] })
  try {
    const { waiting, heard, provider } = held()
    const answered = provider.request({ method: 'eth_chainId' })
    const failed = provider.request({ method: 'eth_call' })
    waiting[0]?.done('0x1')
    const error = Object.assign(new Error('reverted'), { code: 3, data: '0x' })
    waiting[1]?.fail(error)
    assert.equal(await answered, '0x1')
    await assert.rejects(failed, (one) => one === error)
    mock.timers.tick(PATIENCE)
    assert.deepEqual(heard, [false, false])
  } finally {
    mock.timers.reset()
  }
})

test('a provider is called as itself, and tells of its events', async () => {
  class Own {
    #account = '0xa'
    listeners: unknown[] = []
    async request() {
      return [this.#account]
    }
    on(event: string, listener: unknown) {
      this.listeners.push(event, listener)
    }
    removeListener() {
      this.listeners = []
    }
  }
  const own = new Own()
  const provider = patient(own, () => {})
  assert.deepEqual(await provider.request({ method: 'eth_accounts' }), ['0xa'])
  const listener = () => {}
  provider.on?.('chainChanged', listener)
  assert.deepEqual(own.listeners, ['chainChanged', listener])
  provider.removeListener?.('chainChanged', listener)
  assert.deepEqual(own.listeners, [])
})

test('where something says no, another value may stand; where nobody answers, none', () => {
  assert.equal(unlessSilent(0n)(new Error('reverted')), 0n)
  assert.throws(() => unlessSilent(0n)(new Silence()), Silence)
})
