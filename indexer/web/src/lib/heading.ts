// Who reads by ear or goes by keyboard begins a new screen at its heading: the next one that is shown takes the focus.

let isWanted = false

export const heading = {
  want() {
    isWanted = true
  },
  /** Whether the focus is to go to the heading that asks; once. */
  take(): boolean {
    const wanted = isWanted
    isWanted = false
    return wanted
  },
}
