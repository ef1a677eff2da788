/** The lookups of names that come from users. */
import type { LookupAddress, LookupAllOptions } from "node:dns"
import * as Duration from "effect/Duration"
import { afterArrivals } from "../../Plugin/Arrivals.ts"

/** Looks up all addresses of a name, as `lookup` of `node:dns` does. */
export type Lookup = (
  host: string,
  options: LookupAllOptions,
  callback: (error: Error | null, addresses: Array<LookupAddress>) => void
) => void

/** The name of a call was not looked up, because others before it had no answer in time. */
export class LookupRefused extends Error {
  readonly code = "LOOKUP_REFUSED"

  constructor(limit: Duration.Duration) {
    super(
      `was refused: its name was not looked up within ${Duration.format(limit)} (outgoing.connectTimeout), because lookups of other URLs of users have no answer. A higher UV_THREADPOOL_SIZE allows more lookups at a time.`
    )
  }
}

/**
 * Returns how many names of users are looked up at a time. A lookup without an answer keeps its thread for seconds
 * and cannot be cancelled. libuv runs the lookups of the process on half of its threads, and one of them is kept for
 * the other lookups if there are two.
 */
export const mostOf = (threads: string | undefined): number =>
  Math.max(1, Math.floor(((Number(threads) || 4) + 1) / 2) - 1)

/** Runs so many lookups at a time. The others wait for their turn, up to the limit. */
export const bounded = (lookup: Lookup, most: number, limit: Duration.Duration): Lookup => {
  let running = 0
  const waiting = new Set<() => void>()
  return (host, options, callback) => {
    const start = () => {
      running++
      lookup(host, options, (error, addresses) => {
        // The lookup keeps its thread until here, even if its call has ended.
        running--
        const [next] = waiting
        next?.()
        callback(error, addresses)
      })
    }
    if (running < most) {
      start()
      return
    }
    const begin = () => {
      waiting.delete(begin)
      clearTimeout(timer)
      start()
    }
    const refuse = () => {
      if (waiting.delete(begin)) callback(new LookupRefused(limit), [])
    }
    const timer = setTimeout(() => afterArrivals(refuse), Duration.toMillis(limit))
    waiting.add(begin)
  }
}
