/**
 * The metrics of the pool of connections.
 *
 * Source: OpenTelemetry semantic conventions for database client metrics.
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { SqlError } from "effect/sql/SqlError"
import * as Metering from "../../Plugin/Metering.ts"
import { acquireOperation, type Bounds } from "./Acquire.ts"
import type { Server } from "./DatabaseUrl.ts"

/** The measures of one pool. */
export interface PoolMetrics {
  /** Measures the wait for a connection, and its use until the scope closes. */
  readonly borrowed: <A>(
    acquire: Effect.Effect<A, SqlError, Scope.Scope>
  ) => Effect.Effect<A, SqlError, Scope.Scope>
  /** Counts a connection as open, and returns the function that counts it as closed. */
  readonly opened: () => () => void
}

const none: PoolMetrics = { borrowed: (acquire) => acquire, opened: () => () => {} }

/** Returns the name of the pool of a server: its address and the database. */
export const nameOf = ({ database, host, port }: Server): string => `${host}:${port}/${database}`

const now = () => performance.now() / 1000

/** Returns the measures of a pool, which are in the metrics of the app. `name` is the database. */
export const make = (name: string, { maxConnections }: Bounds): Effect.Effect<PoolMetrics> =>
  Effect.gen(function* () {
    const context = yield* Effect.context<never>()
    if (!Metering.isMetered(context)) return none
    const attributes = { "db.client.connection.pool.name": name }
    let open = 0
    let pending = 0
    let used = 0
    const gauge = (id: string, description: string, read: () => number, state?: string) =>
      Metering.register(
        {
          attributes:
            state === undefined
              ? attributes
              : { ...attributes, "db.client.connection.state": state },
          description,
          id: `db.client.connection.${id}`,
          read,
          type: "gauge"
        },
        context
      )
    const count = "Open connections of the pool to the database"
    gauge("count", count, () => Math.max(0, open - used), "idle")
    gauge("count", count, () => used, "used")
    gauge("max", "The most connections that the pool opens", () => maxConnections)
    gauge("pending_requests", "Queries and transactions that wait for a connection", () => pending)
    const timedOut = Metering.counter(
      context,
      "db.client.connection.timeouts",
      "Waits for a connection that ended without one, at database.acquireTimeout"
    )(attributes)
    const use = Metering.duration(
      context,
      "db.client.connection.use_time",
      "Time between borrowing a connection and returning it"
    )(attributes)
    const wait = Metering.duration(
      context,
      "db.client.connection.wait_time",
      "Time that it took to get a connection, that of opening a new one included"
    )(attributes)

    const acquired = <A>(acquire: Effect.Effect<A, SqlError, Scope.Scope>) =>
      Effect.suspend(() => {
        const begin = now()
        pending++
        return Effect.onExitPrimitive(acquire, (exit) => {
          pending--
          wait(now() - begin)
          if (exit._tag === "Failure" && isTimeout(exit.cause)) timedOut()
          return undefined
        })
      })

    return {
      borrowed: (acquire) =>
        Effect.suspend(() => {
          let begin = 0
          return Effect.acquireRelease(
            Effect.map(acquired(acquire), (connection) => {
              begin = now()
              used++
              return connection
            }),
            () =>
              Effect.sync(() => {
                used--
                use(now() - begin)
              }),
            { interruptible: true }
          )
        }),
      opened: () => {
        open++
        return () => {
          open--
        }
      }
    }
  })

const isTimeout = (cause: Cause.Cause<SqlError>): boolean =>
  cause.reasons.some(
    (reason) => reason._tag === "Fail" && reason.error.reason.operation === acquireOperation
  )
