/** JSON Web Tokens. Source: RFC 7519, RFC 8725. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as OwnKeys from "../../../Contract/OwnKeys.ts"
import * as Backend from "../Backend/Backend.ts"
import * as Scheme from "../Backend/Scheme.ts"
import * as Source from "../Backend/Source.ts"
import { type AuthSettingsError, CredentialsRejected } from "../Failure.ts"
import { identity } from "../Identity.ts"
import { claims as defaultMapper, type Mapper } from "./Claims.ts"
import type { Keys } from "./Keys.ts"
import * as Verifier from "./Verifier.ts"

/** Which tokens are accepted. */
export interface JwtSettings {
  /** The `aud` that tokens must have, or several of which one is enough. `undefined` accepts any. */
  readonly audience: ReadonlyArray<string> | string | undefined
  /** The `iss` that tokens must have, or several of which one is enough. */
  readonly issuer: ReadonlyArray<string> | string
  /** The keys of the issuer: `Auth.secret`, `Auth.publicKey` or `Auth.jwks`. */
  readonly keys: Keys
  /** How far the clocks of issuer and service may differ for `exp` and `nbf`. Default none. */
  readonly leeway?: Duration.Input | undefined
  /** How old a token may be by its `iat`, which is then required. Default no limit but `exp`. */
  readonly maxAge?: Duration.Input | undefined
  /** The longest token in characters. Default 8192. */
  readonly maxLength?: number | undefined
  /** The `typ` that tokens must have, such as `at+jwt` (RFC 9068). Default any. */
  readonly type?: string | undefined
}

/** How a token becomes an identity, and where it is found. */
export interface JwtOptions {
  /** Decodes the claims to the attributes of the identity, beside those of the mapper. */
  readonly attributes?: Schema.ConstraintDecoder<Readonly<Record<string, unknown>>> | undefined
  /** Makes the identity. Default `Auth.claims`; `Auth.oauthClaims` for OAuth access tokens. */
  readonly mapper?: Mapper | undefined
  /** Default `jwt`. */
  readonly name?: string | undefined
  /** Default `Authorization: Bearer`. */
  readonly source?: Source.Source | undefined
}

/** A JWT has three parts of base64url. Any other bearer token is not a JWT. */
const shape = /^[\w-]+\.[\w-]+\.[\w-]*$/

/** The characters that leave no bit after the last byte, by the length of the last group. */
const lasts: ReadonlyArray<string | undefined> = [undefined, "", "AQgw", "AEIMQUYcgkosw048"]

/**
 * Checks whether a part is canonical base64url (RFC 4648): the bits after the last byte are zero.
 * Otherwise one token would have several texts.
 */
const isCanonical = (part: string): boolean =>
  lasts[part.length % 4]?.includes(part.at(-1)!) !== false

/**
 * A backend for signed JSON Web Tokens, on the package `jose`.
 *
 * A token is accepted when its signature is right under the algorithm of the key
 * (`none` never is), `iss` and `aud` are the expected ones, `exp` is there and in
 * the future, and `nbf` in the past. The settings may be an effect, for those
 * that come from configuration; settings that are unsafe fail the boot with
 * `AuthSettingsError`.
 *
 * HS256, HS384, HS512, and RS256, RS384, RS512 with a key of 2048 bits, are
 * verified by `node:crypto` on the event loop, which costs a quarter (HS) or
 * half (RS) of the CPU time of jose, which uses a pool of threads. Others are verified by jose,
 * because they would block the event loop. Claims are always checked by jose.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import { Config } from "flange"
 * import * as Auth from "flange/Auth"
 *
 * const AuthConfig = Config.section("auth", { issuer: Schema.String, secret: Config.Secret })
 *
 * const backend = Auth.jwt(
 *   Effect.map(AuthConfig, ({ issuer, secret }) => ({
 *     audience: "orders",
 *     issuer,
 *     keys: Auth.secret(secret)
 *   })),
 *   { attributes: Schema.Struct({ tenant: Schema.String }), mapper: Auth.oauthClaims }
 * )
 * Auth.plugin({ config: [AuthConfig], default: Auth.chain([backend]) }).id // => "flange:auth"
 * ```
 */
export const jwt = <E = never, R = never>(
  settings: Effect.Effect<JwtSettings, E, R> | JwtSettings,
  options: JwtOptions = {}
): Backend.Backend<AuthSettingsError | E, Exclude<R, Scope.Scope>> => {
  const name = options.name ?? "jwt"
  const source = options.source ?? Source.authorization("bearer")
  const mapper = options.mapper ?? defaultMapper
  const decode =
    options.attributes === undefined ? undefined : OwnKeys.decodeUnknownEffect(options.attributes)
  const check = Effect.gen(function* () {
    const found = yield* Effect.isEffect(settings) ? settings : Effect.succeed(settings)
    const seconds = (input: Duration.Input) => Duration.toSeconds(Duration.fromInputUnsafe(input))
    const maxLength = found.maxLength ?? 8192
    const verify = yield* Verifier.make(name, yield* found.keys.make(name), {
      audience: found.audience,
      issuer: found.issuer,
      leeway: seconds(found.leeway ?? 0),
      maxAge: found.maxAge === undefined ? undefined : seconds(found.maxAge),
      type: found.type
    })
    const rejected = (reason: string) => Effect.fail(new CredentialsRejected({ reason }))
    return ((sent, request) => {
      const token = Source.withoutScheme(source, sent)
      if (token.length > maxLength) {
        return rejected(`The token is longer than ${maxLength} characters`)
      }
      if (!shape.test(token)) {
        return Effect.succeed({ _tag: "Declined", reason: "The token is no JWT" })
      }
      if (!token.split(".").every(isCanonical)) {
        return rejected("The token's header, payload or signature is not canonical base64url")
      }
      return Effect.flatMapEager(verify(token, request.now()), (claims) => {
        const input = mapper(claims)
        if (typeof input === "string") {
          return Effect.fail(new CredentialsRejected({ isGenuine: true, reason: input }))
        }
        if (decode === undefined) return Effect.succeed(identity(input, name))
        return Effect.mapBothEager(decode(claims), {
          onFailure: () =>
            new CredentialsRejected({
              isGenuine: true,
              reason: "The claims do not have the shape of the attributes"
            }),
          onSuccess: (attributes) =>
            identity({ ...input, attributes: { ...input.attributes, ...attributes } }, name)
        })
      })
    }) satisfies Backend.Check
  })
  return Backend.fromSource({
    // `fromSource` provides the scope that is removed from R here.
    check: check as Effect.Effect<
      Backend.Check,
      AuthSettingsError | E,
      Exclude<R, Scope.Scope> | Scope.Scope
    >,
    name,
    scheme: Scheme.token(source, "JWT"),
    source
  })
}
