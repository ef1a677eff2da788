/** API keys: in a header or the query, looked up by hash or checked by an effect. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { type BackendUnavailable, CredentialsRejected } from "../Failure.ts"
import { identity, type IdentityInput } from "../Identity.ts"
import * as Backend from "./Backend.ts"
import { sha256 } from "./Crypto.ts"
import * as Rotation from "./Rotation.ts"
import * as Scheme from "./Scheme.ts"
import * as Source from "./Source.ts"

/** Returns the identity of a key; `Option.none()` for an unknown key. */
export type ValidateKey<R = never> = (
  key: Redacted.Redacted
) => Effect.Effect<Option.Option<IdentityInput>, BackendUnavailable, R>

/** A key, or only its hash, and the identity of its owner. */
export type KeyEntry =
  | { readonly hash: string; readonly identity: IdentityInput }
  | { readonly identity: IdentityInput; readonly key: Redacted.Redacted | Rotation.Rotating }

/**
 * The SHA-256 of a key in hex: what to store and to look up. Keys are long and
 * random, so a fast hash is right for them; passwords need a slow one.
 *
 * @example
 * ```ts
 * import * as Redacted from "effect/Redacted"
 * import * as Auth from "flange/Auth"
 *
 * Auth.hashKey(Redacted.make("acme-key")).length // => 64
 * ```
 */
export const hashKey = (key: Redacted.Redacted): string => sha256(Redacted.value(key))

/**
 * Creates a validator of a list of keys. A key is looked up by its hash, so time tells
 * nothing about the keys in the list.
 *
 * The key of an entry may be an effect, such as `secrets.get("acme-key")` of `flange/Secrets`, which is
 * run for each request, so that the key can change while the app runs. If it fails, callers whose key is
 * no other one in the list get 503.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 * import * as Redacted from "effect/Redacted"
 * import * as Auth from "flange/Auth"
 *
 * const validate = Auth.keys([{ identity: { subject: "acme" }, key: Redacted.make("acme-key") }])
 * Option.isSome(Effect.runSync(validate(Redacted.make("acme-key")))) // => true
 * Option.isSome(Effect.runSync(validate(Redacted.make("acme-kez")))) // => false
 * ```
 */
export const keys = (entries: ReadonlyArray<KeyEntry>): ValidateKey => {
  const fixed: Array<readonly [() => string, IdentityInput]> = []
  const rotating: Array<readonly [ReturnType<typeof rotatingHash>, IdentityInput]> = []
  for (const entry of entries) {
    if ("hash" in entry) fixed.push([() => entry.hash.toLowerCase(), entry.identity])
    else {
      const { identity: owner, key } = entry
      if (Effect.isEffect(key)) rotating.push([rotatingHash(key), owner])
      else fixed.push([() => hashKey(key), owner])
    }
  }
  let table: Map<string, IdentityInput> | undefined
  const all = () => (table ??= new Map(fixed.map(([hash, owner]) => [hash(), owner])))
  const lookUp = Effect.fnUntraced(function* (sent: string) {
    let failure: BackendUnavailable | undefined
    for (const [hash, owner] of rotating) {
      const result = yield* Effect.result(Rotation.available(hash))
      if (result._tag === "Failure") failure = result.failure
      else if (result.success === sent) return Option.some(owner)
    }
    return failure === undefined ? Option.none() : yield* failure
  })
  return (key) =>
    Effect.suspend(() => {
      const sent = hashKey(key)
      const found = all().get(sent)
      return found === undefined && rotating.length > 0
        ? lookUp(sent)
        : Effect.succeed(Option.fromUndefinedOr(found))
    })
}

const rotatingHash = (key: Rotation.Rotating) =>
  Rotation.derived(key, (value) => Effect.succeed(hashKey(value)))

/** Longer keys are refused without hashing them. */
const maxLength = 1024

/**
 * A backend for API keys, by default in the header `X-Api-Key`. `validate` returns
 * the identity of the key; with a store, look the key up by `Auth.hashKey`. The validator
 * may come from an effect that runs once, for keys that are in the configuration.
 *
 * @example
 * ```ts
 * import * as Redacted from "effect/Redacted"
 * import * as Auth from "flange/Auth"
 *
 * const backend = Auth.apiKey({
 *   source: Auth.query("key"),
 *   validate: Auth.keys([{ identity: { subject: "acme" }, key: Redacted.make("acme-key") }])
 * })
 * backend.name // => "api-key"
 * ```
 */
export const apiKey = <E = never, R = never>(options: {
  /** Default `api-key`. */
  readonly name?: string | undefined
  /** Default `Auth.header("x-api-key")`. */
  readonly source?: Source.Source | undefined
  /** Returns the caller of a key, or refuses it. An effect builds the function once, at start. */
  readonly validate: Effect.Effect<ValidateKey<R>, E, R> | ValidateKey<R>
}): Backend.Backend<E, Exclude<R, Scope.Scope>> => {
  const source = options.source ?? Source.header("x-api-key")
  const name = options.name ?? "api-key"
  return Backend.fromSource({
    check: Effect.map(
      Backend.bindValidator(options.validate),
      (validate): Backend.Check =>
        (key) =>
          key.length > maxLength
            ? Effect.fail(new CredentialsRejected({ reason: "The key is too long" }))
            : Effect.flatMapEager(
                validate(Redacted.make(key)),
                Option.match({
                  onNone: () =>
                    Effect.fail(new CredentialsRejected({ reason: "The key is unknown" })),
                  onSome: (found) => Effect.succeed(identity(found, name))
                })
              )
    ),
    name,
    scheme: Scheme.token(source),
    source
  })
}
