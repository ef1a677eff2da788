/** Policies of contracts, and the layers that implement declared policies. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Guard from "../../Contract/Guard.ts"
import * as Policy from "../../Contract/Policy.ts"
import * as ContractMiddleware from "../../Server/Route/ContractMiddleware.ts"
import * as Guarding from "../../Server/Route/Guarding.ts"

export * from "../../Contract/Policy.ts"

/**
 * Creates the layer that implements a declared policy, for a plugin that lists the
 * policy in `provides`. The rule gets its services when the layer is built.
 *
 * @example
 * ```ts
 * import * as Context from "effect/Context"
 * import * as Effect from "effect/Effect"
 * import { Plugin } from "flange"
 * import { Policy } from "flange/Auth"
 *
 * class Owners extends Context.Service<
 *   Owners,
 *   { readonly ownerOf: (id: string) => Effect.Effect<string> }
 * >()("app/Owners") {}
 *
 * const OwnOrder = Policy.declare("own-order")
 *
 * const OwnOrderPlugin = Plugin.make("app:own-order", {
 *   layer: Policy.implement(OwnOrder, ({ identity, resource }) =>
 *     Effect.gen(function* () {
 *       const owners = yield* Owners
 *       const owner = yield* owners.ownerOf(resource.params["orderId"] ?? "")
 *       return owner === identity.subject ? Policy.allow : Policy.deny("not the owner")
 *     })
 *   ),
 *   provides: [OwnOrder],
 *   requires: [Owners]
 * })
 * OwnOrderPlugin.id // => "app:own-order"
 * ```
 */
export function implement<Name extends string, R = never>(
  policy: Guard.Key<Policy.Declared<Name>>,
  rule: (input: Guard.Input) => Effect.Effect<Policy.Decision, never, R> | Policy.Decision
): Layer.Layer<Policy.Declared<Name>, never, R>
/** Creates the layer that implements a declared policy about callers with and without credentials. */
export function implement<Name extends string, R = never>(
  policy: Guard.Key<Policy.DeclaredOptional<Name>, never>,
  rule: (input: Guard.OptionalInput) => Effect.Effect<Policy.Decision, never, R> | Policy.Decision
): Layer.Layer<Policy.DeclaredOptional<Name>, never, R>
export function implement<R>(
  policy: object,
  // A rule about known callers gets no others: `Guarding.before` sees to it.
  rule: (input: never) => Effect.Effect<Policy.Decision, never, R> | Policy.Decision
): Layer.Layer<never, never, R> {
  return Layer.effect(
    // The overloads say which keys it takes.
    policy as Guard.Key<never>,
    Effect.map(Effect.context<R>(), (context) =>
      ContractMiddleware.make(
        Guarding.make((input) => {
          const decision = rule(input as never)
          return Effect.isEffect(decision)
            ? Effect.provideContext(Effect.map(decision, Policy.refusalOf), context)
            : Policy.refusalOf(decision)
        }, Guard.isOptional(policy))
      )
    )
  )
}
