/** The routes of an app as data: what `App.describe` returns, and plugins read. */
import * as Context from "effect/Context"
import type * as Guard from "../../Contract/Guard.ts"
import type { Role } from "../../Plugin/Role.ts"
import type { Caching, Idempotency, RateLimit } from "./MiddlewareDescription.ts"
import type { Access, Slot } from "./Slots.ts"

/** One route of a contract as data. */
export interface RouteDescription {
  readonly access: Access["type"]
  /** The longest body in bytes, if the contract sets it. Otherwise it is `server.bodyLimit`. */
  readonly bodyLimit: number | undefined
  /** How the replies are cached; undefined if they are not. */
  readonly cache: Caching | undefined
  /** The authentication chain of a protected or optional route. */
  readonly chain: string | undefined
  /**
   * Which codec decodes the request and encodes the reply. A handler that reads the request itself
   * (`handleRaw`) decodes its payload without it; a description does not know the handlers.
   */
  readonly codec: "compiled" | "effect" | "partial"
  /** Why the codec is not the compiled one; undefined for `compiled`. */
  readonly codecReason: string | undefined
  /** The codes of its errors by status, those of its middleware included. */
  readonly errors: Readonly<Record<string, ReadonlyArray<string>>>
  readonly group: string
  /** How the keys of repeated requests are treated; undefined if they are ignored. */
  readonly idempotency: Idempotency | undefined
  readonly method: string
  /** The slot middleware around it, outermost first. */
  readonly middleware: ReadonlyArray<MiddlewareDescription>
  /** The names of its group and its endpoint, such as `items.create`. */
  readonly name: string
  readonly path: string
  /** The plugin that contributes it. */
  readonly plugin: string
  /**
   * The names of the policies and other guards of its contract. `authenticated` is a guard if the
   * contract of the endpoint authenticates its callers and its group does not.
   */
  readonly policies: ReadonlyArray<string>
  /** The limits on the rate of requests, all of which a request has to satisfy. */
  readonly rateLimits: ReadonlyArray<RateLimit>
  /**
   * What its connection carries over time: server-sent events, or the messages of a channel. Undefined
   * for a request with one reply.
   */
  readonly realtime: "sse" | "websocket" | undefined
  /** The roles of the processes that serve it; undefined for all. */
  readonly roles: ReadonlyArray<Role> | undefined
  /** The scopes that its guards require. A caller needs those of each entry. */
  readonly scopes: ReadonlyArray<Guard.Scopes>
  /** The longest time of the handler in milliseconds, if a middleware limits it. */
  readonly timeout: number | undefined
  /** The transaction around the handler. A handler of `handleRaw` has none. */
  readonly transaction: "none" | "read-only" | "read-write"
  /** Whether it has no guard on purpose: its contract has `Auth.unguarded`. */
  readonly unguarded: boolean
}

/** A slot middleware around a route. */
export interface MiddlewareDescription {
  readonly name: string
  /** The plugin that contributes it. */
  readonly plugin: string
  readonly slot: Slot
}

/** A group of `Route.raw` as data. Its routes are known after boot only. */
export interface RawGroupDescription {
  readonly access: Access["type"]
  /** The authentication chain of a protected or optional group. */
  readonly chain: string | undefined
  readonly group: string
  /** The plugin that contributes it. */
  readonly plugin: string
  /** The roles of the processes that serve it; undefined for all. */
  readonly roles: ReadonlyArray<Role> | undefined
}

/** The routes of an app as data. */
export interface RoutesDescription {
  /** The groups of plain routes, by name. */
  readonly rawGroups: ReadonlyArray<RawGroupDescription>
  /** The routes of all contracts, by path and method. */
  readonly routes: ReadonlyArray<RouteDescription>
}

/** Returns the routes of the app, for the routes of ports. */
export const AppRoutes: Context.Reference<() => RoutesDescription> = Context.Reference<
  () => RoutesDescription
>("flange/AppRoutes", { defaultValue: () => () => ({ rawGroups: [], routes: [] }) })
