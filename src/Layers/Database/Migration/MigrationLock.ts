/** The lock that lets one process migrate at a time. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"

const poll = "200 millis"

const typeId = "~flange/Database/MigrationLock"

/** A client of an embedded database, which carries the migration lock itself. */
export interface Embedded {
  readonly [typeId]: Semaphore.Semaphore
}

/**
 * Adds a migration lock to the client of an embedded database. All its queries share
 * one session, and a session is not excluded by advisory locks that it holds itself.
 */
export const embed = <Client extends SqlClient.SqlClient>(client: Client): Client & Embedded =>
  Object.assign(client, { [typeId]: Semaphore.makeUnsafe(1) } as const)

const isEmbedded = (sql: SqlClient.SqlClient): sql is Embedded & SqlClient.SqlClient =>
  typeId in sql

/** The statements of the lock. `lock` does not wait if another session holds it. */
interface Statements {
  readonly lock: string
  readonly unlock: string
}

const statements: Readonly<Record<"mysql" | "pg", Statements>> = {
  mysql: {
    // All databases of a server share the names of locks.
    lock: "select get_lock(concat('flange_migrations/', left(md5(database()), 32)), 0) as locked",
    unlock: "select release_lock(concat('flange_migrations/', left(md5(database()), 32)))"
  },
  pg: {
    lock: "select pg_try_advisory_lock(hashtext('flange_migrations'), hashtext(current_schema())) as locked",
    unlock: "select pg_advisory_unlock(hashtext('flange_migrations'), hashtext(current_schema()))"
  }
}

/**
 * Waits for the lock and holds it until the scope closes, on a separate connection.
 *
 * It polls, because a statement that waits in the server would block
 * `CREATE INDEX CONCURRENTLY` of the process that holds the lock.
 */
export const acquire = (sql: SqlClient.SqlClient): Effect.Effect<void, SqlError, Scope.Scope> =>
  Effect.gen(function* () {
    if (isEmbedded(sql)) {
      const { [typeId]: semaphore } = sql
      yield* Effect.acquireRelease(semaphore.take(1), () => semaphore.release(1), {
        interruptible: true
      })
      return
    }
    const connection = yield* sql.reserve
    const { lock, unlock } = sql.onDialectOrElse({
      mysql: () => statements.mysql,
      orElse: () => statements.pg
    })
    const attempt = Effect.map(connection.executeUnprepared(lock, [], undefined), (rows) => {
      const [row] = rows
      return row !== undefined && (row.locked === true || Number(row.locked) === 1)
    })
    yield* Effect.acquireRelease(
      Effect.gen(function* () {
        let announced = false
        while (!(yield* attempt)) {
          if (!announced) yield* Effect.logInfo("Another process is migrating: waiting for it")
          announced = true
          yield* Effect.sleep(poll)
        }
      }),
      // If this fails, the server releases the lock with the connection.
      () => Effect.ignore(connection.executeUnprepared(unlock, [], undefined)),
      { interruptible: true }
    )
  })
