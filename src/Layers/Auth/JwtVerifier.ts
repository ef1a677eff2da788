/**
 * Verifies one token with one set of keys. This is the only file that knows the
 * library that does it.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Claims } from "./Claims.ts"
import { type AuthSettingsError, type BackendUnavailable, CredentialsRejected } from "./Failure.ts"
import { joseFor } from "./Jose.ts"
import type { FindKeys, Header, Key } from "./Key.ts"

/** What a token must say. */
export interface Expectations {
  readonly audience: ReadonlyArray<string> | string | undefined
  readonly issuer: ReadonlyArray<string> | string
  /** Seconds. */
  readonly leeway: number
  /** Seconds since `iat`; undefined for no limit. */
  readonly maxAge: number | undefined
  readonly type: string | undefined
}

/** Gives the claims of a token that is right. */
export type Verify = (
  token: string
) => Effect.Effect<Claims, BackendUnavailable | CredentialsRejected>

const rejected = (reason: string) => Effect.fail(new CredentialsRejected({ reason }))

/** A verifier on jose. */
export const make = (
  backend: string,
  find: FindKeys,
  expected: Expectations
): Effect.Effect<Verify, AuthSettingsError> =>
  Effect.map(joseFor(backend), (jose): Verify => {
    const options = {
      clockTolerance: expected.leeway,
      issuer: mutable(expected.issuer),
      requiredClaims: ["exp"],
      ...(expected.audience === undefined ? {} : { audience: mutable(expected.audience) }),
      ...(expected.maxAge === undefined ? {} : { maxTokenAge: expected.maxAge }),
      ...(expected.type === undefined ? {} : { typ: expected.type })
    }
    const verify = (token: string, now: number, { algorithms, key }: Key) =>
      Effect.tryPromise({
        catch: (cause) => cause,
        try: () =>
          jose.jwtVerify(token, key, {
            ...options,
            algorithms: [...algorithms],
            currentDate: new Date(now)
          })
      })
    return (token) =>
      Effect.gen(function* () {
        const header = headerOf(token)
        if (header === undefined) return yield* rejected("The token's header cannot be read")
        const keys = yield* find(header)
        const now = yield* Clock.currentTimeMillis
        let reason = "No key fits the token's algorithm and key id"
        for (const key of keys) {
          const result = yield* Effect.result(verify(token, now, key))
          if (result._tag === "Success") return result.success.payload
          const error = result.failure
          if (!(error instanceof jose.errors.JOSEError)) return yield* Effect.die(error)
          reason = error.message
          if (!(error instanceof jose.errors.JWSSignatureVerificationFailed)) break
        }
        return yield* rejected(reason)
      })
  })

const mutable = (value: ReadonlyArray<string> | string) =>
  typeof value === "string" ? value : [...value]

/** `alg` and `kid` of a token that was not verified yet: enough to choose a key, no more. */
const headerOf = (token: string): Header | undefined => {
  try {
    const encoded = token.slice(0, token.indexOf(".")).replaceAll("-", "+").replaceAll("_", "/")
    const header: unknown = JSON.parse(atob(encoded))
    if (typeof header !== "object" || header === null) return undefined
    const { alg, kid } = header as { readonly alg?: unknown; readonly kid?: unknown }
    if (typeof alg !== "string" || (kid !== undefined && typeof kid !== "string")) return undefined
    return { alg, kid }
  } catch {
    return undefined
  }
}
