/** MySQL and MariaDB through `mysql2`. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Pool from "effect/Pool"
import type * as Reactivity from "effect/reactivity/Reactivity"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type * as SqlClient from "effect/sql/SqlClient"
import { ConnectionError, SqlError } from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import type { ConnectionOptions } from "mysql2"
import { longestTimer } from "../../../Config/Timer.ts"
import { bounded, clock, within } from "../Acquire.ts"
import * as Client from "../Client.ts"
import type { Settings } from "../DatabaseConfig.ts"
import type { Server } from "../DatabaseUrl.ts"
import type { Password } from "../Password.ts"
import * as PoolMetrics from "../PoolMetrics.ts"
import * as Silence from "../Silence.ts"
import * as MySqlConnection from "./MySqlConnection.ts"
import * as MySqlSession from "./MySqlSession.ts"

const compiler = Statement.makeCompiler({
  dialect: "mysql",
  onCustom: () => ["", []],
  onIdentifier: Statement.defaultEscape("`"),
  // Neither MySQL nor MariaDB accepts a list of rows with column names as a table.
  onRecordUpdate: (_placeholders, alias, columns, values) => [
    `(WITH ${alias} ${columns} AS (${values
      .map((row) => `SELECT ${row.map(() => "?").join(",")}`)
      .join(" UNION ALL ")}) SELECT * FROM ${alias}) AS ${alias}`,
    values.flat()
  ],
  placeholder: () => "?"
})

/** Returns the TLS option: from the setting, or else from `ssl-mode` or `ssl` in the URL. */
const tls = (ssl: Settings["ssl"], url: URL): Pick<ConnectionOptions, "ssl"> => {
  const mode = (url.searchParams.get("ssl-mode") ?? "").toUpperCase()
  const encrypted = mode.startsWith("VERIFY_") || url.searchParams.get("ssl") === "true"
  const unverified = mode === "PREFERRED" || mode === "REQUIRED"
  const wanted = ssl ?? (encrypted ? true : unverified ? "no-verify" : false)
  return wanted === false ? {} : { ssl: { rejectUnauthorized: wanted === true } }
}

const optionsOf = (target: Server, settings: Settings, migrates: boolean): ConnectionOptions => {
  const url = new URL(Redacted.value(target.url))
  return {
    charset: "utf8mb4_unicode_ci",
    connectTimeout: Math.min(longestTimer, Math.max(1, Duration.toMillis(settings.acquireTimeout))),
    database: target.database,
    enableKeepAlive: true,
    keepAliveInitialDelay: Duration.toMillis(Silence.keepAlive),
    maxPreparedStatements: Client.mostPrepared,
    // An injected statement must not be able to add another one.
    multipleStatements: migrates,
    password: Redacted.value(target.password),
    // An object as a parameter must never become SQL.
    stringifyObjects: true,
    // BIGINT as text, which the connection converts to `bigint`.
    bigNumberStrings: true,
    supportBigNumbers: true,
    // Dates are UTC, both in the driver and in the session (see `prepare`).
    timezone: "Z",
    user: target.user,
    ...(target.host.startsWith("/")
      ? { socketPath: target.host }
      : { host: target.host.replace(/^\[|\]$/g, ""), port: target.port }),
    ...tls(settings.ssl, url)
  }
}

const prepare = (session: MySqlSession.MySqlSession, limit: number | undefined) =>
  Effect.gen(function* () {
    const query = (sql: string) =>
      session.run("connect", (callback) => session.raw.query(sql, callback))
    yield* query("SET time_zone = '+00:00'")
    if (limit === undefined) return
    const rows = yield* query("SELECT VERSION() AS version")
    const [name, value] = JSON.stringify(rows).includes("MariaDB")
      ? ["max_statement_time", limit / 1000]
      : ["max_execution_time", limit]
    session.limit = { off: `SET SESSION ${name} = 0`, on: `SET SESSION ${name} = ${value}` }
    yield* query(session.limit.on)
  })

const notReady = (timeout: Duration.Duration): SqlError => {
  const message = `The server took the connection, and then did not answer within ${Duration.format(timeout)} (database.acquireTimeout).`
  return new SqlError({
    reason: new ConnectionError({ cause: new Error(message), message, operation: "connect" })
  })
}

const makePool = Effect.fnUntraced(function* (
  target: Server,
  settings: Settings,
  migrates: boolean,
  password: Password
) {
  const options = optionsOf(target, settings, migrates)
  const fork = Effect.runForkWith(yield* Effect.context())
  const limit = Silence.limitOf(settings.statementTimeout)
  const metrics = yield* PoolMetrics.make(PoolMetrics.nameOf(target), settings)
  const ttl = Duration.toMillis(settings.connectionTtl)
  const pool: Pool.Pool<MySqlSession.MySqlSession, SqlError> = yield* Pool.makeWithTTL({
    acquire: Effect.gen(function* () {
      const session = yield* MySqlSession.make(
        password === undefined
          ? options
          : { ...options, password: Redacted.value(yield* password) },
        limit,
        clock.currentTimeMillisUnsafe()
      )
      yield* within(settings.acquireTimeout, () => notReady(settings.acquireTimeout))(
        prepare(session, limit)
      )
      const closed = metrics.opened()
      yield* Effect.addFinalizer(() => Effect.sync(closed))
      session.onLost = () => fork(Pool.invalidate(pool, session))
      return session
    }),
    max: settings.maxConnections,
    min: settings.minConnections,
    timeToLive: settings.idleTimeout,
    timeToLiveStrategy: "usage"
  })
  const get: Effect.Effect<MySqlSession.MySqlSession, SqlError, Scope.Scope> = Effect.flatMap(
    Pool.get(pool),
    (session) => {
      const old = session.isUsed && clock.currentTimeMillisUnsafe() - session.openedAt >= ttl
      session.isUsed = true
      return old ? Effect.andThen(Pool.invalidate(pool, session), get) : Effect.succeed(session)
    }
  )
  return {
    invalidate: (session: MySqlSession.MySqlSession) => Pool.invalidate(pool, session),
    session: metrics.borrowed(bounded(settings)(get))
  }
})

/**
 * Creates the client. Connections are opened on demand. Only the client of migrations
 * accepts several statements at once.
 */
export const make = (
  target: Server,
  settings: Settings,
  migrates: boolean,
  password: Password
): Effect.Effect<SqlClient.SqlClient, SqlError, Reactivity.Reactivity | Scope.Scope> =>
  Effect.gen(function* () {
    const { invalidate, session } = yield* Effect.provideService(
      makePool(target, settings, migrates, password),
      Clock.Clock,
      clock
    )
    const transactionAcquirer = Effect.map(session, (one) => MySqlConnection.make(one, true))
    return yield* Client.make({
      acquirer: Effect.map(session, (one) => MySqlConnection.make(one, false)),
      cleanAcquirer: Effect.map(
        Effect.acquireRelease(session, invalidate, { interruptible: true }),
        (one) => MySqlConnection.make(one, true)
      ),
      comments: settings.comments && !migrates,
      compiler,
      driver: "mysql2",
      lazyAcquirer: transactionAcquirer,
      releaseSavepoint: (name) => `RELEASE SAVEPOINT ${name}`,
      spanAttributes: [
        ["db.system.name", "mysql"],
        ["db.namespace", target.database],
        ["server.address", target.host],
        ["server.port", target.port]
      ],
      transactionAcquirer
    })
  })
