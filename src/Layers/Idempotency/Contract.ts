/**
 * Idempotency keys in contracts and in typed clients. This module has no server code, so a browser can
 * import it.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import {
  IdempotencyKeyInUse,
  IdempotencyKeyMalformed,
  IdempotencyKeyMissing,
  IdempotencyKeyReused,
  IdempotencyReplyTooLarge
} from "../../Contract/Catalogue.ts"
import * as SentKey from "../../Contract/SentKey.ts"

export {
  IdempotencyKeyInUse,
  IdempotencyKeyMalformed,
  IdempotencyKeyMissing,
  IdempotencyKeyReused,
  IdempotencyReplyTooLarge
} from "../../Contract/Catalogue.ts"

/** The longest time for which a reply is kept. */
export const maxTtl = Duration.days(3660)

/** How an endpoint treats keys. `Idempotent.keyed` creates it. */
export interface Rules {
  /** Whether a request without a key is refused. */
  readonly required: boolean
  /** Milliseconds for which a reply is kept; undefined for `idempotency.ttl`. */
  readonly ttl: number | undefined
}

/**
 * The annotation that lets a client send a request of an endpoint again without carrying it out again:
 * the header `Idempotency-Key` names the request. The nearest annotation wins, whole (endpoint, then
 * group); `false` opts out. The annotation of a group concerns its POST, PUT, PATCH and DELETE endpoints.
 *
 * The routes know their callers: `Route.protected`. The app needs a plugin of `flange/Idempotency`. An
 * endpoint with the middleware `IdempotencyErrors` does not compile without one.
 *
 * @example
 * ```ts
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import { Idempotent } from "flange/Idempotency/Contract"
 *
 * const pay = HttpApiEndpoint.post("pay", "/v1/payments").annotate(
 *   Idempotent,
 *   Idempotent.keyed({ required: true, ttl: "2 days" })
 * )
 * pay.path // => "/v1/payments"
 * ```
 */
export class Idempotent extends Context.Service<Idempotent, false | Rules>()(
  "flange/Idempotency/Idempotent"
) {
  /**
   * Creates the rules of an endpoint. A key is optional unless `required` is set, and a reply is kept for
   * `idempotency.ttl` unless `ttl` is set. Throws if `ttl` is not above zero and at most
   * 3660 days.
   */
  static readonly keyed = (
    options: {
      /** Whether a request without a key is refused with 400. The default is `false`. */
      readonly required?: boolean | undefined
      /** How long a reply is kept. The default is `idempotency.ttl`. */
      readonly ttl?: Duration.Input | undefined
    } = {}
  ): Rules => {
    const ttl = options.ttl === undefined ? undefined : Duration.toMillis(options.ttl)
    if (ttl !== undefined && !(ttl > 0 && ttl <= Duration.toMillis(maxTtl))) {
      throw new Error(
        `A reply cannot be kept for ${ttl} ms. Write a time above zero and up to 3660 days, such as "1 day", or Idempotent false to opt out.`
      )
    }
    return { required: options.required ?? false, ttl }
  }
}

/** The errors that an endpoint with keys may answer with. */
export const errors = [
  IdempotencyKeyInUse,
  IdempotencyKeyMalformed,
  IdempotencyKeyMissing,
  IdempotencyKeyReused,
  IdempotencyReplyTooLarge
] as const

/**
 * Contract middleware that makes the errors of idempotency keys errors of the endpoint, also for the typed
 * client. The app compiles only if one of its plugins provides it. Without it, OpenAPI has the errors, and
 * the typed client does not know them.
 *
 * @example
 * ```ts
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import { IdempotencyErrors } from "flange/Idempotency/Contract"
 *
 * const pay = HttpApiEndpoint.post("pay", "/v1/payments").middleware(IdempotencyErrors)
 * pay.middlewares.size // => 1
 * ```
 */
export class IdempotencyErrors extends HttpApiMiddleware.Service<IdempotencyErrors>()(
  "flange/IdempotencyErrors",
  {
    error: errors
  }
) {}

/** Most characters of a key. */
const maxLength = 255

/** Whether a text is a key: 1 to 255 visible ASCII characters. */
export const isKey = (text: string): boolean =>
  text.length <= maxLength && /^[\x21-\x7e]+$/.test(text)

/**
 * Runs a call of a typed client, of `Client.make` in `flange/Contract`, with an idempotency key: a random
 * UUID, or `key`. Every request that the effect sends has the same key, so put the retries inside. An effect
 * that is run again has a new key.
 *
 * Wrap one call: two different calls to one endpoint with one key are refused with
 * `IdempotencyKeyReused`. Throws if `key` is not 1 to 255 visible ASCII characters.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { withKey } from "flange/Idempotency/Contract"
 *
 * const pay = Effect.retry(Effect.succeed("paid"), { times: 3 })
 * Effect.runSync(withKey(pay)) // => "paid"
 * ```
 */
export const withKey = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  key?: string
): Effect.Effect<A, E, R> => {
  if (key !== undefined && !isKey(key)) {
    throw new Error(
      `"${key.slice(0, maxLength)}" is no idempotency key. Write 1 to 255 visible ASCII characters, such as a UUID.`
    )
  }
  return Effect.suspend(() =>
    Effect.provideService(effect, SentKey.SentKey, key ?? crypto.randomUUID())
  )
}
