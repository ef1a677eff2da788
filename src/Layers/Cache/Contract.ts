/**
 * Cached replies in contracts. This module has no server code, so a browser can import it.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"

/** Who shares a stored reply. */
export type Sharing = "perIdentity" | "public"

/** A status beside 200 whose replies may be stored. Source: RFC 9110, section 15.1. */
export type Status = 203 | 204 | 300 | 301 | 308 | 410

/** A name under which replies can be invalidated together. */
export type TagName = bigint | boolean | number | string

/** The rules of a cached endpoint, as data. */
export interface Rules {
  /** The names of headers, in lower case and sorted. */
  readonly headers: ReadonlyArray<string>
  readonly sharing: Sharing
  /** The statuses whose replies are stored. */
  readonly statuses: ReadonlyArray<number>
  readonly tags: ReadonlyArray<TagName>
  /** Milliseconds. */
  readonly ttl: number
}

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** Returns the name of a header in lower case. Throws if no reply can vary by it. */
const headerOf = (header: string): string => {
  const name = header.toLowerCase()
  if (!token.test(name) || name === "*") {
    throw new Error(
      `"${header}" is no name of a header. Write the name alone, such as "accept-language", and each name as its own argument.`
    )
  }
  if (name === "authorization") {
    throw new Error(
      "A cached reply cannot vary by Authorization: each client that sends another value would fill the cache. Write ResponseCache.perIdentity, which stores a reply for each caller."
    )
  }
  return name
}

const sorted = <A>(values: ReadonlyArray<A>): ReadonlyArray<A> => [...new Set(values)].toSorted()

/** How the replies of an endpoint are cached. `ResponseCache.public` and `.perIdentity` create it. */
export class CachePolicy {
  readonly rules: Rules

  constructor(rules: Rules) {
    this.rules = rules
  }

  /**
   * Returns the policy with more statuses whose replies are stored. Without it that is 200 alone. Errors
   * are not stored: their documents name the request.
   */
  statuses(...statuses: readonly [Status, ...ReadonlyArray<Status>]): CachePolicy {
    return new CachePolicy({
      ...this.rules,
      statuses: sorted([...this.rules.statuses, ...statuses])
    })
  }

  /** Returns the policy with names for `CacheKey.tag`, under which all its replies are invalidated. */
  tags(...tags: readonly [TagName, ...ReadonlyArray<TagName>]): CachePolicy {
    return new CachePolicy({ ...this.rules, tags: [...this.rules.tags, ...tags] })
  }

  /**
   * Returns the policy with headers of the request that select the reply. Each combination of values is
   * stored by itself. The handler sees no other headers than these and those of its contract. Throws if a
   * name is no header, or is `authorization`.
   */
  varyBy(...headers: readonly [string, ...ReadonlyArray<string>]): CachePolicy {
    return new CachePolicy({
      ...this.rules,
      headers: sorted([...this.rules.headers, ...headers.map(headerOf)])
    })
  }
}

const policy = (sharing: Sharing, ttl: Duration.Input): CachePolicy => {
  const millis = Duration.toMillis(ttl)
  if (!(millis > 0 && Number.isFinite(millis))) {
    throw new Error(
      `A reply cannot be cached for ${Duration.format(Duration.fromInputUnsafe(ttl))}. Write a finite time above zero, such as "10 seconds", or ResponseCache false to opt out.`
    )
  }
  return new CachePolicy({ headers: [], sharing, statuses: [200], tags: [], ttl: millis })
}

/** The parameters of an endpoint's path, before they are decoded. */
export type Params<Endpoint> = Endpoint extends {
  readonly "~Params": { readonly Type: infer Params }
}
  ? { readonly [Name in keyof Params]: string }
  : {}

/** Returns the tags of the reply to a request. */
export type TagsOf = (
  params: Readonly<Record<string, string | undefined>>
) => ReadonlyArray<TagName>

/** The annotation for tags that depend on the parameters of the path. */
export class ResponseTags extends Context.Service<ResponseTags, TagsOf>()(
  "flange/Cache/ResponseTags"
) {}

/**
 * The annotation that caches the replies of an endpoint, or of the GET and HEAD endpoints of a group. The
 * nearest one wins, whole; `false` opts out. The app needs `Cache.plugin` or `Cache.withRedis`.
 *
 * - `ResponseCache.public(ttl)`: one reply for all callers, behind `Route.public` only
 * - `ResponseCache.perIdentity(ttl)`: a reply for each caller, behind `Route.protected` or
 *   `Route.optional`
 * - `.varyBy("accept-language")`: a reply for each value of the headers
 * - `.tags("catalogue")` and `ResponseCache.tagged`: names for `CacheKey.tag`
 * - `.statuses(204)`: statuses that are stored beside 200
 *
 * @example
 * ```ts
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
 * import { ResponseCache } from "flange/Cache/Contract"
 *
 * const StatusApi = HttpApiGroup.make("status").add(
 *   HttpApiEndpoint.get("read", "/status")
 *     .annotate(ResponseCache, ResponseCache.public("10 seconds").varyBy("accept-language"))
 * )
 * StatusApi.endpoints.read.path // => "/status"
 * ```
 */
export class ResponseCache extends Context.Service<ResponseCache, CachePolicy | false>()(
  "flange/Cache/ResponseCache"
) {
  /**
   * Creates the policy by which each caller gets only replies that were made for this caller. Throws if
   * `ttl` is not finite and above zero.
   */
  static readonly perIdentity = (ttl: Duration.Input): CachePolicy => policy("perIdentity", ttl)

  /**
   * Creates the policy by which all callers share replies. Throws if `ttl` is not finite and above zero.
   */
  static readonly public = (ttl: Duration.Input): CachePolicy => policy("public", ttl)

  /**
   * Returns the endpoint with tags that depend on the parameters of its path, as the request has them.
   *
   * @example
   * ```ts
   * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
   * import * as Schema from "effect/Schema"
   * import { ResponseCache } from "flange/Cache/Contract"
   *
   * const read = ResponseCache.tagged(
   *   HttpApiEndpoint.get("read", "/v1/products/:id", { params: { id: Schema.Int } }).annotate(
   *     ResponseCache,
   *     ResponseCache.public("1 minute")
   *   ),
   *   ({ id }) => [`product:${id}`]
   * )
   * read.path // => "/v1/products/:id"
   * ```
   */
  static readonly tagged = <E extends HttpApiEndpoint.ConstraintRequest>(
    endpoint: E,
    tags: (params: Params<E>) => ReadonlyArray<TagName>
  ): E =>
    // `annotate` returns the type of the endpoint, whose path has these parameters.
    (endpoint as unknown as HttpApiEndpoint.Top).annotate(
      ResponseTags,
      tags as TagsOf
    ) as unknown as E
}
