/** The spans of queues. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Tracer from "effect/Tracer"

/** Whether the app of the fiber has a tracer. */
export const hasTracer = (fiber: Fiber.Fiber<unknown, unknown>): boolean =>
  // The fiber may have none.
  Context.getOrUndefined(fiber.context as Context.Context<Tracer.Tracer>, Tracer.Tracer) !==
  undefined

/** Runs an effect in a span if the app has a tracer or `options` has a parent. Otherwise runs it without one. */
export const within =
  (name: string, options: Tracer.SpanOptionsNoTrace) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, Exclude<R, Tracer.ParentSpan>> =>
    Effect.withFiber((fiber) =>
      // The place of the span in this file says nothing, and takes longer than a quick handler.
      options.parent !== undefined || hasTracer(fiber)
        ? Effect.withSpan(effect, name, { ...options, captureStackTrace: false })
        : (effect as Effect.Effect<A, E, Exclude<R, Tracer.ParentSpan>>)
    )
