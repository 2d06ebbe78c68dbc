// All words of the page, in one language: here, and in the files beside this one whose names begin as its does. They are parted because
// what is loaded later, as the words of a contract's errors or of teams, must not weigh on the first load. A translation is other objects of
// these shapes; a test finds words that stand elsewhere.
//
// The words are for people who have never bought a token: plain, exact, and honest about what can go wrong. Money is never said
// to be safe; what is said is where it is and who can move it.

import { type AmountFault, percent } from './amount.ts'
import { moreKinds } from './messages.kinds.ts'
import { silence } from './messages.silence.ts'
import { days } from './time.ts'

const short = (address: string) => `${address.slice(0, 6)}…${address.slice(-4)}`
const plural = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`

export const m = {
  language: 'en',
  product: 'Crowdsale',
  skip: 'Skip to the content',
  navigation: 'Main',
  pages: { directory: 'Sales', positions: 'My positions', status: 'Status', team: 'Team' },
  titled: (page: string) => `${page} – Crowdsale`,

  theme: { name: 'Colours', system: 'As the system', light: 'Light', dark: 'Dark' },

  loading: 'Loading…',
  again: 'Try again',
  more: 'Show more',
  and: 'and',
  none: '—',
  copy: 'Copy',
  copied: 'Copied',
  copyOf: (what: string) => `Copy ${what}`,

  /** Where a figure or a list cannot be had. */
  failure: {
    down: {
      title: 'The service cannot be reached',
      text: 'This page could not get its figures: your connection or the service is down. Nothing about the sale or your money changes by that; both are on the chain.',
    },
    garbled: {
      title: 'The service gave an answer that this page does not understand',
      text: 'The page may be older than the service. Reload it; if this goes on, tell whoever runs this service.',
    },
    busy: {
      title: 'Too many requests for a moment',
      text: 'The service asks to wait a little. The page tries again by itself.',
    },
    problem: { title: 'The service could not answer' },
    notFound: {
      title: 'There is no such sale here',
      text: 'This service follows no sale at this address on this chain. Check the link: a made-up sale is a common fraud.',
    },
    reorged: 'The list changed while you read it, because the network reorganised. It starts anew.',
    requestId: (id: string) => `Request ${id}`,
  },

  unknownPage: {
    title: 'There is no such page',
    text: 'The link may be cut off or mistyped.',
    action: 'See all sales',
  },

  banner: {
    down: 'The service does not answer. What you see may be old; it is refreshed as soon as the service is back.',
    stale: (age: string) =>
      `The service does not answer. These figures are ${age} old; they are refreshed as soon as it is back.`,
    halted: (chain: number) =>
      `The index of chain ${chain} has stopped, so its figures stand still and may be incomplete. The sale itself goes on: contracts do not need this service.`,
    silent: (chain: number, since: string) =>
      `The service has not heard from its node of chain ${chain} for ${since}. Figures are as of then.`,
    starting: (chain: number) => `Chain ${chain} is being read for the first time. Sales appear as they are found.`,
    behind: (chain: number, blocks: number) =>
      `Figures of chain ${chain} are ${plural(blocks, 'block', 'blocks')} behind the network. What happened since is not shown yet.`,
    quiet: (chain: number, age: string) =>
      `Chain ${chain} has made no block for ${age}, by the node that is asked: the network or that node stands still. Figures are as of then. Nothing opens, ends or is paid before the next block.`,
    errors: (chain: number) => `Something on chain ${chain} could not be read: its figures may be incomplete.`,
    wrongChain: (wallet: number, sale: number) =>
      `Your wallet is on chain ${wallet}, this sale is on chain ${sale}. You can read everything; to act, switch the wallet.`,
  },

  meta: {
    asOf: (block: number, time: string) => `As of block ${block}, ${time}`,
    chain: (id: number) => `Chain ${id}`,
  },

  live: {
    live: 'Live',
    connecting: 'Connecting…',
    lost: 'Not live: trying to connect again',
    still: 'Not live: no new blocks',
  },

  finality: {
    latest: 'Included',
    safe: 'Safe',
    finalized: 'Final',
    reorged: 'Pending again',
    lost: 'Not in the chain',
    about: {
      latest: 'In a block, which the network could still replace.',
      safe: 'In a block that the network is very unlikely to replace.',
      finalized: 'In a block that the network will not replace.',
      reorged: 'The network reorganised and its block is gone. It most often comes back in another block.',
      lost: 'It has not come back. If it was yours, its money is in your wallet still.',
    },
    gone: (count: number) =>
      `The network reorganised. ${plural(count, 'contribution is', 'contributions are')} pending again; checking whether it comes back.`,
  },

  state: {
    upcoming: 'Upcoming',
    open: 'Open',
    ended: 'Ended, not closed',
    succeeded: 'Succeeded',
    failed: 'Failed',
    cancelled: 'Cancelled',
  },

  mode: {
    fixed_price: 'Fixed price',
    pro_rata: 'Pro rata',
    dutch_auction: 'Dutch auction',
  },
  modeAbout: {
    fixed_price: 'Each phase has its price. First come, first served, until the hard cap.',
    pro_rata:
      'Everybody can contribute until the end. If more than the hard cap comes in, everybody gets the same share of what they asked for, and the rest of the money back.',
    dutch_auction: 'The price falls with time. In the end everybody pays the same, lowest price.',
  },

  directory: {
    title: 'Sales',
    intro: 'Every sale that this service follows, as the chain tells it.',
    search: 'Name or symbol',
    searchButton: 'Search',
    state: 'State',
    chain: 'Chain',
    all: 'All',
    list: 'List of sales',
    empty: 'No sale has been created on the chains that this service follows.',
    emptyFiltered: 'No sale matches. Try fewer letters or another state.',
    clear: 'Show all sales',
    raised: 'raised',
    of: (share: string) => `${share} of the goal`,
    token: (symbol: string, currency: string) => `${symbol} for ${currency}`,
    opens: (span: string) => `Opens in ${span}`,
    closes: (span: string) => `Ends in ${span}`,
    due: 'Opens with the next block',
    dueEnd: 'Ends with the next block',
    ended: (time: string) => `Ended ${time}`,
    settled: { succeeded: 'Reached its goal', failed: 'Missed its goal', cancelled: 'Called off by its owner' },
  },

  progress: {
    label: (raised: string, soft: string, hard: string) => `${raised} raised; goal ${soft}; hard cap ${hard}`,
    raised: 'Raised',
    soft: 'Goal (soft cap)',
    hard: 'Hard cap',
    reached: 'The goal is reached',
    missing: (amount: string) => `${amount} to the goal`,
    missed: (amount: string) => `missed by ${amount}`,
    above: (share: string) => `More came in than is kept: ${share} of the hard cap`,
  },

  sale: {
    back: 'All sales',
    by: 'Address of the sale',
    tokenAddress: 'Address of the token',
    currencyAddress: 'Address of the payment token',
    ownerAddress: 'Owner',
    beneficiaryAddress: 'Receives the money after a success',
    vaultAddress: 'Vault that pays it out',
    complianceAddress: 'May reject investors',
    action: 'What you can do now',
    moneyNext: 'What happens to the money',
    eligibility: {
      title: 'Can you take part?',
      address: 'Your address',
      check: 'Check',
      open: (phase: number) => `Phase ${phase}: yes, it is open to everybody.`,
      voucher: (phase: number) =>
        `Phase ${phase}: with a voucher. Ask the team for one; they usually have to know who you are.`,
      listed: (phase: number, max: string) => `Phase ${phase}: yes, you are on its list, with up to ${max}.`,
      notListed: (phase: number) => `Phase ${phase}: no, this address is not on its list.`,
      listUnknown: (phase: number) => `Phase ${phase}: this service does not have its list. Ask the team.`,
      failed: (phase: number) => `Phase ${phase}: the service could not say. Try again in a moment.`,
    },
    countdown: {
      opens: 'Opens in',
      closes: 'Ends in',
      next: 'Next price in',
      due: 'With the next block',
    },
    when: { opens: 'Opens', closes: 'Ends' },

    upcoming: {
      title: (time: string) => `It opens ${time}`,
      text: 'Nobody can contribute before. You need a wallet with enough money and a little ether for the network’s fee.',
      action: 'Check whether you can take part',
      money:
        'From the opening on, the contract of the sale holds what investors pay. Nobody else can move it: not the team, not this service.',
    },
    open: {
      title: 'It is open',
      action: 'Contribute',
      paused: 'The owner has paused contributions. Claims and refunds are not affected; nobody can pause those.',
      pausedNext: (owner: string, end: string, coolingOff: string | undefined) =>
        `Only the owner, ${short(owner)}, can let them go on, and may do so at any time: this page shows it with the next block. Until then nothing can be paid in${coolingOff === undefined ? '' : `, and who has paid can still withdraw, for ${coolingOff} after the latest contribution`}. The sale ends all the same, ${end}.`,
      resume: 'Let contributions go on',
      soldOut: 'Everything is sold.',
      soldOutTitle: 'It is sold out',
      /** What comes next in a sale that is sold out, by who can close it before its end. */
      early: {
        anybody:
          'Everything is sold, so anybody can close it now, before its end: that writes down whether the goal was reached. It costs the one who does it the network’s fee alone.',
        compliance: (officer: string, end: string) =>
          `Everything is sold. The compliance officer, ${short(officer)}, can close it now; everybody else, from its end on, ${end}. Until it is closed, the officer can reject investors, whose part is then for sale again.`,
        officer:
          'Everything is sold, so you, its compliance officer, can close it now, before its end. After that, you can reject nobody any more.',
        nobody: (end: string, coolingOff: string) =>
          `Everything is sold. It waits for its end, ${end}, and nobody can close it before: for ${coolingOff} after their latest contribution investors can still withdraw, and their part is then for sale again.`,
      },
      money: (goal: string) =>
        `Until the end, the contract of the sale holds the money. If less than ${goal} comes in, or the sale is called off, you take back exactly what you paid; this page shows how.`,
      moneySoldOut: (goal: string, raised: string, isReached: boolean, isEarly: boolean) =>
        `Until it is closed${isEarly ? ', which can be before its end,' : ''} the contract of the sale holds the money. ${isReached ? `With ${raised} the goal of ${goal} is reached: from the closing on, the money goes to the team by the terms of the sale, and you claim your tokens.` : `${raised} is below the goal of ${goal}: after the closing you take back exactly what you paid; this page shows how.`}`,
    },
    ended: {
      title: 'It has ended, and waits to be closed',
      action: 'Close the sale',
      text: 'Anybody can close it: that writes down whether the goal was reached. It costs the one who does it the network’s fee alone.',
      money:
        'The contract of the sale still holds all the money. Closing decides whether it goes on to the team or back to investors.',
    },
    succeeded: {
      title: 'It reached its goal',
      action: 'Claim your tokens',
      text: 'Investors take their tokens.',
      money: (released: string) =>
        `The money goes to the team’s account by the terms of the sale. So far ${released} have been paid out.`,
    },
    failed: {
      title: 'It missed its goal',
      action: 'Get your money back',
      text: 'Everybody gets back exactly what they paid, at any time. There is no deadline.',
      money: (refunded: string, raised: string, held: string) =>
        `${refunded} of ${raised} have gone back to investors; the contract holds ${held} for the others.`,
    },
    cancelled: {
      title: 'It was called off',
      action: 'Get your money back',
      text: 'Its owner called the sale off. Everybody gets back exactly what they paid, at any time. There is no deadline.',
    },

    deal: 'The deal',
    price: 'Price now',
    firstPrice: 'Price at the opening',
    nextPrice: 'Next price',
    perToken: (symbol: string) => `for 1 ${symbol}`,
    noPrice: 'There is no price now.',
    falls: 'falling until the end of the phase',
    from: (time: string) => `from ${time}, or when this phase is sold out`,
    limits: 'Each investor',
    limitsText: (min: string, max: string) => `from ${min} to ${max} in all`,
    forSale: 'For sale',
    unsold: { burn: 'What is not sold is destroyed.', return: 'What is not sold goes back to the owner.' },
    plain: 'Free to be passed on.',
    restricted: 'Only approved holders may have the token (ERC-1404): ask the team before you contribute.',

    phases: 'Phases',
    phase: 'Phase',
    starts: 'From',
    ends: 'Until',
    phasePrice: 'Price',
    phaseCap: 'Until raised',
    who: 'Who',
    gate: { open: 'Everybody', voucher: 'With a voucher', merkle: 'On its list' },
    gateAbout: {
      open: '',
      voucher: 'The team gives you a voucher, usually after you have identified yourself.',
      merkle: 'Only addresses on a list that the team has published can take part.',
    },
    nowMark: 'now',

    calculator: 'What do you get?',
    amount: (symbol: string) => `Amount in ${symbol}`,
    gets: 'You get',
    getsLeast: 'You get at least',
    getsMost: 'You get at most',
    atPrice: (price: string) => `at ${price}`,
    useLeft: (amount: string) => `Use ${amount}`,
    split: 'Your amount crosses into the next phase:',
    splitPart: (amount: string, tokens: string, phase: number) => `${amount} in phase ${phase} buys ${tokens}`,
    quotedAt:
      'By the price at this moment of the chain. The contract decides with the block that takes your contribution in.',
    auctionNote: 'The price can only fall, so it can become more.',
    prorataNote:
      'If more than the hard cap comes in, all get less in the same measure, and the rest of the money back.',

    wayOut: 'The way out',
    refundAfterSuccess: 'The goal was reached, so the money is not refunded.',
    refundIf: (goal: string) =>
      `If the sale ends below ${goal}, or is called off, you get back all you paid, to the last unit. You start that yourself, at any time; there is no deadline, and nobody can stop it.`,
    coolingOff: (span: string) =>
      `You can change your mind for ${span} after your latest contribution, as long as the sale runs: then you get everything back.`,
    noCoolingOff: 'There is no time to change your mind: once paid, the money stays until the outcome.',
    compliance:
      'A compliance officer can reject an investor before the end. The money then goes back to that investor, whatever the outcome.',
    vestingNone: 'After a success, you can take all your tokens at once.',
    vesting: (atOnce: number, cliff: number, duration: number) =>
      `After a success, ${percent(atOnce)} of your tokens are free at once${cliff > 0 ? `, nothing more for ${days(cliff)}` : ''}; all of them after ${days(duration)}.`,
    tapNone: 'After a success, the team gets all the money at once.',
    tap: (atOnce: number, duration: number) =>
      `After a success, the team gets ${percent(atOnce)} of the money at once, and the rest little by little over ${days(duration)}.`,
    objection: (share: number) =>
      `If investors of more than ${percent(share)} of the money object, the payments stop, and the rest goes back to investors.`,
    noObjection: 'Investors cannot stop these payments.',

    documents: 'Documents',
    saleFile: 'Terms of the sale',
    whitepaper: 'Whitepaper',
    superseded: (version: string) => `Whitepaper, version ${version}`,
    hash: 'SHA-256',
    noUri: 'no address was given; ask the team for the file',
    noDocument: 'None was named',
    documentsAbout: 'The chain has the hash of each document. A file that has another hash is another file.',

    totals: 'So far',
    investors: 'Investors',
    contributions: 'Contributions',
    sold: 'Allotted',
    held: 'Held by the contract',
    refunded: 'Refunded',
    withdrawn: 'Withdrawn',
    claimed: 'Claimed',
    released: 'Paid to the team',
    unsettled: (count: number, isAll: boolean) =>
      `${isAll ? '' : 'At least '}${plural(count, 'contribution is', 'contributions are')} not final yet.`,

    latest: 'Contributions',
    latestEmpty: 'There are none yet.',
    investor: 'Investor',
    paid: 'Paid',
    tokens: 'Tokens',
    time: 'Time',
    finality: 'Finality',
    transaction: 'Transaction',
    activity: 'What happened',
    activityEmpty: 'Nothing yet.',
    addresses: 'Addresses',
    addressesAbout: 'Compare them with what the team has published. The name of a sale proves nothing.',
  },

  activity: {
    sale_created: 'The sale was created',
    token_created: 'Its token was created',
    allocation_created: 'The team set tokens aside for itself',
    opened: 'The sale opened',
    contributed: 'Contribution',
    excess_returned: 'Ether beyond what could be taken went back',
    withdrawn: 'An investor withdrew',
    rejected: 'Compliance rejected an investor',
    pause_changed: 'Contributions were paused or resumed',
    voucher_signer_changed: 'Another signer of vouchers was named',
    compliance_changed: 'The compliance officer was changed',
    ownership_offered: 'The sale was offered to another owner',
    ownership_transferred: 'The sale has another owner',
    whitepaper_superseded: 'A new whitepaper was published',
    closed: 'The sale was closed',
    cancelled: 'The sale was called off',
    unsold_returned: 'Unsold tokens left the sale',
    settled: 'An investor’s share was written down',
    claimed: 'An investor took tokens',
    refunded: 'An investor got the money back',
    excess_refunded: 'Money beyond an investor’s share went back',
    swept: 'The money went to the vault',
    released: 'Money was paid to the team',
    objected: 'An investor objected to the payments',
    tap_stopped: 'Investors stopped the payments to the team',
    rest_refunded: 'An investor got a share of the rest',
    allocation_released: 'Tokens set aside for the team were paid out',
    allocation_reclaimed: 'Tokens set aside for the team came back',
    holder_set: 'Who may hold the token was changed',
    contract_admitted: 'A contract was admitted as holder of the token',
    contract_uri_changed: 'The description of the token was changed',
    token_role_changed: 'A role of the token was changed',
  } as Record<string, string>,
  activityUnknown: (kind: string) => `Something this page has no word for (${kind})`,

  positions: {
    title: 'My positions',
    intro:
      'What an address has paid into every sale, and what it can do now. Anybody can look at any address: the chain is public.',
    address: 'Address',
    show: 'Show',
    useWallet: 'Use the address of my wallet',
    fault: {
      empty: 'Paste an address. It begins with 0x.',
      form: 'This is no address: one has 0x and 40 digits from 0 to 9 and a to f.',
      checksum: 'One letter of this address is wrong: its capitals do not fit. Copy it again from where you have it.',
    },
    empty: 'This address has no part in any sale that this service follows.',
    list: 'Positions',
    paid: 'Paid',
    tokens: 'Tokens',
    claimable: 'Can be claimed now',
    refundable: 'Can be taken back now',
    withdrawable: 'Can be withdrawn now',
    claimed: 'Claimed',
    refunded: 'Taken back',
    withdrawn: 'Withdrawn',
    nextUnlock: 'Next tokens are free',
    coolingOffUntil: 'Can be withdrawn until',
    open: (name: string) => `See ${name}`,
    total: (claimable: number, refundable: number) =>
      [
        claimable > 0 ? `${plural(claimable, 'position has', 'positions have')} tokens to claim` : '',
        refundable > 0 ? `${plural(refundable, 'position has', 'positions have')} money to take back` : '',
      ]
        .filter((text) => text !== '')
        .join('; '),
    status: {
      contributed: 'You have paid. The sale still runs.',
      cooling_off: 'You have paid, and can still withdraw.',
      withdrawn: 'You have withdrawn, and have your money back.',
      rejected: 'Compliance rejected this position. Its money waits for you.',
      rejected_refunded: 'Compliance rejected this position. Its money is back.',
      awaiting_close: 'The sale has ended. Once it is closed, you get tokens or your money back.',
      refundable: 'The sale did not succeed. Your money waits for you.',
      refunded: 'The sale did not succeed. You have your money back.',
      claimable: 'The sale succeeded. Your tokens wait for you.',
      vesting: 'The sale succeeded. More of your tokens become free with time.',
      rest_refundable: 'Investors stopped the payments. Your share of the rest waits for you.',
      completed: 'You have everything that is yours from this sale.',
    } as Record<string, string>,
    action: {
      contribute: 'Contribute more',
      wait: 'Nothing to do now',
      close: 'Close the sale',
      claim: 'Claim tokens',
      refund: 'Take the money back',
      none: 'Nothing left to do',
    } as Record<string, string>,
  },

  status: {
    title: 'Status',
    intro: 'How far this service has read the chain. The figures of this page are true at the indexed block.',
    chain: (id: number) => `Chain ${id}`,
    state: {
      starting: 'Beginning',
      running: 'Running',
      silent: 'Does not hear from its node',
      halted: 'Stopped',
      quiet: 'No new blocks',
    } as Record<string, string>,
    rows: {
      state: 'Indexer',
      indexed: 'Indexed block',
      head: 'Newest block of the node',
      safe: 'Safe block',
      finalized: 'Final block',
      behind: 'Behind',
      age: 'Age of the indexed block',
      time: 'Time of the chain',
      sales: 'Sales',
      factory: 'Factory',
      quarantined: 'Events that could not be read',
      genesis: 'First block of the chain',
    },
    blocks: (count: number) => plural(count, 'block', 'blocks'),
    version: (version: string) => `Version ${version} of the service`,
    api: 'What programs can ask',
    empty: 'This service follows no chain yet.',
  },

  amount: (fault: AmountFault, symbol: string): string => {
    switch (fault.kind) {
      case 'empty':
        return 'Write how much you want to contribute.'
      case 'comma':
        return 'Write the amount without commas; decimals go behind a point, as in 1234.5.'
      case 'space':
        return `Write the amount without spaces: ${fault.meant}.`
      case 'exponent':
        return 'Write the amount out, without an exponent.'
      case 'sign':
        return 'Write the amount without a sign.'
      case 'point':
        return 'Write the amount with at most one point, as in 1234.5.'
      case 'characters':
        return 'Write the amount with digits and a point alone, as in 1234.5.'
      case 'decimals':
        return `${symbol} has at most ${plural(fault.most, 'decimal', 'decimals')}.`
      case 'zero':
        return 'Write an amount above zero.'
      case 'huge':
        return 'This is more than there can be.'
    }
  },

  wallet: {
    connect: 'Connect wallet',
    title: 'Choose a wallet',
    connected: 'Your wallet',
    disconnect: 'Disconnect',
    close: 'Close',
    asking: (name: string) =>
      `Look at ${name}: it asks you something. If nothing opens there, choose another wallet, or close this and choose it again.`,
    switching:
      'Look at your wallet: it asks you something. If nothing opens there, change the chain in the wallet itself, or disconnect it here and connect it again.',
    injected: 'The wallet of this browser',
    none: 'No wallet was found in this browser.',
    noneHelp:
      'A wallet is a program that keeps your keys, most often an extension of the browser or an app with a browser in it. Install one from its maker’s own page, and come back; or open this page in the browser of your wallet app.',
    apps: 'If you have one of these apps, open this page in it',
    noneNever: 'This page never asks for a private key or a recovery phrase. Nobody honest does.',
    fault: {
      declined: 'You declined. The wallet was not connected.',
      waiting: 'The wallet is asking you already: open it.',
      unknown_chain: 'Your wallet does not know this chain. Add it there first.',
      silent: silence.connect,
      failed: 'The wallet did not answer as it should. Unlock it and try again.',
    },
    wrongChain: (wallet: number, sale: number) => `Your wallet is on chain ${wallet}; this sale is on chain ${sale}.`,
    switch: (chain: number) => `Switch the wallet to chain ${chain}`,
    account: (account: string) => `with ${short(account)}`,
  },

  act: {
    label: {
      contribute: 'Contribute',
      claim: 'Claim your tokens',
      refund: 'Get your money back',
      withdraw: 'Withdraw your contribution',
      close: 'Close the sale',
      approve: 'Allow the sale to take it',
      ...moreKinds.label,
    },
    trying: 'Trying it first…',
    cannot: 'It would not go through',
    unsaid: {
      sentence: 'The node would not say why it would not go through.',
      next: 'Check that your wallet has enough ether for the amount and the network’s fee.',
    },
    declined: { sentence: 'You declined. Nothing was signed and nothing was sent.', next: 'You can try again.' },
    use: (amount: string) => `Use ${amount}`,
    claimable: 'Yours to claim now',
    refundable: 'Yours to take back',
    withdrawable: 'You can still change your mind about',
    withdrawUntil: (time: string) =>
      `Until ${time}, as long as the sale runs. It all comes back, and your part in the sale ends.`,
    nothingToClaim: 'This wallet has nothing to claim here now.',
    nothingToRefund: 'This wallet has nothing to take back here: it paid nothing, or has had it.',
    excess: 'and back',
    reading: 'Looking up what is yours…',
    unread: 'The wallet’s node did not say what is yours. Try again.',
  },

  review: {
    title: (name: string) => `Contribute to ${name}`,
    back: (name: string) => `Back to ${name}`,
    step: 'Check before you confirm',
    next: 'Review',
    change: 'Change the amount',
    pay: 'You pay',
    get: 'You get',
    from: 'From',
    to: 'To the contract of the sale',
    fee: 'The network’s fee comes on top. Your wallet shows it.',
    later: 'You get the tokens after a success, when you claim them.',
    confirm: 'Confirm in the wallet',
    paidSoFar: (paid: string) => `This wallet has paid ${paid} into this sale so far.`,
    balance: (balance: string) => `Your wallet has ${balance}.`,
    voucher: 'Voucher',
    voucherHelp: 'The text that the team gave you. It begins with 0x.',
    voucherFault: 'A voucher begins with 0x, and then has digits from 0 to 9 and a to f alone.',
    notListed: 'This address is not on the list of the phase that is open now.',
    listUnknown:
      'The list of this phase is not with this service, so this page cannot prove that you are on it. Ask the team.',
    approveFirst: (amount: string) =>
      `Two steps: first you allow the contract of the sale to take exactly ${amount}, then you contribute. Each is a transaction with a fee.`,
    batch: (amount: string) =>
      `One step: your wallet allows the contract of the sale to take exactly ${amount} and contributes, in one transaction that happens as a whole or not at all.`,
    permit: (amount: string) =>
      `Your wallet asks twice. First to sign that the contract of the sale may take exactly ${amount}: that is no transaction and costs nothing. Then to send the contribution.`,
    signing: 'Sign the permission in your wallet. It costs nothing and sends nothing.',
    bySignature: 'Sign and contribute',
    approveInstead: 'Allow it with a transaction instead',
    odd: 'Permissions by signature work in this token in a way that this page cannot check, so none is asked for.',
    unsigned:
      'The permission by signature did not work in this wallet or with this token. It works with a transaction.',
    unbatched: 'Your wallet does not send both in one transaction after all.',
    ways: 'Looking up how your wallet can pay…',
    nodeSilent:
      'Your wallet’s node does not answer, so this page cannot see what your wallet has and how it can pay. It asks your wallet to sign or send nothing before that; what was sent stays in the list above. Look in your wallet whether it is online, or choose another node for this network there. This page asks again with the next block.',
    reset:
      'This token changes a permission only from nothing: the one that the sale has already is taken back first, by one more transaction.',
    takeBack: 'Take the old permission back',
    notOpen: 'This sale takes no contributions now.',
    feeLeft: 'That is all your wallet has; leave some for the network’s fee.',
  },

  /** What comes after a contribution that was not sent, or not as a whole. */
  retry: {
    again: (amount: string) => `Try again with ${amount}`,
    partly: {
      title: 'Look first at what went through',
      text: 'Your wallet says that a part of your contribution went through and a part did not. To pay again without looking could pay twice, so the form waits until you have looked.',
      paid: (paid: string) => `By the chain, this wallet has paid ${paid} into this sale so far.`,
      allowed: (amount: string) => `The contract of the sale may take ${amount} from it.`,
      connect: 'Connect the wallet to see what it has paid into this sale.',
      go: 'I have looked: contribute again',
    },
  },

  payCode: {
    title: 'Pay from a wallet on another device',
    text: 'Scan this with the wallet on your telephone: it holds the contract of the sale and the amount. The address that pays is the one that gets the tokens, or the money back.',
    warning: 'Never pay from an account at an exchange: the tokens would belong to the exchange.',
    amountFirst: 'Write an amount first.',
    picture: (amount: string) => `Code that asks a wallet to pay ${amount} to the contract of the sale`,
    open: 'Open in a wallet on this device',
  },

  chart: {
    title: 'Raised by day',
    label: 'Bars: what came in each day. Line: what was raised in all. The table below has the figures.',
    legend: 'Bars: each day. Line: in all. Dashed: the goal; dotted: the hard cap, once it is near.',
    table: 'As a table',
    day: 'Day (UTC)',
    raised: 'Contributed that day',
    total: 'Raised in all',
    investors: 'New investors',
  },

  transaction: {
    title: {
      contribute: 'Contribution',
      claim: 'Claim',
      refund: 'Refund',
      withdraw: 'Withdrawal',
      close: 'Closing the sale',
      approve: 'Permission for the sale to take your tokens',
      ...moreKinds.title,
    },
    list: 'Your transactions here',
    hash: 'Transaction',
    dismiss: 'Remove from this list',
    spedUp: 'Sped up.',
    /** Of one that is over while another might have been. */
    settled: {
      interrupted:
        'The page was closed while your wallet asked, and nothing like it was sent since. If the wallet still asks, decline it there.',
      cancelled: 'Cancelled for good: another transaction of yours took its place.',
      reverted: 'It failed, and that is final: nothing was moved but the fee.',
    },
    unconnected: 'Connect the wallet to see how it goes on.',
    byIndex:
      'Your wallet is not connected, so this is what the index of this service knows. It has a transaction once it is in a block. To see one that still waits, has failed or was replaced, connect the wallet.',
    unkept:
      'This browser does not keep it for this page: if you close the page, look in your wallet for how it went on.',
    signatures: (given: number, threshold: number) =>
      `${given} of ${plural(threshold, 'signature', 'signatures')} on the chain. Those that are given in the Safe’s app are counted there, and are not seen here before it is sent.`,
    unfound:
      'Your wallet’s node does not show which one: look in your wallet whether it did the same before you try again.',
    idless:
      'Your wallet has taken it and given no number for it, so this page cannot follow it. Look there for how it goes on; what it did shows in the sale once it is in a block.',
    opaque:
      'Your account is a contract, so its wallet may send this under another number. Look there for how it goes on; what it did shows in the sale once it is in a block.',
    safeHash: 'In the Safe',
    moved: 'Your wallet went to another account or another chain meanwhile. Look at what it shows now, and try again.',
    state: {
      awaiting_wallet: 'Confirm in your wallet',
      interrupted: 'Interrupted',
      rejected: 'Declined',
      refused: 'Not sent',
      multisig: 'Waiting for signatures',
      pending: 'Pending',
      dropped: 'Dropped',
      cancelled: 'Cancelled',
      included: 'Included',
      reverted: 'Failed',
      partial: 'Went through in part',
      final: 'Final',
      reorged: 'Pending again',
    },
    text: {
      awaiting_wallet: 'Confirm in your wallet.',
      interrupted:
        'The page was closed while your wallet asked. Look in the wallet whether it was sent before you try again.',
      rejected: 'You declined. Nothing was sent.',
      refused: 'The wallet did not send it. Nothing was paid.',
      multisig: 'Your Safe has it. It is sent once enough of its owners have signed; you can close this page.',
      pending: 'Sent. You can close this page.',
      dropped: 'Not mined; it is safe to retry.',
      cancelled: 'Cancelled: another transaction of yours took its place.',
      included: 'Included. It is final in some minutes.',
      reverted: 'It was in a block, but failed: nothing was moved but the fee.',
      partial:
        'Your wallet says that only a part of it went through. Look there at what was sent before you try again.',
      final: 'Final. The network will not take it back.',
      reorged: 'The network reorganised; checking again.',
    },
  },

  limits: {
    belowMinimum: (min: string, paid: string | undefined) =>
      paid === undefined ? `The least is ${min}.` : `The least is ${min} in all, and you have paid ${paid}.`,
    aboveMaximum: (max: string, paid: string | undefined) =>
      paid === undefined
        ? `The most is ${max} an investor.`
        : `The most is ${max} an investor, and you have paid ${paid}.`,
    aboveBalance: (balance: string) => `Your wallet has ${balance}.`,
    nothingLeft: 'Everything is sold.',
    buysNothing: 'This buys less than the smallest part of a token.',
  },
}

export type Messages = typeof m
