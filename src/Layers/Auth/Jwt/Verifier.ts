/**
 * Verifies one token with one set of keys. Claims are always checked by jose; so
 * is the signature, except where `Signature.ts` does it in place.
 */
import * as Effect from "effect/Effect"
import { AuthSettingsError, type BackendUnavailable, CredentialsRejected } from "../Failure.ts"
import type { Claims } from "./Claims.ts"
import { type Jose, loadJose } from "./Jose.ts"
import type { FindKeys, Header, VerificationKey } from "./VerificationKey.ts"

/** The claims that a token must have. */
export interface Expectations {
  readonly audience: ReadonlyArray<string> | string | undefined
  readonly issuer: ReadonlyArray<string> | string
  /** Seconds. */
  readonly leeway: number
  /** Seconds since `iat`; undefined for no limit. */
  readonly maxAge: number | undefined
  readonly type: string | undefined
}

/** Returns the claims of a token that is valid at that time, in Unix milliseconds. */
export type Verify = (
  token: string,
  now: number
) => Effect.Effect<Claims, BackendUnavailable | CredentialsRejected>

/** A protected header that is not verified yet. It may be used to choose a key only. */
interface Unverified extends Header {
  readonly crit: unknown
  readonly typ: unknown
}

const rejected = (reason: string, isGenuine = false) =>
  Effect.fail(new CredentialsRejected({ isGenuine, reason }))

const noKey = "No key fits the token's algorithm and key id"

/**
 * Creates a verifier. If it needs neither a remote key set nor a thread, it ends in the
 * same step of the event loop: the request's fiber does not wait.
 */
export const make = (
  backend: string,
  find: FindKeys,
  expected: Expectations
): Effect.Effect<Verify, AuthSettingsError> =>
  Effect.gen(function* () {
    for (const [name, seconds] of [
      ["leeway", expected.leeway],
      ["maxAge", expected.maxAge ?? 0]
    ] as const) {
      if (Number.isFinite(seconds) && seconds >= 0) continue
      return yield* new AuthSettingsError({
        backend,
        problem: `\`${name}\` is ${seconds} seconds. Write a duration from 0 on, such as "5 seconds".`
      })
    }
    const jose = yield* loadJose(backend)
    const options = {
      clockTolerance: expected.leeway,
      issuer: mutable(expected.issuer),
      requiredClaims: ["exp"],
      ...(expected.audience === undefined ? {} : { audience: mutable(expected.audience) }),
      ...(expected.maxAge === undefined ? {} : { maxTokenAge: expected.maxAge }),
      ...(expected.type === undefined ? {} : { typ: expected.type })
    }

    const verifyInPool = (token: string, now: number, keys: ReadonlyArray<VerificationKey>) =>
      Effect.gen(function* () {
        let reason = noKey
        for (const { algorithms, key } of keys) {
          const result = yield* Effect.result(
            Effect.tryPromise({
              catch: (cause) => cause,
              try: () =>
                jose.jwtVerify(token, key, {
                  ...options,
                  algorithms: [...algorithms],
                  currentDate: new Date(now)
                })
            })
          )
          if (result._tag === "Success") return result.success.payload
          const error = result.failure
          if (!(error instanceof jose.errors.JOSEError)) return yield* Effect.die(error)
          if (
            error instanceof jose.errors.JWTExpired ||
            error instanceof jose.errors.JWTClaimValidationFailed
          ) {
            // jose looks at claims after the signature.
            return yield* rejected(error.message, true)
          }
          reason = error.message
          if (!(error instanceof jose.errors.JWSSignatureVerificationFailed)) break
        }
        return yield* rejected(reason)
      })

    /** The claims of a token whose signature is right. jose reads them as an unsecured token. */
    const claimsOf = (payload: string, typ: unknown, now: number) => {
      const header = expected.type === undefined ? unsecured : unsecuredWith(typ)
      try {
        return Effect.succeed<Claims>(
          jose.UnsecuredJWT.decode(`${header}.${payload}.`, {
            ...options,
            currentDate: new Date(now)
          }).payload
        )
      } catch (error) {
        return error instanceof jose.errors.JOSEError
          ? rejected(error.message, true)
          : Effect.die(error)
      }
    }

    const verify = (
      token: string,
      { crit, typ }: Unverified,
      keys: ReadonlyArray<VerificationKey>,
      now: number
    ) => {
      const parts = token.split(".")
      // Tokens with rare header fields are left to jose.
      if (crit !== undefined || parts.length !== 3) return verifyInPool(token, now, keys)
      const [header, payload, signature] = parts as [string, string, string]
      const signed = `${header}.${payload}`
      for (const { check } of keys) {
        if (check === undefined) return verifyInPool(token, now, keys)
        if (check(signed, signature)) return claimsOf(payload, typ, now)
      }
      return rejected(keys.length === 0 ? noKey : failed(jose))
    }

    const headers = new Map<string, Unverified | undefined>()
    /** The tokens of an issuer have few headers, and each is read once. */
    const known = (encoded: string) => {
      if (headers.has(encoded)) return headers.get(encoded)
      const header = headerOf(encoded)
      if (encoded.length > maxKnownLength) return header
      if (headers.size >= maxKnown) headers.clear()
      headers.set(encoded, header)
      return header
    }

    return (token, now) => {
      const header = known(token.slice(0, token.indexOf(".")))
      return header === undefined
        ? rejected("The token's header cannot be read")
        : Effect.flatMapEager(find(header), (keys) => verify(token, header, keys, now))
    }
  })

const mutable = (value: ReadonlyArray<string> | string) =>
  typeof value === "string" ? value : [...value]

/** The reasons are the same for both ways of checking. */
const failed = (jose: Jose) => new jose.errors.JWSSignatureVerificationFailed().message

const unsecuredWith = (typ: unknown) =>
  Buffer.from(JSON.stringify({ alg: "none", typ })).toString("base64url")

const unsecured = "eyJhbGciOiJub25lIn0" // {"alg":"none"}

const utf8 = new TextDecoder("utf-8", { fatal: true })

/** How many headers are kept, and their greatest length. */
const maxKnown = 64
const maxKnownLength = 512

const headerOf = (encoded: string): Unverified | undefined => {
  if (!/^[\w-]+$/.test(encoded)) return undefined
  try {
    const binary = atob(encoded.replaceAll("-", "+").replaceAll("_", "/"))
    // oxlint-disable-next-line no-control-regex -- nearly all tokens are ASCII
    const ascii = /^[\x00-\x7f]*$/.test(binary)
    const header: unknown = JSON.parse(ascii ? binary : utf8.decode(Buffer.from(binary, "latin1")))
    if (typeof header !== "object" || header === null || Array.isArray(header)) return undefined
    const { alg, crit, kid, typ } = header as Readonly<Record<string, unknown>>
    if (typeof alg !== "string" || (kid !== undefined && typeof kid !== "string")) return undefined
    return { alg, crit, kid, typ }
  } catch {
    return undefined
  }
}
