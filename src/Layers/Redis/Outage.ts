/** The log and the metric of a server that is away. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metering from "../../Plugin/Metering.ts"

/** Reports the outages of a server. */
export interface Outage {
  /** Reports that a link has a connection again. */
  readonly back: (link: object) => Effect.Effect<void>
  /** Reports that a link has lost its connection, or could not open one. */
  readonly lost: (link: object, reason: string) => Effect.Effect<void>
}

/** The shortest time between two warnings, in milliseconds. */
const quiet = 60_000

/** Creates the reporter of a server. `target` is its description. */
export const make = (target: string): Effect.Effect<Outage> =>
  Effect.map(Effect.context<never>(), (context) => {
    const away = new Set<object>()
    const reconnected = Metering.counter(
      context,
      "flange.redis.reconnects",
      "Connections to Redis that were opened after one was lost"
    )({})
    Metering.register(
      {
        description: "1 if Redis is connected, 0 while it is away",
        id: "flange.redis.up",
        read: () => (away.size === 0 ? 1 : 0),
        type: "gauge"
      },
      context
    )
    let since = 0
    let isTold = false
    let told = -Infinity
    return {
      back: Effect.fnUntraced(function* (link) {
        if (!away.delete(link)) return
        reconnected()
        if (away.size > 0 || !isTold) return
        const lasted = Duration.format(Duration.millis(Math.round(performance.now() - since)))
        yield* Effect.logInfo(`${target} is available again after ${lasted}.`)
      }),
      lost: Effect.fnUntraced(function* (link, reason) {
        const now = performance.now()
        if (away.size === 0) {
          isTold = false
          since = now
        }
        away.add(link)
        if (now - told < quiet) return
        isTold = true
        told = now
        yield* Effect.logWarning(
          `${target} is not available: ${reason}. Commands fail at once until it is back.`
        )
      })
    }
  })
