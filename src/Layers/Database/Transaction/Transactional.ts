/** Transactions around the handlers of an endpoint, a group, or the whole app. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { SqlClient } from "effect/sql/SqlClient"
import * as Plugin from "../../../Plugin/Plugin.ts"
import * as Middleware from "../../../Server/Route/Middleware.ts"
import { DatabaseConfig } from "../DatabaseConfig.ts"
import type { Isolation } from "./Begin.ts"
import * as Transaction from "./Transaction.ts"
import * as Unavailable from "./Unavailable.ts"

/** The options of the transaction around a handler. */
export interface TransactionalOptions {
  /**
   * Default: that of the database, which is read committed on PostgreSQL and
   * repeatable read on MySQL.
   */
  readonly isolation?: Isolation | undefined
  /** Whether the database refuses writes. Default: true for GET and HEAD. */
  readonly readOnly?: boolean | undefined
  /**
   * How often the handler is run again after a serialization failure or a
   * deadlock, each time after a short random wait. Default: 0. A retry repeats
   * everything that the handler does, not only its queries.
   *
   * If a migration has changed a table under a prepared statement or a snapshot, the
   * handler is run again once in addition, also with 0.
   */
  readonly retries?: number | undefined
}

/**
 * The annotation that runs the handlers of an endpoint or a group in a transaction.
 * `true` or options opt in, `false` opts out. The nearest one wins, whole: that of
 * the endpoint, that of the group, then the app's `Database.transactional`. Options
 * are not merged. The app needs `Database.plugin`.
 *
 * - The transaction begins with the first query. A handler without a query takes no
 *   connection.
 * - It contains every query of the handler and of the fibers that the handler forks.
 *   They run one at a time. `sql.withTransaction` opens a savepoint. Queries of sibling
 *   fibers wait until it is closed, so that its rollback undoes only its own queries.
 * - If the handler returns a value, the transaction is committed before the reply
 *   begins. A response is a value too, whatever its status. A failure, a defect, a
 *   timeout or a disconnected client rolls the transaction back.
 * - If no connection is free within `database.acquireTimeout`, or the database is
 *   down, the reply is 503 with `Retry-After`.
 * - A query after the end of the transaction dies with `TransactionEnded`. It comes
 *   from a fiber that outlives the handler, or from a stream that the handler
 *   returned.
 *
 * Handlers that read the request themselves (`handleRaw`) and `bare` groups have no
 * transaction. Use `sql.withTransaction` there.
 *
 * @example
 * ```ts
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
 * import * as Database from "flange/Database"
 *
 * const OrdersApi = HttpApiGroup.make("orders")
 *   .add(
 *     HttpApiEndpoint.post("place", "/v1/orders")
 *       .annotate(Database.Transactional, { isolation: "serializable", retries: 3 }),
 *     HttpApiEndpoint.get("prices", "/v1/prices").annotate(Database.Transactional, false)
 *   )
 *   .annotate(Database.Transactional, true)
 * Object.keys(OrdersApi.endpoints) // => ["place", "prices"]
 * ```
 */
export class Transactional extends Context.Service<Transactional, boolean | TransactionalOptions>()(
  "flange/Database/Transactional"
) {}

type Annotation = boolean | TransactionalOptions

const annotationOf = (
  annotated: { readonly annotations: Context.Context<never> } | undefined
): Annotation | undefined =>
  annotated &&
  // Annotations are not part of a type.
  Context.getOrUndefined(annotated.annotations as Context.Context<Transactional>, Transactional)

/** Returns the annotation of the endpoint, or else that of its group. */
const nearest = ({ contract, endpoint }: Middleware.RouteInfo): Annotation | undefined =>
  annotationOf(endpoint) ?? annotationOf(contract)

/**
 * Runs the handlers of a route in the transaction that `choose` returns, and others in
 * `otherwise`.
 */
const middleware = (
  name: string,
  choose: (route: Middleware.RouteInfo) => Annotation | undefined,
  otherwise: Middleware.AroundHandler | undefined
) =>
  Middleware.aroundHandler(name, {
    build: Effect.gen(function* () {
      const client = yield* SqlClient
      const { acquireTimeout } = yield* DatabaseConfig
      return (route) => {
        const chosen = choose(route)
        if (chosen === undefined || chosen === false) return otherwise
        const { isolation, retries }: TransactionalOptions = chosen === true ? {} : chosen
        return Transaction.make(client, {
          acquireTimeout,
          isolation,
          readOnly: isReadOnly(route, chosen),
          retries: retries ?? 0
        })
      }
    }),
    describe: (route) => {
      const chosen = choose(route)
      if (chosen === undefined || chosen === false) return otherwise === undefined ? undefined : {}
      return { transaction: isReadOnly(route, chosen) ? "read-only" : "read-write" }
    }
  })

const isReadOnly = ({ method }: Middleware.RouteInfo, chosen: TransactionalOptions | true) =>
  (chosen === true ? undefined : chosen.readOnly) ?? (method === "GET" || method === "HEAD")

/**
 * The middleware of `Database.plugin`: the transaction of annotated routes, and on all
 * others the 503 for a database that is not available.
 */
export const annotated = middleware("database", nearest, Unavailable.answered)

/**
 * Creates a plugin that runs every handler of the app in a transaction, unless its
 * endpoint or group has the annotation `Database.Transactional`. List it together
 * with `Database.plugin`.
 *
 * @example
 * ```ts
 * import { App } from "flange"
 * import * as Database from "flange/Database"
 *
 * const app = App.make("shop", [Database.plugin, Database.transactional({ retries: 2 })])
 * app.id // => "shop"
 * ```
 */
export const transactional = (options: TransactionalOptions = {}) =>
  Plugin.make("flange:transactional", {
    config: [DatabaseConfig],
    middleware: [
      middleware(
        "transactional",
        (route) => (nearest(route) === undefined ? options : undefined),
        undefined
      )
    ],
    requires: [SqlClient]
  })
