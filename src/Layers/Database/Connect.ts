/** Opens the database of a URL and waits until it answers. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as Metering from "../../Plugin/Metering.ts"
import { type Settings, targetOf } from "./DatabaseConfig.ts"
import { describe, type Server, type Target } from "./DatabaseUrl.ts"
import { DatabaseUnreachable, type DataDirectoryError, DriverMissing } from "./Errors.ts"
import { type Password, passwordOf } from "./Password.ts"

/** The errors with which opening a database may fail. */
export type ConnectError = DatabaseUnreachable | DataDirectoryError | DriverMissing | SqlError

const packagesOf: Readonly<Record<Target["_tag"], ReadonlyArray<string>>> = {
  Embedded: ["@effect/sql-pg", "@electric-sql/pglite"],
  MySql: ["mysql2"],
  Postgres: ["@effect/sql-pg"]
}

/** Loads the driver of a URL. An app installs only the drivers that it uses. */
const driver = <A>(target: Target, load: () => Promise<A>): Effect.Effect<A, DriverMissing> =>
  Effect.tryPromise({
    catch: (cause) =>
      new DriverMissing({ cause, packages: packagesOf[target._tag], target: describe(target) }),
    try: load
  })

const open = (
  target: Target,
  settings: Settings,
  migrates: boolean,
  password: Password
): Effect.Effect<
  SqlClient.SqlClient,
  DataDirectoryError | DriverMissing | SqlError,
  Reactivity.Reactivity | Scope.Scope
> => {
  // The texts of migrations are sent as they are.
  const comments = settings.comments && !migrates
  switch (target._tag) {
    case "Embedded":
      return Effect.flatMap(
        driver(target, () => import("./Pglite/Pglite.ts")),
        (module) => module.make(target, settings, comments)
      )
    case "MySql":
      return Effect.flatMap(
        driver(target, () => import("./MySql/MySql.ts")),
        (module) => module.make(target, settings, migrates, password)
      )
    case "Postgres":
      return Effect.flatMap(
        driver(target, () => import("./Postgres/Postgres.ts")),
        (module) => module.make(target, settings, comments, password)
      )
  }
}

const backoff = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("2 seconds")])

/** The codes of a certificate that is refused, and of a server without TLS. */
const tlsCode =
  /^(?:CERT_|DEPTH_ZERO_|EPROTO$|ERR_SSL_|ERR_TLS_|HANDSHAKE_|HOSTNAME_MISMATCH|SELF_SIGNED_|UNABLE_TO_)/

/**
 * Whether another attempt can succeed without a change of the configuration. A driver counts
 * a failed negotiation of TLS as a lost connection.
 */
const isPassing = (error: SqlError): boolean => {
  const { cause } = error.reason
  const code = hasProperty(cause, "code") ? String(cause.code) : ""
  return error.isRetryable && !tlsCode.test(code) && !error.message.includes("Server refused TLS")
}

/** Queries the server until it answers. An error that would come again ends the wait. */
const untilReachable = (sql: SqlClient.SqlClient, target: Server, wait: Duration.Duration) =>
  Effect.gen(function* () {
    const start = yield* Clock.currentTimeMillis
    const password = Redacted.value(target.password)
    const secrets = [encodeURIComponent(password), password].filter((secret) => secret !== "")
    let last = "no answer"
    let announced = false
    const fail = Effect.gen(function* () {
      const waited = hasNoUser(target) ? 0 : (yield* Clock.currentTimeMillis) - start
      return yield* new DatabaseUnreachable({
        database: target.database,
        host: target.host,
        reason: secrets.reduce((text, secret) => text.replaceAll(secret, "<redacted>"), last),
        target: describe(target),
        waited: Duration.format(Duration.millis(Math.round(waited)))
      })
    })
    if (hasNoUser(target)) {
      last = "the URL names no user, and the variable USER is not set"
      return yield* fail
    }
    const ask = Effect.tapError(sql`select 1`, (error) => {
      last = error.message
      if (announced || !isPassing(error)) return Effect.void
      announced = true
      return Effect.logWarning(`Waiting for ${describe(target)}`)
    })
    yield* ask.pipe(
      Effect.retry({ schedule: backoff, while: isPassing }),
      Effect.timeoutOrElse({ duration: wait, orElse: () => fail }),
      Effect.catchTag("SqlError", () => fail)
    )
  })

/** Whether the driver would have to guess the user: `@effect/sql-pg` takes that of the process. */
const hasNoUser = ({ _tag, user }: Server): boolean =>
  user === "" && (_tag === "MySql" || !(process.env["USER"] ?? process.env["USERNAME"]))

/**
 * Opens the database that the settings name, and waits until it answers. `migrates` is
 * true for the client of migrations, whose files may have several statements in one query. Its pool is
 * not in the metrics.
 */
export const connect = (
  settings: Settings,
  { migrates = false }: { readonly migrates?: boolean } = {}
): Effect.Effect<SqlClient.SqlClient, ConnectError, Scope.Scope> =>
  Effect.gen(function* () {
    const target = targetOf(settings)
    const opened = Effect.provideService(
      open(target, settings, migrates, yield* passwordOf(settings, target)),
      Reactivity.Reactivity,
      yield* Reactivity.make
    )
    const sql = yield* migrates ? Metering.unmetered(opened) : opened
    if (target._tag !== "Embedded") yield* untilReachable(sql, target, settings.bootWait)
    return sql
  })
