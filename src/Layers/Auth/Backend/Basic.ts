/** User name and password in every request. Source: RFC 7617. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { type BackendUnavailable, CredentialsRejected } from "../Failure.ts"
import { identity, type IdentityInput } from "../Identity.ts"
import * as Backend from "./Backend.ts"
import { equal } from "./Crypto.ts"
import * as Scheme from "./Scheme.ts"
import * as Source from "./Source.ts"

/** User name and password. */
export interface Credentials {
  readonly password: Redacted.Redacted
  readonly username: string
}

/** Returns the identity of credentials; `Option.none()` for wrong ones. */
export type ValidatePassword<R = never> = (
  credentials: Credentials
) => Effect.Effect<Option.Option<IdentityInput>, BackendUnavailable, R>

/** A user with a password. */
export interface User {
  readonly identity?: Omit<IdentityInput, "subject"> | undefined
  readonly password: Redacted.Redacted
  readonly username: string
}

/**
 * Creates a validator of a list of users. Name and password of every user are compared
 * in constant time, so time does not tell which users exist.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 * import * as Redacted from "effect/Redacted"
 * import * as Auth from "flange/Auth"
 *
 * const password = Redacted.make("correct horse")
 * const validate = Auth.users([{ password, username: "ada" }])
 * Option.isSome(Effect.runSync(validate({ password, username: "ada" }))) // => true
 * ```
 */
export const users =
  (list: ReadonlyArray<User>): ValidatePassword =>
  ({ password, username }) =>
    Effect.sync(() => {
      let found: User | undefined
      for (const user of list) {
        const name = equal(username, user.username)
        const secret = equal(Redacted.value(password), Redacted.value(user.password))
        if (name && secret) found = user
      }
      return found === undefined
        ? Option.none()
        : Option.some({ ...found.identity, subject: found.username })
    })

/** Longer credentials are refused. */
const maxLength = 1024

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const parse = (encoded: string): Credentials | undefined => {
  if (encoded.length > maxLength || !/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return undefined
  try {
    const text = utf8.decode(Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0)))
    const colon = text.indexOf(":")
    // RFC 7617, section 2: neither part has control characters.
    if (colon === -1 || /\p{Cc}/u.test(text)) return undefined
    return { password: Redacted.make(text.slice(colon + 1)), username: text.slice(0, colon) }
  } catch {
    return undefined
  }
}

/**
 * A backend for HTTP Basic. `validate` returns the identity; hash
 * stored passwords with something slow (scrypt, argon2). The validator may come
 * from an effect that runs once, for users that are in the configuration.
 *
 * @example
 * ```ts
 * import * as Redacted from "effect/Redacted"
 * import * as Auth from "flange/Auth"
 *
 * const backend = Auth.basic({
 *   validate: Auth.users([{ password: Redacted.make("correct horse"), username: "ada" }])
 * })
 * backend.name // => "basic"
 * ```
 */
export const basic = <E = never, R = never>(options: {
  /** Default `basic`. */
  readonly name?: string | undefined
  /** Returns the caller of a name and a password, or refuses them. An effect builds the function once, at start. */
  readonly validate: Effect.Effect<ValidatePassword<R>, E, R> | ValidatePassword<R>
}): Backend.Backend<E, Exclude<R, Scope.Scope>> => {
  const name = options.name ?? "basic"
  return Backend.fromSource({
    check: Effect.map(
      Backend.bindValidator(options.validate),
      (validate): Backend.Check =>
        (sent) => {
          const credentials = parse(sent)
          if (credentials === undefined) {
            const reason = "The Basic credentials are malformed"
            return Effect.fail(new CredentialsRejected({ reason }))
          }
          return Effect.flatMapEager(
            validate(credentials),
            Option.match({
              // People type passwords into the name field, so the reason does not have the name.
              onNone: () =>
                Effect.fail(new CredentialsRejected({ reason: "Wrong user name or password" })),
              onSome: (found) => Effect.succeed(identity(found, name))
            })
          )
        }
    ),
    name,
    scheme: Scheme.basic,
    source: Source.authorization("basic")
  })
}
