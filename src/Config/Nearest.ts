/** Finds the known name that a misspelled one most likely means. */

const distance = (left: string, right: string): number => {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let row = 1; row <= left.length; row++) {
    const current = [row]
    for (let column = 1; column <= right.length; column++) {
      const substitution = left[row - 1] === right[column - 1] ? 0 : 1
      current.push(
        Math.min(
          (current[column - 1] ?? 0) + 1,
          (previous[column] ?? 0) + 1,
          (previous[column - 1] ?? 0) + substitution
        )
      )
    }
    previous = current
  }
  return previous[right.length] ?? 0
}

/** Removes case, underscores and hyphens from a key, so that `DRAIN_TIMEOUT` equals `drainTimeout`. */
export const normalize = (key: string): string => key.replaceAll(/[-_]/g, "").toLowerCase()

/**
 * Returns the candidate that a misspelled name most likely means, or `undefined` if no candidate is
 * close. A close candidate differs by at most one edit per three characters, or by two edits if the
 * name is short. If several are equally close, the first in the alphabet is returned.
 */
export const nearest = (name: string, candidates: Iterable<string>): string | undefined => {
  const wanted = normalize(name)
  let best: string | undefined
  let bestDistance = Infinity
  for (const candidate of [...candidates].sort()) {
    const edits = distance(wanted, normalize(candidate))
    const limit = Math.min(Math.max(2, Math.floor(wanted.length / 3)), candidate.length - 1)
    if (edits <= limit && edits < bestDistance) {
      best = candidate
      bestDistance = edits
    }
  }
  return best
}
