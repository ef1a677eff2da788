/** Secrets that change while the app runs. */
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import { BackendUnavailable } from "../Failure.ts"

/**
 * Reads a secret as it is now, such as `secrets.get("jwt-key")` of `flange/Secrets`. It returns the same
 * `Redacted` until the secret changes. The message of its error has no value.
 */
export type Rotating = Effect.Effect<Redacted.Redacted, { readonly message: string }>

/** Returns an effect that makes a value of the secret, anew whenever the secret has changed. */
export const derived = <A, E>(
  secret: Rotating,
  make: (value: Redacted.Redacted) => Effect.Effect<A, E>
): Effect.Effect<A, E | { readonly message: string }> => {
  let last: { readonly from: Redacted.Redacted; readonly made: A } | undefined
  return Effect.flatMapEager(secret, (value) =>
    last?.from === value
      ? Effect.succeed(last.made)
      : Effect.map(make(value), (made) => {
          last = { from: value, made }
          return made
        })
  )
}

/** Lets a secret that cannot be read, or used, make its backend unavailable. */
export const available = <A>(
  effect: Effect.Effect<A, { readonly message: string }>
): Effect.Effect<A, BackendUnavailable> =>
  Effect.mapErrorEager(effect, ({ message }) => new BackendUnavailable({ reason: message }))
