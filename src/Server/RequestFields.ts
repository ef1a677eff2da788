/**
 * What is learned of a request while it is served, for its access line and its
 * span. Whoever learns something writes it here; whoever logs reads it when the
 * reply is known. Neither has to know the other.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

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
 * Writes fields of the request that this fiber serves; a later value wins.
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
    Object.assign(fiber.getRef(RequestFields), fields)
    return Effect.void
  })
