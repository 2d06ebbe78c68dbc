// Links that open this page in the browser of a wallet app, in the form that each maker documents.

export interface AppLink {
  name: string
  href: string
}

/** @param at Where this page is. Only what can be reached from a telephone is of use there. */
export function appLinks(at: string): AppLink[] {
  const encoded = encodeURIComponent(at)
  return [
    // Its address stands in the path as it is, without its scheme.
    { name: 'MetaMask', href: `https://link.metamask.io/dapp/${at.replace(/^https?:\/\//, '')}` },
    { name: 'Coinbase Wallet', href: `https://go.cb-w.com/dapp?cb_url=${encoded}` },
    { name: 'Trust Wallet', href: `https://link.trustwallet.com/open_url?coin_id=60&url=${encoded}` },
    {
      name: 'OKX Wallet',
      href: `https://web3.okx.com/download?deeplink=${encodeURIComponent(`okx://wallet/dapp/url?dappUrl=${encoded}`)}`,
    },
    { name: 'imToken', href: `imtokenv2://navigate/DappView?url=${encoded}` },
  ]
}
