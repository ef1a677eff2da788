/** Keys that tokens are verified with. Each allows only the algorithms of its own type. */
import type { JsonWebKey } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { crypto } from "../Backend/Crypto.ts"
import * as Rotation from "../Backend/Rotation.ts"
import type { Rotating } from "../Backend/Rotation.ts"
import { AuthSettingsError } from "../Failure.ts"
import * as Jwks from "./Jwks.ts"
import { algorithmsOf, isSecret, type Jwk, type PublicAlgorithm, weaknessOf } from "./PublicKey.ts"
import * as VerificationKey from "./VerificationKey.ts"

export type { Jwk, PublicAlgorithm } from "./PublicKey.ts"

/** Algorithms with a shared secret. */
export type HmacAlgorithm = "HS256" | "HS384" | "HS512"

/** Where keys come from. Made with `Auth.secret`, `Auth.publicKey`, `Auth.jwks`. */
export interface Keys {
  readonly make: (
    backend: string
  ) => Effect.Effect<VerificationKey.FindKeys, AuthSettingsError, Scope.Scope>
}

const settings = (backend: string, problem: string) =>
  Effect.fail(new AuthSettingsError({ backend, problem }))

/** Keys that were made once, each for tokens with its own `kid` or for any. */
const fixed = (
  kid: string | undefined,
  key: VerificationKey.VerificationKey
): VerificationKey.FindKeys => {
  const [found, none] = [Effect.succeed([key]), Effect.succeed([])]
  return (header) =>
    key.algorithms.includes(header.alg) && (kid === undefined || header.kid === kid) ? found : none
}

/** Source: RFC 7518, section 3.2. */
const minBytes: Readonly<Record<HmacAlgorithm, number>> = { HS256: 32, HS384: 48, HS512: 64 }

const keyOf = (
  backend: string,
  value: Redacted.Redacted,
  algorithm: HmacAlgorithm
): Effect.Effect<VerificationKey.VerificationKey, AuthSettingsError> => {
  const text = Redacted.value(value)
  const key = new TextEncoder().encode(text)
  if (text.includes("-----BEGIN")) {
    return settings(
      backend,
      "the secret is a PEM key. Give a public key to `Auth.publicKey`; as a secret it would let everybody who has it make tokens."
    )
  }
  if (key.length < minBytes[algorithm]) {
    return settings(
      backend,
      `the secret has ${key.length} bytes, and ${algorithm} needs at least ${minBytes[algorithm]}. Make one with \`openssl rand -base64 48\`.`
    )
  }
  return Effect.succeed(VerificationKey.make([algorithm], crypto().createSecretKey(key)))
}

/**
 * A secret that the issuer and this service share; by default for HS256. It has
 * at least as many bytes as the algorithm's hash. With `kid` it takes only tokens
 * that name it, for two secrets during a rotation.
 *
 * An effect, such as `secrets.get("jwt-key")` of `flange/Secrets`, is run at start and for each token, so
 * that the secret can change while the app runs. If it fails then, callers get 503.
 *
 * @example
 * ```ts
 * import * as Redacted from "effect/Redacted"
 * import * as Auth from "flange/Auth"
 *
 * const keys = Auth.secret(Redacted.make("at-least-thirty-two-bytes-of-secret"))
 * const backend = Auth.jwt({ audience: "orders", issuer: "https://id.example.com", keys })
 * backend.name // => "jwt"
 * ```
 */
export const secret = (
  value: Redacted.Redacted | Rotating,
  options: {
    /** The algorithm of the tokens. Default: HS256. */
    readonly algorithm?: HmacAlgorithm | undefined
    /** The id of the key; other tokens are refused. Default: any id. */
    readonly kid?: string | undefined
  } = {}
): Keys => {
  const { algorithm = "HS256", kid } = options
  return {
    make: (backend) => {
      const made = (text: Redacted.Redacted) =>
        Effect.map(keyOf(backend, text, algorithm), (key) => fixed(kid, key))
      if (!Effect.isEffect(value)) return made(value)
      const current = Rotation.derived(value, made)
      return Effect.as(
        Effect.catch(current, (error) =>
          error instanceof AuthSettingsError
            ? Effect.fail(error)
            : settings(backend, `the secret cannot be read. ${error.message}`)
        ),
        (header: VerificationKey.Header) =>
          Effect.flatMapEager(Rotation.available(current), (find) => find(header))
      )
    }
  }
}

/**
 * The public key of an issuer: PEM (SPKI, or a certificate) or JWK; RSA of at
 * least 2048 bits, P-256, P-384, P-521 or Ed25519. It verifies the algorithm of
 * its type alone: RS256 for RSA unless `algorithm` (or `alg` of the JWK) says
 * otherwise.
 *
 * @example
 * ```ts
 * import { generateKeyPairSync } from "node:crypto"
 * import * as Auth from "flange/Auth"
 *
 * const { publicKey } = generateKeyPairSync("ed25519")
 * const keys = Auth.publicKey(publicKey.export({ format: "pem", type: "spki" }).toString())
 * Auth.jwt({ audience: "orders", issuer: "https://id.example.com", keys }).name // => "jwt"
 * ```
 */
export const publicKey = (
  key: Jwk | string,
  options: {
    /** The algorithm of the tokens. Default: `alg` of the JWK, or that of the key's type. */
    readonly algorithm?: PublicAlgorithm | undefined
    /** The id of the key; other tokens are refused. Default: `kid` of the JWK, or any id. */
    readonly kid?: string | undefined
  } = {}
): Keys => ({
  make: (backend) =>
    Effect.gen(function* () {
      const jwk = typeof key === "string" ? undefined : key
      if (typeof key === "string" ? key.includes("PRIVATE KEY") : isSecret(key)) {
        return yield* settings(
          backend,
          "a private or secret key was given to `Auth.publicKey`. Give the public half; keep the other where tokens are made."
        )
      }
      const made = yield* Effect.try({
        catch: (cause) =>
          new AuthSettingsError({
            backend,
            problem: `the public key cannot be read (${(cause as Error).message}). Give PEM text that begins with -----BEGIN PUBLIC KEY-----, or a JWK object.`
          }),
        try: () =>
          jwk === undefined
            ? crypto().createPublicKey(key as string)
            : crypto().createPublicKey({ format: "jwk", key: jwk as JsonWebKey })
      })
      const possible = algorithmsOf(made)
      const wanted = options.algorithm ?? jwk?.["alg"] ?? possible[0]
      if (possible.length === 0 || !possible.includes(String(wanted))) {
        return yield* settings(
          backend,
          `the public key is of type ${made.asymmetricKeyType ?? "unknown"}, which cannot verify ${String(wanted)}. ${
            possible.length === 0
              ? "Use RSA, P-256, P-384, P-521 or Ed25519."
              : `Use ${possible.join(", ")}.`
          }`
        )
      }
      const weakness = weaknessOf(made)
      if (weakness !== undefined) return yield* settings(backend, weakness)
      const algorithms = made.asymmetricKeyType === "ed25519" ? possible : [String(wanted)]
      const kid = options.kid ?? (typeof jwk?.["kid"] === "string" ? jwk["kid"] : undefined)
      return fixed(kid, VerificationKey.make(algorithms, made))
    })
})

/**
 * The issuer's key set at a URL. See `Auth.JwksOptions` for how it is fetched and
 * kept.
 *
 * @example
 * ```ts
 * import * as Auth from "flange/Auth"
 *
 * const keys = Auth.jwks("https://id.example.com/.well-known/jwks.json", { maxAge: "1 hour" })
 * Auth.jwt({ audience: "orders", issuer: "https://id.example.com", keys }).name // => "jwt"
 * ```
 */
export const jwks = (url: string, options: Jwks.JwksOptions = {}): Keys => ({
  make: (backend) => Jwks.make(backend, url, options)
})

/**
 * Keys from several places, for a rotation: a token is verified with those that
 * fit its algorithm and `kid`.
 *
 * @example
 * ```ts
 * import * as Redacted from "effect/Redacted"
 * import * as Auth from "flange/Auth"
 *
 * const keys = Auth.anyKey([
 *   Auth.secret(Redacted.make("the-new-secret-with-thirty-two-bytes"), { kid: "2" }),
 *   Auth.secret(Redacted.make("the-old-secret-with-thirty-two-bytes"), { kid: "1" })
 * ])
 * Auth.jwt({ audience: "orders", issuer: "https://id.example.com", keys }).name // => "jwt"
 * ```
 */
export const anyKey = (sources: ReadonlyArray<Keys>): Keys => ({
  make: (backend) =>
    Effect.map(
      Effect.forEach(sources, ({ make }) => make(backend)),
      (finds): VerificationKey.FindKeys =>
        (header) =>
          Effect.map(
            Effect.forEach(finds, (find) => find(header)),
            (found) => found.flat()
          )
    )
})
