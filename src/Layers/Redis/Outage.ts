/** The log and the metric of a server that is away. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"

/** Reports the outages of a server. */
export interface Outage {
  /** Reports that a link has a connection again. */
  readonly back: (link: object) => Effect.Effect<void>
  /** Reports that a link has lost its connection, or could not open one. */
  readonly lost: (link: object, reason: string) => Effect.Effect<void>
}

/** The shortest time between two warnings, in milliseconds. */
const quiet = 60_000

const reconnects = Metric.counter("redis.client.reconnects", {
  description: "Connections to Redis that were opened after one was lost",
  incremental: true
})

const up = Metric.gauge("redis.client.up", {
  description: "1 if Redis is connected, 0 while it is away"
})

/** Creates the reporter of a server. `target` is its description. */
export const make = (target: string): Effect.Effect<Outage> =>
  Effect.sync(() => {
    const away = new Set<object>()
    let since = 0
    let isTold = false
    let told = -Infinity
    return {
      back: Effect.fnUntraced(function* (link) {
        if (!away.delete(link)) return
        yield* Metric.update(reconnects, 1)
        if (away.size > 0) return
        yield* Metric.update(up, 1)
        if (!isTold) return
        const lasted = Duration.format(Duration.millis(Math.round(performance.now() - since)))
        yield* Effect.logInfo(`${target} is available again after ${lasted}.`)
      }),
      lost: Effect.fnUntraced(function* (link, reason) {
        const now = performance.now()
        if (away.size === 0) {
          isTold = false
          since = now
          yield* Metric.update(up, 0)
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
  }).pipe(Effect.tap(Metric.update(up, 1)))
