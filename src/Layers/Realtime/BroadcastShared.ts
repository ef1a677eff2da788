/** Resources of a process that their users share, by key. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as RcMap from "effect/RcMap"
import * as Scope from "effect/Scope"

/**
 * Returns the function that acquires the resource of a key, or shares one that is there, until the scope
 * closes. The last user releases it.
 *
 * A resource is acquired with the services of the app. Those of the first user may be those of a request,
 * which ends before other users do.
 */
export const make = <A>(
  lookup: (key: string) => Effect.Effect<A, never, Scope.Scope>
): Effect.Effect<(key: string) => Effect.Effect<A, never, Scope.Scope>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const app = yield* Effect.context<never>()
    const resources = yield* RcMap.make({ lookup })
    return (key) => {
      const acquired: Effect.Effect<A, never, Scope.Scope> = RcMap.get(resources, key)
      return Effect.flatMap(Effect.scope, (scope) =>
        Effect.updateContext(
          acquired,
          (_: Context.Context<Scope.Scope>): Context.Context<Scope.Scope> =>
            Context.add(app, Scope.Scope, scope)
        )
      )
    }
  })
