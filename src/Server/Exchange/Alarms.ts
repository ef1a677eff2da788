/** Calls functions at given times, with one timer for all of them. */
import { longestTimer } from "../../Config/Timer.ts"
import { afterArrivals } from "../../Plugin/Arrivals.ts"
import { Bag } from "./Bag.ts"

/** How exactly a time is met, in milliseconds. */
const step = 10

/**
 * Alarms on one clock. Most of them are stopped before they ring: setting and stopping one adds to and
 * removes from a bag, and the timer is that of the earliest.
 */
export class Alarms {
  readonly #due = new Map<number, Bag<() => void>>()
  readonly #now: () => number
  #next = Infinity
  #timer: NodeJS.Timeout | undefined

  /** `now` returns milliseconds of a monotonic clock. */
  constructor(now: () => number) {
    this.#now = now
  }

  /**
   * Calls `ring` at a time of the clock or up to 10 ms later. Returns the function that stops the alarm.
   * Data that arrived before the time, while the process was busy, is handled first.
   */
  set(at: number, ring: () => void): () => void {
    const slot = Math.ceil(at / step)
    let rings = this.#due.get(slot)
    if (rings === undefined) this.#due.set(slot, (rings = new Bag()))
    const remove = rings.add(ring)
    if (slot < this.#next) this.#schedule(slot)
    return () => {
      remove()
      if (rings.size === 0 && this.#due.get(slot) === rings) this.#due.delete(slot)
    }
  }

  #schedule(slot: number): void {
    this.#next = slot
    clearTimeout(this.#timer)
    const delay = Math.min(Math.max(0, slot * step - this.#now()), longestTimer)
    this.#timer = setTimeout(() => afterArrivals(this.#ring), delay)
    // What waits for an alarm keeps the process alive, not the alarm.
    this.#timer.unref()
  }

  readonly #ring = (): void => {
    const now = Math.floor(this.#now() / step)
    const due: Array<Bag<() => void>> = []
    let next = Infinity
    for (const [slot, rings] of this.#due) {
      if (slot > now) next = Math.min(next, slot)
      else {
        due.push(rings)
        this.#due.delete(slot)
      }
    }
    this.#next = Infinity
    if (next < Infinity) this.#schedule(next)
    // A ring may stop others that are due.
    for (const rings of due) for (let ring = rings.take(); ring; ring = rings.take()) ring()
  }
}
