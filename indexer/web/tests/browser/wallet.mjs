// A wallet for tests: it announces itself by EIP-6963 and speaks EIP-1193. The keys are the devnet's; what it is asked goes to the
// devnet's node past the page, as an extension's requests do.

/** Runs in the page, before its own scripts. */
function inject({ name, account, chain }) {
  const listeners = {}
  const tell = (event, value) => (listeners[event] ?? []).forEach((listener) => listener(value))
  // What a wallet knows outlives a reload of the page; a blank page has no storage, and needs no wallet.
  let kept = {}
  try {
    kept = JSON.parse(sessionStorage.getItem('test-wallet') ?? '{}')
  } catch {
    return
  }
  const wallet = { account, chain, connected: false, ...kept, declines: false, asked: [] }
  const keep = () => {
    const { account, chain, connected } = wallet
    sessionStorage.setItem('test-wallet', JSON.stringify({ account, chain, connected }))
  }
  window.testWallet = wallet
  wallet.use = (next) => {
    wallet.account = next
    keep()
    tell('accountsChanged', [next])
  }
  const refusal = (code, message, data) => Object.assign(new Error(message), { code, data })
  const provider = {
    on: (event, listener) => (listeners[event] = [...(listeners[event] ?? []), listener]),
    removeListener: (event, listener) =>
      (listeners[event] = (listeners[event] ?? []).filter((one) => one !== listener)),
    async request({ method, params = [] }) {
      wallet.asked.push(method)
      switch (method) {
        case 'eth_requestAccounts':
          if (wallet.declines) throw refusal(4001, 'User rejected the request.')
          wallet.connected = true
          keep()
          return [wallet.account]
        case 'eth_accounts':
          return wallet.connected ? [wallet.account] : []
        case 'eth_chainId':
          return wallet.chain
        case 'wallet_switchEthereumChain':
          if (params[0].chainId !== '0x7a69') throw refusal(4902, 'Unrecognized chain.')
          wallet.chain = params[0].chainId
          keep()
          tell('chainChanged', wallet.chain)
          return null
        case 'eth_sendTransaction':
          if (wallet.declines) throw refusal(4001, 'User rejected the request.')
      }
      const { result, error } = await window.askDevnet(method, params)
      if (error) throw refusal(error.code, error.message, error.data)
      return result
    },
  }
  const icon =
    'data:image/svg+xml,%3Csvg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"%3E%3Ccircle cx="4" cy="4" r="4"/%3E%3C/svg%3E'
  const detail = Object.freeze({ info: { uuid: `uuid-of-${name}`, name, icon, rdns: 'test.wallet' }, provider })
  const announce = () => window.dispatchEvent(new CustomEvent('eip6963:announceProvider', { detail }))
  window.addEventListener('eip6963:requestProvider', announce)
  announce()
}

export async function addWallet(context, world, { name = 'Test Wallet', account, chain = '0x7a69' }) {
  await context.exposeFunction('askDevnet', async (method, params) => {
    try {
      return { result: await world.rpc(method, params) }
    } catch ({ code, message, data }) {
      return { error: { code, message, data } }
    }
  })
  await context.addInitScript(inject, { name, account, chain })
}
