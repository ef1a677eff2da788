/** What slot middleware does to a route, as data. */
import type { RouteInfo } from "./MiddlewareForm.ts"

/** A limit on the rate of requests to a route, as data. */
export interface RateLimit {
  /** Who has a count of their own: `address`, `caller`, or the name of an extractor. */
  readonly by: string
  /** How many requests one request of the route counts as. */
  readonly cost: number
  /** The name of the limit. Routes whose limits have one name share it. */
  readonly name: string
  /** Undefined if the configuration sets it. */
  readonly policy:
    | {
        readonly algorithm: "sliding-window" | "token-bucket"
        /** The most requests at once. */
        readonly burst: number
        /** Requests per `window`. */
        readonly limit: number
        /** In milliseconds. */
        readonly window: number
      }
    | undefined
}

/** How the replies of a route are cached, as data. */
export interface Caching {
  readonly sharing: "perIdentity" | "public"
  /** In milliseconds. */
  readonly ttl: number
  /** The headers of the request that select the reply, beside those of the contract. */
  readonly varyBy: ReadonlyArray<string>
}

/** How a route treats the keys of repeated requests, as data. */
export interface Idempotency {
  /** Whether each request needs a key. */
  readonly required: boolean
  /** In milliseconds; undefined if the configuration sets it. */
  readonly ttl: number | undefined
}

/** What a middleware does to a route, as data. `App.describe` shows it. */
export interface Description {
  /** How the replies are cached. */
  readonly cache?: Caching | undefined
  /** The errors that it may answer with; classes that `ApiError.make` creates are such errors. */
  readonly errors?: ReadonlyArray<{ readonly code: string; readonly status: number }> | undefined
  /** How the keys of repeated requests are treated. */
  readonly idempotency?: Idempotency | undefined
  /** The limits on the rate of requests. */
  readonly rateLimits?: ReadonlyArray<RateLimit> | undefined
  /** The longest time of the handler, in milliseconds. */
  readonly timeout?: number | undefined
  /** The transaction around the handler. */
  readonly transaction?: "read-only" | "read-write" | undefined
}

/**
 * Returns what a middleware does to a route; `undefined` if it does not run there. It is called
 * before anything is configured or acquired.
 */
export type Describe = (route: RouteInfo) => Description | undefined
