/** Transactions around the handlers of an endpoint, a group, or the whole app. */
import * as Effect from "effect/Effect"
import { SqlClient } from "effect/sql/SqlClient"
import * as Plugin from "../../../Plugin/Plugin.ts"
import * as Annotation from "../../../Server/Route/Annotation.ts"
import * as Middleware from "../../../Server/Route/Middleware.ts"
import { Transactional, type TransactionalOptions } from "../Contract.ts"
import { DatabaseConfig } from "../DatabaseConfig.ts"
import { InTransaction } from "./InTransaction.ts"
import * as Transaction from "./Transaction.ts"
import * as Unavailable from "./Unavailable.ts"

type Choice = boolean | TransactionalOptions

/** Returns the annotation of the endpoint, or else that of its group. */
export const nearest = ({
  contract,
  endpoint
}: Pick<Middleware.RouteInfo, "contract" | "endpoint">): Choice | undefined =>
  Annotation.nearest(Transactional, endpoint, contract)

/**
 * Runs the handlers of a route in the transaction that `choose` returns, and others in
 * `otherwise`.
 */
const middleware = (
  name: string,
  choose: (route: Middleware.RouteInfo) => Choice | undefined,
  otherwise: Middleware.AroundHandler | undefined
) =>
  Middleware.aroundHandler(name, {
    build: Effect.gen(function* () {
      const client = yield* SqlClient
      const { acquireTimeout, statementTimeout } = yield* DatabaseConfig
      return (route) => {
        const chosen = choose(route)
        if (chosen === undefined || chosen === false) return otherwise
        const { isolation, retries }: TransactionalOptions = chosen === true ? {} : chosen
        return Transaction.make(client, {
          acquireTimeout,
          isolation,
          readOnly: isReadOnly(route, chosen),
          retries: retries ?? 0,
          statementTimeout
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

/** The id of the plugin that `transactional` creates. */
export const transactionalId = "flange:transactional"

/**
 * Creates a plugin that runs every handler of the app in a transaction, unless its
 * endpoint or group has the annotation `Database.Transactional`. List it together
 * with `Database.plugin`. Provides `Database.InTransaction` to repositories that need a
 * transaction.
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
  Plugin.make(transactionalId, {
    config: [DatabaseConfig],
    layer: InTransaction.layer,
    middleware: [
      middleware(
        "transactional",
        (route) => (nearest(route) === undefined ? options : undefined),
        undefined
      )
    ],
    provides: [InTransaction],
    requires: [SqlClient]
  })
