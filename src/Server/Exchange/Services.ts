/** The services that a request of the compiled lane runs with. */
import * as Context from "effect/Context"
import { RouteContext } from "effect/http/HttpRouter"
import { HttpServerRequest, ParsedSearchParams } from "effect/http/HttpServerRequest"
import * as References from "effect/References"
import * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import type { RouteInfo } from "../Route/Middleware.ts"
import * as RequestFields from "./RequestFields.ts"
import * as RequestId from "./RequestId.ts"

/** The request whose services they are. */
export interface Served {
  readonly fields: RequestFields.Fields
  readonly params: Readonly<Record<string, string | undefined>>
  readonly plan: { readonly info: RouteInfo }
  readonly request: HttpServerRequest
  readonly requestId: string
  readonly scope: Scope.Scope
  readonly searchParams: Readonly<Record<string, Array<string> | string>>
  /** What `HttpEffect` keeps for a request. */
  readonly state: object
}

/** The key under which `HttpEffect` keeps handlers that run before a reply is sent. */
const requestStateKey = "effect/http/HttpEffect/CurrentRequestState"

const keys: ReadonlySet<string> = new Set([
  HttpServerRequest.key,
  ParsedSearchParams.key,
  References.CurrentLogAnnotations.key,
  RequestFields.RequestFields.key,
  RequestId.RequestId.key,
  requestStateKey,
  RouteContext.key,
  Scope.Scope.key
])

/** What Effect reads of a context once, for all contexts that have the same. */
const cached: ReadonlySet<string> = new Set([
  References.CurrentLogLevel.key,
  References.CurrentStackFrame.key,
  References.MinimumLogLevel.key,
  References.TracerEnabled.key,
  Scheduler.MaxOpsBeforeYield.key,
  Scheduler.PreventSchedulerYield.key,
  Scheduler.Scheduler.key,
  Tracer.ParentSpan.key,
  Tracer.Tracer.key
])

/**
 * The map behind the context of a request's fibers: a service that only this
 * request has is made when it is first looked up, so a handler pays for what it
 * uses. Everything else comes from the app's own map.
 */
export class ExchangeServices implements ReadonlyMap<string, unknown> {
  readonly #app: ReadonlyMap<string, unknown>
  readonly #exchange: Served
  /** Whether Effect's cache of the app's services is true of these. */
  isCached = true
  #own: Map<string, unknown> | undefined
  /** Whether one of the services that every request has was replaced. */
  #replaces = false

  constructor(exchange: Served, app: ReadonlyMap<string, unknown>) {
    this.#app = app
    this.#exchange = exchange
  }

  get(key: string): unknown {
    if (this.#replaces && this.#own!.has(key)) return this.#own!.get(key)
    const exchange = this.#exchange
    switch (key) {
      case HttpServerRequest.key:
        return exchange.request
      case ParsedSearchParams.key:
        return exchange.searchParams
      case References.CurrentLogAnnotations.key:
        return { ...(this.#app.get(key) as object | undefined), requestId: exchange.requestId }
      case RequestFields.RequestFields.key:
        return exchange.fields
      case RequestId.RequestId.key:
        return exchange.requestId
      case requestStateKey:
        return exchange.state
      case RouteContext.key:
        return { params: exchange.params, route: exchange.plan.info }
      case Scope.Scope.key:
        return exchange.scope
      default:
        return this.#own?.has(key) ? this.#own.get(key) : this.#app.get(key)
    }
  }

  has(key: string): boolean {
    return keys.has(key) || this.#own?.has(key) === true || this.#app.has(key)
  }

  /** Gives the request a service that the app does not have, or has otherwise. */
  set(key: string, service: unknown): void {
    this.#own ??= new Map()
    this.#own.set(key, service)
    if (keys.has(key)) this.#replaces = true
    else if (cached.has(key)) this.isCached = false
  }

  /**
   * More than any count of lookups: a context copies its map once it was asked as
   * often as the map is large, and a copy would make every service of this one.
   */
  get size(): number {
    return Infinity
  }

  entries() {
    return this.#all().entries()
  }

  forEach(f: (value: unknown, key: string, map: ReadonlyMap<string, unknown>) => void): void {
    this.#all().forEach(f)
  }

  keys() {
    return this.#all().keys()
  }

  values() {
    return this.#all().values()
  }

  [Symbol.iterator]() {
    return this.#all()[Symbol.iterator]()
  }

  #all(): Map<string, unknown> {
    const all = new Map(this.#app)
    for (const key of keys) all.set(key, this.get(key))
    for (const [key, service] of this.#own ?? []) all.set(key, service)
    return all
  }
}

interface Cached {
  cacheRoot: unknown
}

/**
 * The context over these services. What a fiber reads of every context it starts
 * with (scheduler, tracer, log levels) hardly a request has of its own, so Effect's
 * cache of it is the app's: without that each fiber looks them up again.
 */
export const contextOf = (
  services: ExchangeServices,
  app: Context.Context<unknown>
): Context.Context<unknown> => {
  const context = Context.makeUnsafe<unknown>(services)
  if (!services.isCached) return context
  // Effect has no constructor for this. Where it renames the field, fibers start slower.
  ;(context as unknown as Cached).cacheRoot = (app as unknown as Cached).cacheRoot
  return context
}
