/** Tells operators which requests are refused: metrics, and a warning once a minute. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Metering from "../../Plugin/Metering.ts"
import type { RouteInfo } from "../../Server/Route/Middleware.ts"
import type { Concurrency } from "./Concurrency.ts"
import type { Gate } from "./Gate.ts"
import type { Reason } from "./Waiting.ts"

/** The shortest time between two warnings, in milliseconds. */
const between = 60_000

/** Counts refused requests. */
export class Shedding {
  readonly #concurrency: Concurrency
  readonly #context: Context.Context<never>
  readonly #counter: ReturnType<typeof Metering.counter>
  readonly #gate: Gate
  readonly #now: () => number
  #since = 0
  #warnedAt = -Infinity

  constructor(
    context: Context.Context<never>,
    gate: Gate,
    concurrency: Concurrency,
    now: () => number
  ) {
    this.#concurrency = concurrency
    this.#context = context
    this.#counter = Metering.counter(
      context,
      "flange.overload.refused_requests",
      "Requests that were refused because the app is overloaded"
    )
    this.#gate = gate
    this.#now = now
  }

  /** Returns the function that counts the refused requests of a route. */
  of({ method, path }: RouteInfo): (reason: Reason) => void {
    const known = new Map<Reason, () => void>()
    return (reason) => {
      let add = known.get(reason)
      if (add === undefined) {
        add = this.#counter({
          "flange.overload.reason": reason,
          "http.request.method": method,
          "http.route": path
        })
        known.set(reason, add)
      }
      add()
      this.#warn()
    }
  }

  #warn(): void {
    this.#since++
    const now = this.#now()
    if (now - this.#warnedAt < between) return
    this.#warnedAt = now
    const refused = this.#since === 1 ? "A request was" : `${this.#since} requests were`
    const { inFlight, limit } = this.#concurrency
    this.#since = 0
    const logged = Effect.annotateLogs(
      Effect.logWarning(`${refused} refused since the last warning: the app is overloaded`),
      { inFlight, limit, queued: this.#gate.queued }
    )
    Effect.runForkWith(this.#context)(logged)
  }
}

/** Returns the metrics of a gate. */
export const readings = (gate: Gate, concurrency: Concurrency): ReadonlyArray<Metering.Reading> => [
  {
    description: "Most requests in flight that the app admits",
    id: "flange.overload.limit",
    read: () => concurrency.limit,
    type: "gauge"
  },
  {
    description: "Requests that were admitted and have no reply yet",
    id: "flange.overload.in_flight",
    read: () => concurrency.inFlight,
    type: "gauge"
  },
  {
    description: "Requests that wait to be admitted",
    id: "flange.overload.queued",
    read: () => gate.queued,
    type: "gauge"
  }
]
