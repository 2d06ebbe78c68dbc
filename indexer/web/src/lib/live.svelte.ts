// What happens in a sale, as it happens: server-sent events. A connection that breaks is taken up by the browser where it broke off
// (`Last-Event-ID`); where the service refuses that, the page reads anew.
//
// Over HTTP/1.1 a browser holds six connections to a host, for all of its tabs. So a tab that nobody sees holds none: it would starve the
// others, and what it missed it reads when it is seen again.

import type { FeedEvent } from './api.ts'

export type LiveState = 'connecting' | 'live' | 'lost'

const FIRST_PAUSE = 2_000
const LONGEST_PAUSE = 30_000

export class Live {
  state = $state<LiveState>('connecting')
  #source: EventSource | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #pause = FIRST_PAUSE

  /**
   * @param url The stream.
   * @param hear Called with each event.
   * @param read Called when everything has to be read anew.
   */
  constructor(
    private readonly url: string,
    private readonly hear: (event: FeedEvent) => void,
    private readonly read: () => void,
  ) {
    document.addEventListener('visibilitychange', this.#seen)
    this.#seen()
  }

  close() {
    document.removeEventListener('visibilitychange', this.#seen)
    this.#shut()
  }

  #seen = () => {
    this.#shut()
    this.state = 'connecting'
    if (document.visibilityState !== 'hidden') this.#open()
  }

  #shut() {
    clearTimeout(this.#timer)
    this.#source?.close()
  }

  #open() {
    const source = new EventSource(this.url)
    this.#source = source
    source.addEventListener('ready', () => {
      this.state = 'live'
      this.#pause = FIRST_PAUSE
      // What was read before the stream began may lack what came in between.
      this.read()
    })
    source.addEventListener('reset', () => this.read())
    source.onopen = () => {
      this.state = 'live'
    }
    source.onerror = () => {
      this.state = 'lost'
      // An error of the network is the browser's to mend; after an answer that is no stream it gives up.
      if (source.readyState !== EventSource.CLOSED) return
      source.close()
      this.#timer = setTimeout(() => this.#open(), this.#pause)
      this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE)
    }
    for (const type of TYPES) source.addEventListener(type, (event) => this.#heard(event))
    source.onmessage = (event) => this.#heard(event)
  }

  #heard(event: MessageEvent<string>) {
    try {
      this.hear(JSON.parse(event.data) as FeedEvent)
    } catch {
      // Something newer than this page: what it changed is read.
      this.read()
    }
  }
}

const STAGED = ['contribution', 'withdrawal', 'rejection', 'claim', 'refund', 'release', 'objection']
const TYPES = [
  ...['created', 'opened', 'closed', 'cancelled', 'tap_stopped', 'finalized', 'reorged'].map((what) => `sale.${what}`),
  ...STAGED.flatMap((what) => ['observed', 'finalized', 'reorged'].map((stage) => `${what}.${stage}`)),
]
