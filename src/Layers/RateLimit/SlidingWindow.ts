/**
 * Sliding windows: at most `limit` units in any time of the length of the window.
 *
 * A window remembers when units were taken. Up to 64 units it has each exactly. For a greater limit,
 * times are rounded up to the next of 64 parts of the window, so that units are forgotten up to a part
 * too late and never too early.
 */
import { millis, type Rule, type Taken } from "./Rule.ts"

/** The parts of a window whose times are rounded, and the limit up to which they are not. */
export const parts = 64

/** The units taken at a time. */
interface Entry {
  /** Unix milliseconds. */
  at: number
  units: number
}

/** The state of a window: the units that were taken, oldest first. */
export interface Window {
  readonly entries: Array<Entry>
}

/** Returns a window in which nothing was taken. */
export const make = (): Window => ({ entries: [] })

/** Returns the time under which units that are taken now are remembered. */
const rounded = ({ limit, windowMillis }: Rule, now: number): number => {
  if (limit <= parts) return now
  const part = windowMillis / parts
  return Math.ceil(now / part) * part
}

const add = (entries: Array<Entry>, at: number, units: number): void => {
  const last = entries.at(-1)
  if (last?.at === at) last.units += units
  else entries.push({ at, units })
}

/** Forgets what is no longer in the window. */
const forget = ({ entries }: Window, rule: Rule, now: number): void => {
  const latest = rounded(rule, now)
  // After the clock was set back, units of the future count as taken now.
  let future = 0
  while (entries.length > 0 && entries.at(-1)!.at > latest) future += entries.pop()!.units
  if (future > 0) add(entries, latest, future)
  const first = entries.findIndex(({ at }) => at > now - rule.windowMillis)
  entries.splice(0, first === -1 ? entries.length : first)
}

/** Returns what the window says about a request. No unit is taken. */
export const check = (window: Window, rule: Rule, now: number): Taken => {
  forget(window, rule, now)
  const { entries } = window
  const used = entries.reduce((sum, { units }) => sum + units, 0)
  let missing = used + rule.cost - rule.limit
  let waitMillis = 0
  for (const { at, units } of entries) {
    if (missing <= 0) break
    missing -= units
    waitMillis = millis(at + rule.windowMillis - now)
  }
  return {
    // Under an earlier policy more may have been taken.
    remaining: Math.max(0, rule.limit - used),
    resetMillis: millis((entries[0]?.at ?? rounded(rule, now)) + rule.windowMillis - now),
    waitMillis
  }
}

/** Takes the units of a request that `check` has let pass. */
export const take = ({ entries }: Window, rule: Rule, now: number): void =>
  add(entries, rounded(rule, now), rule.cost)
