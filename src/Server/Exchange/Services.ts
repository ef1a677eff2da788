/** The services of a request's fibers. */
import type * as ByteSize from "effect/ByteSize"
import type * as Context from "effect/Context"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import { RouteContext } from "effect/http/HttpRouter"
import { HttpServerRequest, ParsedSearchParams } from "effect/http/HttpServerRequest"
import * as References from "effect/References"
import * as Scope from "effect/Scope"
import { type AnySpan, ParentSpanKey } from "effect/Tracer"
import * as Deadline from "../../Plugin/Deadline.ts"
import {
  cachedKeys,
  lazyContext,
  requestStateKey,
  shareCache,
  shareCacheBut
} from "../EffectInternals.ts"
import * as RequestFields from "./RequestFields.ts"
import * as RequestId from "./RequestId.ts"

/** The request that the services belong to. */
export interface ServicesOwner {
  /** See `Deadline`. */
  readonly deadline: number | undefined
  readonly fields: RequestFields.Fields
  readonly params: Readonly<Record<string, string | undefined>>
  /** The parent of the spans that the request's fibers start. */
  readonly parentSpan: AnySpan | undefined
  readonly plan: { readonly maxBodySize: ByteSize.ByteSize; readonly route: object }
  readonly request: HttpServerRequest
  readonly requestId: string
  readonly scope: Scope.Scope
  readonly searchParams: Readonly<Record<string, Array<string> | string>>
  /** The state that `HttpEffect` keeps for a request. */
  readonly state: object
  /** See `CurrentTimeSpent`. */
  readonly timeSpent: Deadline.TimeSpent | undefined
}

const noParams: ServicesOwner["params"] = {}

/**
 * A request that has ended, for work that goes on. The services of the work are those of the app, and
 * those that middleware has provided to the request.
 */
export class DetachedRequest implements ServicesOwner {
  readonly #app: Context.Context<unknown>
  readonly params: ServicesOwner["params"]
  readonly parentSpan: ServicesOwner["parentSpan"]
  readonly plan: ServicesOwner["plan"]
  readonly requestId: string
  #scope: Scope.Closeable | undefined
  /** Its services if middleware has provided some. Otherwise they are made for each fiber: most connections are idle. */
  readonly #services: Services | undefined

  /** `from` is the context of a fiber of the request. */
  constructor(
    request: ServicesOwner,
    from: Context.Context<unknown>,
    app: Context.Context<unknown>
  ) {
    // The router makes a dictionary for each request, which takes 184 bytes without an entry.
    this.params = Object.keys(request.params).length === 0 ? noParams : request.params
    this.parentSpan = request.parentSpan
    this.plan = request.plan
    this.requestId = request.requestId
    this.#app = app
    this.#services = Services.provided(from, this, app)
  }

  /** The context of a fiber of the work. */
  get context(): Context.Context<unknown> {
    return (this.#services ?? new Services(this, this.#app)).context
  }

  /** The scope of the work. */
  get scope(): Scope.Closeable {
    return (this.#scope ??= Scope.makeUnsafe())
  }

  get deadline(): undefined {
    return undefined
  }

  get fields(): RequestFields.Fields {
    return RequestFields.make()
  }

  get request(): HttpServerRequest {
    throw new TypeError(
      "The request has ended when its connection is upgraded. Read what you need of it before you upgrade."
    )
  }

  get searchParams(): ServicesOwner["searchParams"] {
    return {}
  }

  get state(): object {
    return {}
  }

  get timeSpent(): undefined {
    return undefined
  }

  /** Its headers are not kept: most connections are idle. */
  header(): undefined {
    return undefined
  }
}

/** The key of the exchange that a fiber serves. */
export const exchangeKey = "flange/Exchange"

const keys: ReadonlySet<string> = new Set([
  Deadline.CurrentTimeSpent.key,
  Deadline.Deadline.key,
  exchangeKey,
  HttpIncomingMessage.MaxBodySize.key,
  HttpServerRequest.key,
  ParsedSearchParams.key,
  References.CurrentLogAnnotations.key,
  RequestFields.RequestFields.key,
  RequestId.RequestId.key,
  requestStateKey,
  RouteContext.key,
  Scope.Scope.key
])

/**
 * The map behind the context of a request's fibers. A service of the request is made
 * when it is first looked up, so that a handler pays for what it uses. Every other
 * service comes from the app's own map.
 */
export class Services implements ReadonlyMap<string, unknown> {
  readonly #app: ReadonlyMap<string, unknown>
  readonly #appContext: Context.Context<unknown>
  readonly #exchange: ServicesOwner
  /** Whether fibers may share the app's cache; see `cachedKeys`. */
  #isCached = true
  #own: Map<string, unknown> | undefined
  /** Whether `#own` has one of `keys`. */
  #replaces = false
  #context: Context.Context<unknown> | undefined

  constructor(exchange: ServicesOwner, app: Context.Context<unknown>) {
    this.#app = app.mapUnsafe
    this.#appContext = app
    this.#exchange = exchange
  }

  /** Returns services of `owner` with those in `from` that neither the app nor a request has, if there are some. */
  static provided(
    from: Context.Context<unknown>,
    owner: ServicesOwner,
    app: Context.Context<unknown>
  ): Services | undefined {
    let services: Services | undefined
    const all = from.mapUnsafe
    for (const [key, service] of all instanceof Services ? (all.#own ?? []) : all) {
      if (!keys.has(key) && key !== ParentSpanKey && app.mapUnsafe.get(key) !== service) {
        services ??= new Services(owner, app)
        services.set(key, service)
      }
    }
    return services
  }

  /** The context over these services. */
  get context(): Context.Context<unknown> {
    if (this.#context === undefined) {
      this.#context = lazyContext(this)
      const { parentSpan } = this.#exchange
      if (this.#isCached) {
        if (parentSpan === undefined) shareCache(this.#context, this.#appContext)
        else shareCacheBut(this.#context, this.#appContext, parentSpan)
      }
    }
    return this.#context
  }

  get(key: string): unknown {
    if (this.#replaces && this.#own!.has(key)) return this.#own!.get(key)
    const exchange = this.#exchange
    switch (key) {
      case Deadline.CurrentTimeSpent.key:
        return exchange.timeSpent
      case Deadline.Deadline.key:
        return exchange.deadline
      case exchangeKey:
        return exchange
      case HttpIncomingMessage.MaxBodySize.key:
        return exchange.plan.maxBodySize
      case HttpServerRequest.key:
        return exchange.request
      case ParsedSearchParams.key:
        return exchange.searchParams
      case ParentSpanKey:
        return this.#own?.has(key)
          ? this.#own.get(key)
          : (exchange.parentSpan ?? this.#app.get(key))
      case References.CurrentLogAnnotations.key:
        return {
          ...(this.#app.get(key) as object | undefined),
          requestId: exchange.requestId
        }
      case RequestFields.RequestFields.key:
        return exchange.fields
      case RequestId.RequestId.key:
        return exchange.requestId
      case requestStateKey:
        return exchange.state
      case RouteContext.key:
        return { params: exchange.params, route: exchange.plan.route }
      case Scope.Scope.key:
        return exchange.scope
      default:
        return this.#own?.has(key) ? this.#own.get(key) : this.#app.get(key)
    }
  }

  has(key: string): boolean {
    return (
      keys.has(key) ||
      this.#own?.has(key) === true ||
      this.#app.has(key) ||
      (key === ParentSpanKey && this.#exchange.parentSpan !== undefined)
    )
  }

  /** Lets the context of later fibers have the exchange's parent of spans as it is now. */
  renew(): void {
    this.#context = undefined
  }

  /** Sets a service of this request. */
  set(key: string, service: unknown): void {
    this.#own ??= new Map()
    this.#own.set(key, service)
    if (keys.has(key)) this.#replaces = true
    else if (cachedKeys.has(key)) {
      this.#isCached = false
      this.#context = undefined
    } else if (!this.#isCached) this.#context = undefined
  }

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
    for (const key of keys) {
      // Effects that merge contexts read all services, also those that their users do not need.
      if (key === HttpServerRequest.key && this.#exchange instanceof DetachedRequest) continue
      all.set(key, this.get(key))
    }
    const { parentSpan } = this.#exchange
    if (parentSpan !== undefined) all.set(ParentSpanKey, parentSpan)
    for (const [key, service] of this.#own ?? []) all.set(key, service)
    return all
  }
}
