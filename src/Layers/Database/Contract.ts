/**
 * The annotations of contracts whose handlers use the database. This module has no server code, so a
 * browser can import it.
 */
import * as Context from "effect/Context"

/** How far a transaction is isolated from concurrent ones. Source: SQL:1992, section 4.28. */
export type Isolation = "read committed" | "read uncommitted" | "repeatable read" | "serializable"

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
 * import * as Database from "flange/Database/Contract"
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
