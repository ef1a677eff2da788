/**
 * Fields that code sets while it serves a request, for the access line and the span. The
 * code that sets a field and the code that logs it need not know each other.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { ParentSpan, type Span } from "effect/Tracer"
import * as Redaction from "./Redaction.ts"

/** The fields of one request by name. A mutable record without a prototype. */
export type Fields = Record<string, boolean | number | string>

/**
 * The fields of the request that this fiber serves. The exchange makes a new record for
 * each request. Outside a request, fields are discarded.
 */
export const RequestFields: Context.Reference<Fields> = Context.Reference("flange/RequestFields", {
  defaultValue: make
})

/** Creates an empty record. */
export function make(): Fields {
  return Object.create(null) as Fields
}

/**
 * Sets fields of the request that this fiber serves, and the same attributes on its
 * server span if it has one. A later value of a field wins.
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

/** Sets fields of the request that `fiber` serves, without an effect. */
export const write = (fiber: Fiber.Fiber<unknown, unknown>, fields: Readonly<Fields>): void => {
  Object.assign(fiber.getRef(RequestFields), fields)
  const span = serverSpan(fiber)
  if (span === undefined) return
  const redaction = Redaction.of((reference) => fiber.getRef(reference))
  for (const [name, value] of Object.entries(fields)) {
    span.attribute(name, redaction.shown(name, value))
  }
}

/** Returns the span of the request itself, the outermost one of the server. */
const serverSpan = (fiber: Fiber.Fiber<unknown, unknown>): Span | undefined => {
  // The context may have no span.
  let span = Context.getOrUndefined(fiber.context as Context.Context<ParentSpan>, ParentSpan)
  while (span?._tag === "Span" && span.kind !== "server") {
    span = Option.getOrUndefined(span.parent)
  }
  return span?._tag === "Span" ? span : undefined
}
