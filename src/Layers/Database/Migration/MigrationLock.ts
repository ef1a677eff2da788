/** Lets one process migrate at a time. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"

const poll = "200 millis"

const typeId = "~flange/Database/MigrationLock"

/** A client of a database with one session, which holds the migration lock itself. */
export interface Embedded {
  readonly [typeId]: Semaphore.Semaphore
}

/** Gives the lock to the client of a database with one session, where the database's own locks keep nobody out. */
export const embed = <Client extends SqlClient.SqlClient>(client: Client): Client & Embedded =>
  Object.assign(client, { [typeId]: Semaphore.makeUnsafe(1) } as const)

const isEmbedded = (sql: SqlClient.SqlClient): sql is Embedded & SqlClient.SqlClient =>
  typeId in sql

interface Words {
  readonly lock: string
  readonly unlock: string
}

const words: Readonly<Record<"mysql" | "pg", Words>> = {
  mysql: {
    // Names of locks belong to the whole server.
    lock: "select get_lock(concat('flange_migrations/', left(md5(database()), 32)), 0) as locked",
    unlock: "select release_lock(concat('flange_migrations/', left(md5(database()), 32)))"
  },
  pg: {
    lock: "select pg_try_advisory_lock(hashtext('flange_migrations'), hashtext(current_schema())) as locked",
    unlock: "select pg_advisory_unlock(hashtext('flange_migrations'), hashtext(current_schema()))"
  }
}

/**
 * Waits for the lock and holds it until the scope closes, on a connection of
 * its own. It asks again and again instead of waiting inside the server: a
 * waiting statement would block `CREATE INDEX CONCURRENTLY` for ever.
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
      mysql: () => words.mysql,
      orElse: () => words.pg
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
      // The server drops the lock with the connection.
      () => Effect.ignore(connection.executeUnprepared(unlock, [], undefined)),
      { interruptible: true }
    )
  })
