/** The gate of an app, and what belongs to it. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metering from "../../Plugin/Metering.ts"
import * as MonotonicClock from "../../Plugin/MonotonicClock.ts"
import { Concurrency, type Flight } from "./Concurrency.ts"
import { Gate } from "./Gate.ts"
import { OverloadConfig } from "./OverloadConfig.ts"
import { readings, Shedding } from "./Shedding.ts"

/** The longest time between two looks at the requests that wait, in milliseconds. */
const look = 50

/** The gate of an app. */
export class Guarded extends Context.Service<
  Guarded,
  {
    readonly concurrency: Concurrency
    /** The requests in flight, by exchange. */
    readonly flights: WeakMap<object, Flight>
    readonly gate: Gate
    /** Returns milliseconds of a monotonic clock. */
    readonly now: () => number
    readonly shedding: Shedding
    /** Refuses requests that have waited too long, until no request waits. Call it if one waits. */
    readonly watch: () => void
  }
>()("flange/Overload/Guarded") {
  /** The gate with the limits of the section `overload`. */
  static readonly layer = Layer.effect(
    Guarded,
    Effect.gen(function* () {
      const { maxConcurrency, maxQueue, maxWait, minConcurrency } = yield* OverloadConfig
      const context = yield* Effect.context<never>()
      const scope = yield* Effect.scope
      // An app in a test may have a clock of its own.
      const clock = Context.getOrUndefined(context as Context.Context<Clock.Clock>, Clock.Clock)
      const now =
        clock === undefined ? () => performance.now() : () => MonotonicClock.millisOf(clock)
      const concurrency = new Concurrency(minConcurrency, maxConcurrency)
      const gate = new Gate({
        concurrency,
        defer: setImmediate,
        maxQueue,
        maxWait: Duration.toMillis(maxWait),
        now
      })
      yield* Metering.readings(readings(gate, concurrency))

      let isWatched = false
      const watching = Effect.gen(function* () {
        while (gate.queued > 0) {
          yield* Effect.sleep(Math.min(look, gate.patience))
          gate.sweep()
        }
      }).pipe(Effect.ensuring(Effect.sync(() => void (isWatched = false))))
      return {
        concurrency,
        flights: new WeakMap(),
        gate,
        now,
        shedding: new Shedding(context, gate, concurrency, now),
        watch: () => {
          if (isWatched) return
          isWatched = true
          Effect.runForkWith(context)(Effect.forkIn(watching, scope))
        }
      }
    })
  )
}
