/** The SQL client of PostgreSQL and PGlite, over a pool of sql-pg sessions. */
import * as PgClient from "@effect/sql-pg/PgClient"
import type { PgConnection as PgSession } from "@effect/sql-pg/PgConnection"
import * as PgPool from "@effect/sql-pg/PgPool"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Reactivity from "effect/reactivity/Reactivity"
import type * as Scope from "effect/Scope"
import type { Connection } from "effect/sql/SqlConnection"
import type { SqlError } from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import { bounded, type Bounds, clock } from "../Acquire.ts"
import * as Client from "../Client.ts"
import * as PoolMetrics from "../PoolMetrics.ts"
import { PgCatalogue } from "./PgCatalogue.ts"
import * as PgConnection from "./PgConnection.ts"
import { refine } from "./PgErrors.ts"
import { countOnce, limitSilence, renewStatements } from "./PgInternals.ts"
import { PgParameters } from "./PgParameters.ts"
import { decoders } from "./PgType.ts"

/** The fragment that sql-pg's compiler writes as `jsonb`. */
const PgJson = Statement.custom<Statement.Custom<"PgJson", unknown>>("PgJson")

/** The options of a client. */
export interface Options {
  /** The attributes of the spans of its statements. */
  readonly attributes: Readonly<Record<string, unknown>>
  readonly bounds: Bounds
  /** Whether statements have a comment with the app and the route. */
  readonly comments: boolean
  readonly driver: "pg" | "pglite"
  /** The name of the pool in the metrics of the app. */
  readonly name: string
  readonly pool: PgPool.Config
  /** The limit of the server for a statement, in milliseconds. The client waits a little longer. */
  readonly statementTimeout: number | undefined
}

/**
 * Creates a `PgClient`, with `json`, `listen` and `notify`. Unlike that of
 * `PgClient.make`, it limits the wait for a connection, takes the reason of an error
 * from its SQLSTATE, and fails with a typed error if a connection is lost in a
 * transaction.
 */
export const make = (
  options: Options
): Effect.Effect<PgClient.PgClient, SqlError, Reactivity.Reactivity | Scope.Scope> =>
  Effect.gen(function* () {
    const { statementTimeout } = options
    const shared: PgConnection.Shared = {
      catalogue: new PgCatalogue(yield* decoders),
      changes: 0,
      parameters: new PgParameters(),
      statementTimeout
    }
    const opened = PgPool.make({
      ...options.pool,
      preparedStatementCacheSize: Client.mostPrepared,
      // The values of a `timestamp`, and what the database calculates, are UTC.
      startupParameters: { ...options.pool.startupParameters, DateStyle: "ISO", TimeZone: "UTC" },
      types: shared.catalogue.registry
    })
    const pool = yield* Effect.provideService(opened, Clock.Clock, clock)
    const metrics = yield* PoolMetrics.make(options.name, options.bounds)
    const borrowed = (acquire: Effect.Effect<PgSession, SqlError, Scope.Scope>) =>
      metrics.borrowed(
        Effect.map(bounded(options.bounds)(acquire), (one) => {
          countOnce(one, metrics.opened)
          return one
        })
      )
    const taken = (acquire: Effect.Effect<PgSession, SqlError, Scope.Scope>) =>
      Effect.map(borrowed(Effect.mapError(acquire, refine)), (one) => {
        if (statementTimeout !== undefined) limitSilence(one, statementTimeout)
        renewStatements(one, shared.changes)
        return one
      })
    const session = taken(pool.reserve)
    const known = new WeakMap<PgSession, Connection>()
    const wrapped = (connection: PgSession): Connection => {
      const before = known.get(connection)
      if (before !== undefined) return before
      const made = PgConnection.make(connection, shared)
      known.set(connection, made)
      return made
    }
    const acquirer = Effect.map(taken(pool.get), wrapped)
    const client = yield* Client.make({
      acquirer,
      cleanAcquirer: Effect.map(
        Effect.acquireRelease(session, pool.invalidate, { interruptible: true }),
        (one) => PgConnection.make(one, shared)
      ),
      comments: options.comments,
      commit: PgConnection.commit,
      compiler: PgClient.makeCompiler(),
      driver: options.driver,
      lazyAcquirer: acquirer,
      onCommitFailure: PgConnection.rollback,
      prepareTransactionControls: true,
      releaseSavepoint: (name) => `RELEASE SAVEPOINT ${name}`,
      spanAttributes: Object.entries({ "db.system.name": "postgresql", ...options.attributes }),
      transactionAcquirer: Effect.map(session, (one) => PgConnection.make(one, shared))
    })
    return Object.assign(client, {
      [PgClient.TypeId]: PgClient.TypeId,
      config: options.pool,
      json: (value: unknown) => Statement.fragment([PgJson(value)]),
      listen: (channel: string) =>
        Effect.flatMap(session, (connection) =>
          Effect.mapError(connection.listen(channel), refine)
        ),
      notify: (channel: string, payload: string) =>
        Effect.asVoid(client`select pg_notify(${channel}, ${payload})`)
    })
  })
