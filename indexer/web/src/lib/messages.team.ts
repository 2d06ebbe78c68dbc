// Words of the screens of teams and of their desk, loaded with them; otherwise as `messages.ts`.

export const t = {
  title: 'Team',
  intro:
    'Deploy a sale from its file, and run those that are yours. Everything goes through your wallet; this service holds no key of yours.',

  mine: {
    title: 'Your sales',
    connect: 'Connect a wallet to see the sales that it owns.',
    none: 'The connected account owns no sale that this service follows.',
    unread: 'The sales could not be read. They are tried again with the next block.',
    list: 'Sales of the connected account',
    open: 'Open another sale',
    openAbout: 'For the beneficiary, the compliance officer, the signer of vouchers and who a sale is offered to.',
    address: 'Address of the sale',
    chain: 'Chain',
    go: 'Open',
  },

  file: {
    title: 'Deploy a sale',
    about:
      'Choose the sale file, or drop it here. It is sent to this service to be checked by the rules of crowdsale sale lint, and nothing of it is kept there; nothing goes to the chain before you confirm it in your wallet.',
    choose: 'Sale file (TOML)',
    drop: 'or drop the file here',
    zone: 'Place for the file',
    chosen: (name: string, size: number) => `${name}, ${size} bytes`,
    forget: 'Take another file',
    kept: 'This tab keeps the file until it is closed, so that a reload goes on where you were.',
    checking: 'Checking the file…',
    notText: (name: string) =>
      `${name} is not UTF-8 text, so it is no sale file. Choose the .toml file, or save it as UTF-8.`,
    tooLarge: (name: string, size: number, most: number) =>
      `${name} has ${size} bytes; a sale file has at most ${most}. Check that it is the right file.`,
    empty: (name: string) => `${name} is empty. Choose the file that has the terms of the sale.`,
    several: 'Drop one file alone: the sale file.',
    problems: (errors: number, warnings: number) =>
      [
        errors > 0 ? `${errors} ${errors === 1 ? 'error' : 'errors'}` : '',
        warnings > 0 ? `${warnings} ${warnings === 1 ? 'warning' : 'warnings'}` : '',
      ]
        .filter((part) => part !== '')
        .join(' and '),
    notReady: 'The file is not ready. Nothing was sent. Mend it, and choose it again.',
    ready: 'The file has no errors.',
    severity: { error: 'Error', warning: 'Warning' },
    line: (line: number, key: string) => `Line ${line}, ${key}`,
    mend: 'Mend',
    noNode:
      'This service has no node of this chain, so it cannot tell the addresses. Whoever runs it has to name one with --rpc-url; or deploy with crowdsale sale deploy.',
  },

  plan: {
    title: 'What it comes to',
    last: 'Look it all over: once deployed, nobody can change it.',
    hash: 'SHA-256 of the file',
    addresses: 'Addresses',
    addressesAbout:
      'They follow from this file and the connected account. With another account or one changed letter they are others.',
    addressesLater: 'Connect the wallet that deploys to see which addresses the sale will have.',
    creator: 'Deployed by',
    factory: 'Factory',
    sale: 'Sale',
    vault: 'Vault',
    token: 'Token',
    newToken: (name: string, supply: string) => `${name}, created with the sale, ${supply} in all`,
    wallet: (index: number) => `Wallet of allocation ${index + 1}`,
    restricted: 'Only approved holders may have the token (ERC-1404).',
    terms: 'Terms',
    name: 'Name',
    mode: 'Price',
    opens: 'Opens',
    closes: 'Ends',
    soft: 'Goal (soft cap)',
    hard: 'Hard cap',
    limits: 'Each investor',
    forSale: 'For sale',
    phases: 'Phases',
    roles: 'Who can do what',
    owner: 'Owner: pauses, names the others, calls it off below the goal',
    beneficiary: 'Beneficiary: gets the money of a success',
    compliance: 'Compliance: may reject investors before the end',
    signer: 'Signs vouchers',
    unlocks: 'What is free when',
    unlock: {
      tokens: 'Tokens',
      money: 'Money',
      withdrawal: 'Change of mind',
      'team keeps': 'What the team keeps',
    } as Record<string, string>,
    outcomes: 'Every outcome',
    outcome: {
      created: 'When it is deployed',
      succeeded: 'If it reaches its goal',
      failed: 'If it ends below its goal',
      cancelled: 'If the owner calls it off',
    },
    receiver: {
      sale: 'the sale',
      wallet: 'the allocation’s wallet',
      owner: 'the owner',
      beneficiary: 'the beneficiary',
      investors: 'investors',
      burnt: 'nobody: destroyed',
    },
    unbounded: 'no bound',
  },

  away: {
    title: 'Deploy a sale',
    text: 'This copy of the page asks a node alone, and a sale file is checked by a service. Deploy from the command line: crowdsale sale lint FILE says what is wrong with it, and crowdsale sale deploy FILE deploys it.',
  },
  deploy: {
    title: 'Deploy it',
    connect:
      'Connect the wallet that deploys. It pays the network’s fee; the owner in the file may be another account.',
    steps: (count: number) => (count === 1 ? 'One transaction is left.' : `${count} transactions are left.`),
    approve:
      'First the factory is allowed to take exactly the tokens that are for sale and allocated. It can take nothing else, and only for a sale that you create.',
    create:
      'Then one transaction creates the sale with its vault, its wallets and its token, as a whole or not at all.',
    fee: (amount: string) => `The network’s fee is about ${amount} now. Your wallet shows the exact one.`,
    noFee: 'Your wallet shows the network’s fee.',
    agree: 'I have looked over the terms and every outcome.',
    done: 'This file is deployed already by this account. Nothing is left to be sent.',
    console: 'Run this sale',
    page: 'See it as investors do',
    resume:
      'If this is interrupted, come back with the same file and the same account: what is done is recognised, and not repeated.',
  },

  sale: {
    back: 'Team',
    title: (name: string) => `Run ${name}`,
    investors: 'See it as investors do',
    desk: 'Voucher desk',
    status: 'How it stands',
    roles: 'Roles',
    you: 'you',
    pending: 'Offered to',
    nobody: 'nobody',
    paused: 'Contributions are paused.',
    acts: 'What can be done',
    who: {
      owner: 'the owner',
      compliance: 'compliance',
      pending: 'who it is offered to',
    },
    only: (who: string, address: string) => `Only ${who}, ${address}, can do this.`,
    nobodyCan: (who: string) => `Only ${who} can do this, and there is none.`,
    yours: (who: string) => `Only ${who} can do this. That is the connected account.`,
    notYou: (account: string) => `The connected account is ${account}.`,
    anyone: 'Anybody can do this.',
    transactions: 'Your transactions here',
  },

  acts: {
    pause: {
      title: 'Pause contributions',
      text: 'Nobody can contribute until you let it go on. Refunds, claims, withdrawals and the closing are not affected, and the sale ends when it would have ended.',
    },
    resume: { title: 'Let contributions go on', text: 'Contributions are paused. From then on they are taken again.' },
    cancel: {
      title: 'Call the sale off',
      text: (raised: string, tokens: string) =>
        `For ever. Everybody can take back exactly what they paid: ${raised} in all. All ${tokens} that were for sale go back to the owner, and what was set aside for the team can be brought back. Possible before the end and below the goal alone.`,
      type: (name: string) => `Type the name of the sale, ${name}, to go on`,
    },
    close: {
      title: 'Close the sale',
      succeeds: (raised: string) =>
        `It has reached its goal: closing writes down the success for ever, with ${raised} kept.`,
      fails: (raised: string) =>
        `It has missed its goal: closing writes down the failure for ever, and everybody takes back their part of ${raised}.`,
      early: 'Everything is sold, so it can be closed before its end.',
      unsold: {
        burn: 'Tokens that were not sold are destroyed.',
        return: 'Tokens that were not sold go back to the owner.',
      },
    },
    release: {
      title: 'Pay the beneficiary what is due',
      text: (to: string) => `By the schedule of the terms. It goes to ${to}, whoever sends it.`,
      due: 'Due now',
      paid: 'Paid so far',
      left: 'Still to come, or to go back after an objection',
      nothing: 'Nothing is due now.',
      stopped: 'Investors have stopped the payments. Nothing more is paid.',
    },
    returnUnsold: {
      title: 'Send unsold tokens home',
      text: 'They have most often left with the closing. It is needed only where their token refused it then.',
    },
    vouchers: {
      title: 'Vouchers',
      now: (signer: string, epoch: string) => `Signed by ${signer}, epoch ${epoch}.`,
      void: 'All vouchers that were signed so far become worthless. Investors who have not contributed yet need new ones.',
      type: 'Type VOID to go on',
      word: 'VOID',
      name: 'Another signer takes the place of this one, and all vouchers signed so far become worthless.',
      replaced: (signer: string, shown: string) => ({
        sentence: `The contract names ${signer} as signer now, and this page still shows ${shown}.`,
        next: 'Wait until the page shows the new signer, and look whether the vouchers still have to be voided.',
      }),
      another: 'Another signer of vouchers',
      signer: 'Address of the new signer',
    },
    compliance: {
      title: 'Compliance officer',
      now: (officer: string) => `Now ${officer}.`,
      text: 'May reject investors before the end, and alone close a sale that is sold out early. Nothing else.',
      officer: 'Address of the new officer, or none',
      none: 'none',
    },
    reject: {
      title: 'Reject an investor',
      text: 'The position leaves the sale. Its money waits for that investor, at once and whatever the outcome; the address cannot contribute again. This cannot be undone.',
      investor: 'Address of the investor',
    },
    owner: {
      title: 'Ownership',
      text: 'Nothing changes before the other account takes it, and another offer takes the place of this one.',
      address: 'Address of the next owner',
      offered: (to: string) => `It is offered to ${to}.`,
      accept: 'From then on you own the sale.',
    },
    whitepaper: {
      title: 'Publish another whitepaper',
      text: 'Its SHA-256 is written on the chain; the file stays here. Earlier ones stay on record.',
      file: 'Whitepaper',
      uri: 'Where it is served (may be empty)',
      hash: 'SHA-256',
      uriFault: 'Write an address that begins with https:// or ipfs://, or leave it empty.',
    },
    allocations: {
      title: 'What the team keeps',
      to: 'For',
      vested: 'Vested',
      paid: 'Paid',
      from: 'None before',
      ends: 'All from',
      nothing: 'Nothing more is free now.',
      reclaim: 'The sale did not succeed: the tokens go back to its owner.',
    },
    holder: {
      title: 'Approve a holder',
      text: 'Only approved holders may have the token. Investors have to be approved before they can claim.',
      who: 'Only a registrar of the token can do this. The token is asked before your wallet is.',
      holder: 'Address of the holder',
    },
  },

  desk: {
    title: (name: string) => `Vouchers for ${name}`,
    back: (name: string) => `Run ${name}`,
    intro:
      'Sign a voucher for an investor whom you have checked, with the wallet of the sale’s signer. Nothing is sent, and nothing is kept here: hand the text to the investor.',
    byApi:
      'A desk with a system of its own asks this service: POST /v1/sales/{chain}/{sale}/vouchers, signed by the operator’s signer and kept for the investor, who then signs in to fetch it. That needs a key, and a key does not belong into a browser: this page does not do it.',
    none: 'No phase of this sale takes vouchers.',
    signer: 'Signs for this sale',
    epoch: 'Epoch',
    connect: 'Connect the wallet of the signer.',
    reading: 'Looking up who signs…',
    unread: 'The wallet’s node did not say who signs vouchers. Try again.',
    notSigner: (signer: string, account: string) =>
      `The vouchers of this sale are signed by ${signer}. The connected account is ${account}, and the sale would refuse what it signs. Connect the signer’s wallet.`,
    investor: 'Address of the investor',
    max: (symbol: string) => `May have paid in all, in ${symbol}`,
    phases: 'Phases',
    phase: (index: number, ends: string) => `Phase ${index + 1}, until ${ends}`,
    deadline: 'Good until (UTC)',
    deadlineAbout: (end: string) => `The last second that it is good for. The sale ends ${end}.`,
    fault: {
      nobody: 'The zero address is nobody’s.',
      phases: 'Choose a phase at least.',
      deadline: 'Write a date and a time.',
      over: (now: string) => `That is over: the chain’s clock is at ${now}.`,
      late: (end: string) => `The sale ends ${end}; a voucher need not be good for longer.`,
      early: 'It would end before the phases that it is for begin.',
      most: (max: string) => `The terms let an investor pay ${max} at most.`,
      least: (min: string) => `The terms ask an investor for ${min} at least.`,
    },
    sign: 'Sign the voucher',
    signing: 'Look at your wallet: it shows the voucher. Compare it before you sign.',
    declined: 'You declined. Nothing was signed.',
    failed: 'The wallet did not sign. It has to know eth_signTypedData_v4, and must be unlocked.',
    wrong:
      'The wallet signed with another account, or something else than it was shown: the sale would refuse it. Nothing was made.',
    done: 'The voucher',
    doneAbout: (investor: string, max: string, until: string) =>
      `For ${investor}, up to ${max} in all, until ${until}. Give this text to the investor, who pastes it when contributing.`,
    text: 'Voucher',
  },
}
