/**
 * What is learned of a request while it is served, for its access line and its
 * span. Whoever learns something writes it here; whoever logs reads it when the
 * reply is known. Neither has to know the other.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { ParentSpan, type Span } from "effect/Tracer"

/** The fields of one request by name. A mutable record without prototype. */
export type Fields = Record<string, boolean | number | string>

/**
 * The fields of the request that this fiber serves. The exchange makes a new
 * record for each request; outside a request nothing reads what is written.
 */
export const RequestFields: Context.Reference<Fields> = Context.Reference("flange/RequestFields", {
  defaultValue: make
})

/** An empty record. */
export function make(): Fields {
  return Object.create(null) as Fields
}

/**
 * Writes fields of the request that this fiber serves, and the same attributes
 * of its server span where it has one; a later value wins.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { RequestFields } from "flange"
 *
 * const program = Effect.gen(function* () {
 *   yield* RequestFields.set({ tenant: "acme" })
 *   return (yield* RequestFields.RequestFields)["tenant"]
 * })
 * Effect.runSync(Effect.provideService(program, RequestFields.RequestFields, RequestFields.make()))
 * // => "acme"
 * ```
 */
export const set = (fields: Readonly<Fields>): Effect.Effect<void> =>
  Effect.withFiber((fiber) => {
    write(fiber, fields)
    return Effect.void
  })

/** `set`, for the fiber at hand. */
export const write = (fiber: Fiber.Fiber<unknown, unknown>, fields: Readonly<Fields>): void => {
  Object.assign(fiber.getRef(RequestFields), fields)
  const span = serverSpan(fiber)
  if (span !== undefined) {
    for (const [name, value] of Object.entries(fields)) span.attribute(name, value)
  }
}

/** The span of the request itself, whatever spans were begun inside of it. */
const serverSpan = (fiber: Fiber.Fiber<unknown, unknown>): Span | undefined => {
  let span = Context.getOrUndefined(fiber.context as Context.Context<ParentSpan>, ParentSpan)
  while (span?._tag === "Span" && span.kind !== "server") {
    span = Option.getOrUndefined(span.parent)
  }
  return span?._tag === "Span" ? span : undefined
}
