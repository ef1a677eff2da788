/** Static bearer tokens, for machines that share a secret with the service. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { identity, type IdentityInput } from "../Identity.ts"
import * as Backend from "./Backend.ts"
import { equal } from "./Crypto.ts"
import * as Scheme from "./Scheme.ts"
import * as Source from "./Source.ts"

/** A token and the identity of its owner. */
export interface TokenEntry {
  readonly identity: IdentityInput
  readonly token: Redacted.Redacted
}

/**
 * A backend for a few static tokens, by default in `Authorization: Bearer`. Every
 * token is compared in constant time, whether or not an earlier one matched. A
 * token that is not in the list goes to the next backend that reads the same place,
 * such as `Auth.jwt`; without one it is refused.
 *
 * The tokens may be an effect, for those that come from configuration.
 *
 * @example
 * ```ts
 * import * as Redacted from "effect/Redacted"
 * import * as Auth from "flange/Auth"
 *
 * const backend = Auth.bearer([
 *   { identity: { subject: "deploy" }, token: Redacted.make("a-long-random-token") }
 * ])
 * backend.name // => "bearer"
 * ```
 */
export const bearer = <E = never, R = never>(
  tokens: Effect.Effect<ReadonlyArray<TokenEntry>, E, R> | ReadonlyArray<TokenEntry>,
  options: {
    /** Default `bearer`. */
    readonly name?: string | undefined
    /** Default `Authorization: Bearer`. */
    readonly source?: Source.Source | undefined
  } = {}
): Backend.Backend<E, Exclude<R, Scope.Scope>> => {
  const source = options.source ?? Source.authorization("bearer")
  const name = options.name ?? "bearer"
  return Backend.fromSource<E, Exclude<R, Scope.Scope>>({
    check: Effect.map(
      (Effect.isEffect(tokens) ? tokens : Effect.succeed(tokens)) as Effect.Effect<
        ReadonlyArray<TokenEntry>,
        E,
        // `fromSource` provides the scope that is removed from R here.
        Exclude<R, Scope.Scope> | Scope.Scope
      >,
      (entries): Backend.Check => {
        const known = entries.map((entry) => ({
          identity: identity(entry.identity, name),
          token: Redacted.value(entry.token)
        }))
        return (credential) => {
          const sent = Source.withoutScheme(source, credential)
          let found: (typeof known)[number] | undefined
          for (const entry of known) if (equal(sent, entry.token)) found = entry
          return Effect.succeed(
            found?.identity ?? { _tag: "Declined", reason: "The token is unknown" }
          )
        }
      }
    ),
    name,
    scheme: Scheme.token(source),
    source
  })
}
