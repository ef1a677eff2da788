/** What clients saw. */
import type { Outcome } from "./Replica.ts"

/** Figures of an interval. Times are in milliseconds, rates per second. */
export interface Figures {
  readonly errors: number
  readonly goodput: number
  readonly offered: number
  readonly p50: number
  readonly p99: number
  readonly refused: number
}

interface Ended {
  readonly at: number
  readonly outcome: Outcome
  readonly since: number
}

export class Recorder {
  readonly #ended: Array<Ended> = []

  record(since: number, at: number, outcome: Outcome): void {
    this.#ended.push({ at, outcome, since })
  }

  /** Returns the figures of the requests that began in the interval. */
  between(from: number, until: number): Figures {
    const all = this.#ended.filter(({ since }) => since >= from && since < until)
    const took = all
      .filter(({ outcome }) => outcome === "ok")
      .map(({ at, since }) => at - since)
      .sort((a, b) => a - b)
    const seconds = (until - from) / 1000
    const at = (share: number) => took[Math.floor((took.length - 1) * share)] ?? Infinity
    const refused = all.filter(({ outcome }) => outcome === "refused").length
    return {
      errors: all.length - took.length,
      goodput: took.length / seconds,
      offered: all.length / seconds,
      p50: at(0.5),
      p99: at(0.99),
      refused
    }
  }

  /**
   * Returns the seconds from `from` until three seconds in a row in which 95% of the requests succeeded
   * within `within` milliseconds; undefined if no such seconds are before `until`.
   */
  recovery(from: number, until: number, within: number): number | undefined {
    const seconds = Math.floor((until - from) / 1000)
    const good = Array.from({ length: seconds }, () => 0)
    const all = Array.from({ length: seconds }, () => 0)
    for (const { at, outcome, since } of this.#ended) {
      const second = Math.floor((since - from) / 1000)
      if (second < 0 || second >= seconds) continue
      all[second]!++
      if (outcome === "ok" && at - since <= within) good[second]!++
    }
    let row = 0
    for (let second = 0; second < seconds; second++) {
      row = all[second]! > 0 && good[second]! >= 0.95 * all[second]! ? row + 1 : 0
      if (row === 3) return second - 2
    }
    return undefined
  }
}
