// What was copied last, for a moment: beside its button, and told once to who cannot see it.

const SHOWN = 2_000

let last = $state.raw<object>()

export const clipboard = {
  /** Whether `by` has just copied. */
  has: (by: object) => last === by,
  /** Whether somebody has. */
  get isTold() {
    return last !== undefined
  },
  /** False where the browser does not let the page write there: the text can still be selected. */
  async copy(text: string, by: object): Promise<boolean> {
    try {
      await navigator.clipboard.writeText(text)
    } catch {
      return false
    }
    last = by
    setTimeout(() => {
      if (last === by) last = undefined
    }, SHOWN)
    return true
  },
}
