// Words about a wallet that does not answer. Otherwise as `messages.ts`.

const NEXT = 'Open or unlock it and try again. If it stays silent, reload this page: what was sent stays in its list.'

export const silence = {
  wallet: `Your wallet did not answer. ${NEXT}`,
  act: { sentence: 'Your wallet did not answer, so it was not tried and nothing was sent.', next: NEXT },
  /** As long as it has not answered since. */
  banner:
    'Your wallet does not answer, so what this page asks it may be missing or old. This page goes on asking. Open or unlock the wallet; if it stays silent, reload this page: what was sent stays in its list.',
  connect: `The wallet did not answer. Open or unlock it and try again; if it stays silent, reload this page.`,
}
