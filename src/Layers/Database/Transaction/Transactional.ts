/** A transaction around handlers: for an endpoint, a group, or the whole app. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { SqlClient } from "effect/sql/SqlClient"
import * as Plugin from "../../../Plugin/Plugin.ts"
import * as Middleware from "../../../Server/Route/Middleware.ts"
import { DatabaseConfig } from "../DatabaseConfig.ts"
import type { Isolation } from "./Begin.ts"
import * as Transaction from "./Transaction.ts"
import * as Unavailable from "./Unavailable.ts"

/** How a handler's transaction is run. */
export interface TransactionalOptions {
  /** Default: the database's own, read committed on PostgreSQL and repeatable read on MySQL. */
  readonly isolation?: Isolation | undefined
  /** Whether the database refuses writes. Default: true for GET and HEAD. */
  readonly readOnly?: boolean | undefined
  /**
   * How often the handler is run again after a serialization failure or a
   * deadlock, each time after a short random wait. Default: 0. What the handler
   * does besides queries is done again too.
   */
  readonly retries?: number | undefined
}

/**
 * Says of an endpoint or a group of a contract that its handlers run in a
 * transaction: `true` or options; `false` takes it out again. The endpoint's word
 * goes before the group's, the group's before the app's (`Database.transactional`);
 * the options of the one that counts are all that count. `Database.plugin` acts on it.
 *
 * Around the handler of such a route:
 *
 * - The first query takes a connection and begins. A handler that never queries
 *   takes none.
 * - Every query of the handler's fiber and of the fibers it forks is in it, one at
 *   a time. `sql.withTransaction` is a savepoint; while one is open, queries of
 *   sibling fibers wait, so that its rollback takes only its own work away.
 * - The value of the handler commits, before the reply begins. A returned response
 *   is a value, whatever its status. A failure, a defect, an interruption, a
 *   timeout and a client that went away roll back.
 * - Where the pool stays exhausted for `database.acquireTimeout`, or the database
 *   is down, the reply is 503 with `Retry-After`.
 * - A query after the end fails with the defect `TransactionEnded`: of a fiber that
 *   outlives the handler, or of a stream that it returned.
 *
 * A handler that reads the request itself (`handleRaw`) and a `bare` group have no
 * transaction; use `sql.withTransaction` there.
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

type Word = boolean | TransactionalOptions

const saidBy = (
  annotated: { readonly annotations: Context.Context<never> } | undefined
): Word | undefined =>
  annotated &&
  // An annotation is in no type.
  Context.getOrUndefined(annotated.annotations as Context.Context<Transactional>, Transactional)

const wordOf = ({ contract, endpoint }: Middleware.RouteInfo): Word | undefined =>
  saidBy(endpoint) ?? saidBy(contract)

/** Puts the transaction around the handlers of routes for which `choose` says how. */
const middleware = (
  name: string,
  choose: (route: Middleware.RouteInfo) => Word | undefined,
  otherwise: Middleware.AroundHandler | undefined
) =>
  Middleware.aroundHandler(name, {
    build: Effect.gen(function* () {
      const client = yield* SqlClient
      const { acquireTimeout } = yield* DatabaseConfig
      return (route) => {
        const word = choose(route)
        if (word === undefined || word === false) return otherwise
        const { isolation, readOnly, retries }: TransactionalOptions = word === true ? {} : word
        const isRead = route.method === "GET" || route.method === "HEAD"
        return Transaction.around(client, {
          acquireTimeout,
          isolation,
          readOnly: readOnly ?? isRead,
          retries: retries ?? 0
        })
      }
    })
  })

/**
 * What `Database.plugin` puts around handlers: the transaction that annotations
 * ask for; without one, 503 where the database is the reason of a failure.
 */
export const annotated = middleware("database", wordOf, Unavailable.answered)

/**
 * Puts a transaction around every handler of the app that no annotation
 * (`Database.Transactional`) says otherwise of. It stands in the app's list
 * beside `Database.plugin`.
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
        (route) => (wordOf(route) === undefined ? options : undefined),
        undefined
      )
    ],
    requires: [SqlClient]
  })
