/** Moves a reader on by what it has read. */
import type { Entry, Page } from "./EventLogBackend.ts"
import type { Position } from "./EventLogPosition.ts"

/** What a reader finds behind its position. */
export interface Advance {
  readonly entries: ReadonlyArray<Entry>
  /** Whether the topic has further events behind `position`. */
  readonly isBehind: boolean
  /** Why the reader has missed events; undefined if it has not. */
  readonly lost: "expired" | "unknown" | undefined
  /** The position behind the entries; the end of the topic for a reader that has missed events. */
  readonly position: Position
}

const noEntries: ReadonlyArray<Entry> = []

/** Compares a position with a page that was read behind it. */
export const advance = (position: Position, page: Page): Advance => {
  const { first, generation, last } = page
  const lost = (reason: "expired" | "unknown"): Advance => ({
    entries: noEntries,
    isBehind: false,
    lost: reason,
    position: { generation, sequence: last }
  })
  if (generation === 0) {
    return position.generation === 0
      ? { entries: noEntries, isBehind: false, lost: undefined, position }
      : lost("unknown")
  }
  if (position.generation !== 0 && position.generation !== generation) return lost("unknown")
  const { sequence } = position
  if (sequence > last) return lost("unknown")
  if (sequence + 1 < first) return lost("expired")
  const entries: Array<Entry> = []
  for (const entry of page.entries) {
    // What follows a gap is read again.
    if (entry.sequence !== sequence + 1 + entries.length) break
    entries.push(entry)
  }
  const end = sequence + entries.length
  return {
    entries,
    isBehind: end < last,
    lost: undefined,
    position: { generation, sequence: end }
  }
}
