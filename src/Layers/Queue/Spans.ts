/** The spans of queues. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Tracer from "effect/Tracer"

/** Runs an effect in a span if the app has a tracer or `options` has a parent. Otherwise runs it without one. */
export const within =
  (name: string, options: Tracer.SpanOptionsNoTrace) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, Exclude<R, Tracer.ParentSpan>> =>
    Effect.withFiber((fiber) => {
      // The fiber may have no tracer.
      const services = fiber.context as Context.Context<Tracer.Tracer>
      const isSeen =
        options.parent !== undefined ||
        Context.getOrUndefined(services, Tracer.Tracer) !== undefined
      // The place of the span in this file says nothing, and takes longer than a quick handler.
      return isSeen
        ? Effect.withSpan(effect, name, { ...options, captureStackTrace: false })
        : (effect as Effect.Effect<A, E, Exclude<R, Tracer.ParentSpan>>)
    })
