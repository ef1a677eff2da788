/** The times at which a job is due. They depend on its schedule alone, so that all processes agree. */
import * as Cron from "effect/Cron"

/** A schedule: a cron expression, or an interval in milliseconds. */
export type Schedule =
  | { readonly cron: Cron.Cron; readonly text: string; readonly type: "cron" }
  | { readonly millis: number; readonly text: string; readonly type: "every" }

/**
 * Returns the first due time after `time`, in Unix milliseconds. Those of an interval are its multiples
 * since 1970-01-01T00:00:00Z.
 */
export const next = (schedule: Schedule, time: number): number =>
  schedule.type === "every"
    ? (Math.floor(time / schedule.millis) + 1) * schedule.millis
    : Cron.next(schedule.cron, new Date(time)).getTime()

/** Returns the due times after `from` until `to`, oldest first: the newest `limit` of them. */
export const between = (
  schedule: Schedule,
  from: number,
  to: number,
  limit: number
): ReadonlyArray<number> => {
  const found: Array<number> = []
  let time = to + 1
  while (found.length < limit) {
    time =
      schedule.type === "every"
        ? (Math.ceil(time / schedule.millis) - 1) * schedule.millis
        : Cron.prev(schedule.cron, new Date(time)).getTime()
    if (time <= from) break
    found.push(time)
  }
  return found.toReversed()
}

/** How many spans are remembered. */
const mostSpans = 100

/**
 * The due times that have run, or that another run made the job skip. A clock that is set back reaches them again.
 * Due times without another one in between are one span.
 */
export class Handled {
  readonly #schedule: Schedule
  readonly #spans: Array<{ readonly first: number; last: number }> = []

  constructor(schedule: Schedule) {
    this.#schedule = schedule
  }

  add(due: number): void {
    const newest = this.#spans.at(-1)
    if (newest !== undefined && next(this.#schedule, newest.last) === due) newest.last = due
    else if (this.#spans.push({ first: due, last: due }) > mostSpans) this.#spans.shift()
  }

  has(due: number): boolean {
    return this.#spans.some(({ first, last }) => first <= due && due <= last)
  }
}
