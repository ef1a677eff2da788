/** The references whose values a request may have of its own, such as the log level of its route. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"

const keys: ReadonlyArray<string> = [
  Logger.CurrentLoggers.key,
  References.MinimumLogLevel.key,
  References.TracerTimingEnabled.key,
  Tracer.Tracer.key
]

/**
 * Runs an effect with the references of `outer`. Effect runs a handler with the services from the start
 * of the app, among which are the references of the app.
 */
export const restored = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  outer: Context.Context<never>
): Effect.Effect<A, E, R> =>
  Effect.updateContext(effect, (context: Context.Context<R>) => {
    const all = new Map<string, unknown>(context.mapUnsafe)
    for (const key of keys) {
      if (outer.mapUnsafe.has(key)) all.set(key, outer.mapUnsafe.get(key))
    }
    return Context.makeUnsafe<R>(all)
  })
