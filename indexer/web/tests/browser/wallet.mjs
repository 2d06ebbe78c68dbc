// A wallet for tests: it announces itself by EIP-6963 and speaks EIP-1193. The keys are the devnet's; what it is asked goes to the
// devnet's node past the page, as an extension's requests do.

/** Runs in the page, before its own scripts. */
function inject({ name, account, chain, knows, isLegacy, isSafe, atomic }) {
  const listeners = {}
  const tell = (event, value) => (listeners[event] ?? []).forEach((listener) => listener(value))
  // What a wallet knows outlives a reload of the page; a blank page has no storage, and needs no wallet.
  const key = `test-wallet ${name}`
  let kept = {}
  try {
    kept = JSON.parse(sessionStorage.getItem(key) ?? '{}')
  } catch {
    return
  }
  const wallet = {
    ...{ account, chain, connected: false, batches: {}, ...kept },
    // What it does not do, or says whatever it is asked; each as long as it is set.
    ...{ declines: false, isBusy: false, refuses: {}, answers: {}, atomic },
    // What happens when it is asked for something, before it answers.
    ...{ when: {}, asked: [] },
  }
  const keep = () => {
    const { account, chain, connected, batches } = wallet
    sessionStorage.setItem(key, JSON.stringify({ account, chain, connected, batches }))
  }
  window.testWallet = wallet
  window.testWallets = { ...window.testWallets, [name]: wallet }
  wallet.use = (next) => {
    wallet.account = next
    keep()
    tell('accountsChanged', [next])
  }
  wallet.goTo = (next) => {
    wallet.chain = next
    keep()
    tell('chainChanged', next)
  }
  /** Holds what it is asked for until somebody answers. */
  wallet.hold = (method) => {
    wallet.when[method] = () => new Promise((done) => (wallet.release = done))
  }
  const refusal = (code, message, data) => Object.assign(new Error(message), { code, data })
  const ask = async (method, params) => {
    const { result, error } = await window.askDevnet(method, params)
    if (error) throw refusal(error.code, error.message, error.data)
    return result
  }
  const provider = {
    on: (event, listener) => (listeners[event] = [...(listeners[event] ?? []), listener]),
    removeListener: (event, listener) =>
      (listeners[event] = (listeners[event] ?? []).filter((one) => one !== listener)),
    async request({ method, params = [] }) {
      wallet.asked.push(method)
      await wallet.when[method]?.(params)
      if (wallet.refuses[method]) throw refusal(wallet.refuses[method], 'The wallet does not do this.')
      if (wallet.answers[method]) return wallet.answers[method]
      switch (method) {
        case 'eth_requestAccounts':
          if (wallet.isBusy) throw refusal(-32002, 'Already processing eth_requestAccounts. Please wait.')
          if (wallet.declines) throw refusal(4001, 'User rejected the request.')
          wallet.connected = true
          keep()
          return [wallet.account]
        case 'eth_accounts':
          return wallet.connected ? [wallet.account] : []
        case 'eth_chainId':
          return wallet.chain
        case 'wallet_switchEthereumChain':
          if (!knows.includes(params[0].chainId)) throw refusal(4902, 'Unrecognized chain.')
          if (wallet.declines) throw refusal(4001, 'User rejected the request.')
          wallet.goTo(params[0].chainId)
          return null
        case 'eth_sendTransaction':
          if (wallet.declines) throw refusal(4001, 'User rejected the request.')
          // Its app keeps it for the owners, and tells its own hash of it.
          if (isSafe) return window.askSafe(params[0])
          break
        case 'personal_sign':
        case 'eth_signTypedData_v4':
          if (wallet.declines) throw refusal(4001, 'User rejected the request.')
          break
        case 'wallet_getCapabilities':
          if (!wallet.atomic) throw refusal(-32601, 'No such method.')
          return { [params[1][0]]: { atomic: { status: wallet.atomic } } }
        case 'wallet_sendCalls': {
          if (wallet.declines) throw refusal(4001, 'User rejected the request.')
          const { id, hash } = await window.askBatch(params[0])
          wallet.batches[id] = hash
          keep()
          return { id }
        }
        case 'wallet_getCallsStatus': {
          if (!(params[0] in wallet.batches)) throw refusal(5730, 'Unknown bundle id.')
          const hash = wallet.batches[params[0]]
          const receipt = hash && (await ask('eth_getTransactionReceipt', [hash]))
          const about = { version: '2.0.0', id: params[0], chainId: wallet.chain, atomic: true }
          if (!receipt) return { ...about, status: 100 }
          return { ...about, status: receipt.status === '0x1' ? 200 : 500, receipts: [receipt] }
        }
      }
      return ask(method, params)
    },
  }
  if (isLegacy) {
    window.ethereum = provider
    return
  }
  const icon =
    'data:image/svg+xml,%3Csvg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"%3E%3Ccircle cx="4" cy="4" r="4"/%3E%3C/svg%3E'
  const rdns = name === 'Test Wallet' ? 'test.wallet' : `test.${name.toLowerCase().replaceAll(' ', '.')}`
  const detail = Object.freeze({ info: { uuid: `uuid-of-${name}`, name, icon, rdns }, provider })
  const announce = () => window.dispatchEvent(new CustomEvent('eip6963:announceProvider', { detail }))
  window.addEventListener('eip6963:requestProvider', announce)
  announce()
}

const withNode = new WeakSet()

/**
 * @param knows Chains that it can go to.
 * @param isLegacy Whether it does not announce itself, and stands where wallets once stood.
 * @param safe Where it speaks for a Safe: `ask(call)`, which gives the Safe's hash.
 * @param batch Where it takes several calls: `ask(calls)`, which gives the batch's `id`, and the `hash` of its transaction or null.
 */
export async function addWallet(
  context,
  world,
  { name = 'Test Wallet', account, chain = '0x7a69', knows = ['0x7a69'], isLegacy = false, safe, batch, atomic },
) {
  if (!withNode.has(context)) {
    withNode.add(context)
    await context.exposeFunction('askDevnet', async (method, params) => {
      try {
        return { result: await world.rpc(method, params) }
      } catch ({ code, message, data }) {
        return { error: { code, message, data } }
      }
    })
  }
  if (safe) await context.exposeFunction('askSafe', safe)
  if (batch) await context.exposeFunction('askBatch', batch)
  await context.addInitScript(inject, { name, account, chain, knows, isLegacy, isSafe: safe !== undefined, atomic })
}
