/** The lines that an edit adds and removes. */

/** Returns the removed lines after `-` and the added ones after `+`, without those that remain. */
export const lines = (before: string, after: string): ReadonlyArray<string> => {
  const [old, now] = [before.split(/\r?\n/), after.split(/\r?\n/)]
  const found: Array<string> = []
  let [i, j] = [0, 0]
  while (i < old.length || j < now.length) {
    if (i < old.length && old[i] === now[j]) {
      i++
      j++
      continue
    }
    // The nearest line at which both continue.
    const added = i < old.length ? now.indexOf(old[i]!, j) - j : now.length - j
    const removed = j < now.length ? old.indexOf(now[j]!, i) - i : old.length - i
    if (added > 0 && (removed <= 0 || added <= removed)) {
      for (const line of now.slice(j, j + added)) found.push(`+ ${line}`)
      j += added
    } else if (removed > 0) {
      for (const line of old.slice(i, i + removed)) found.push(`- ${line}`)
      i += removed
    } else found.push(`- ${old[i++]}`, `+ ${now[j++]}`)
  }
  return found
}
