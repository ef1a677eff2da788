/** Lets one process migrate at a time. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"

const poll = "200 millis"

/** PGlite has one process and one session, where the database's own locks keep nobody out. */
const embedded = new WeakMap<SqlClient.SqlClient, Semaphore.Semaphore>()

const semaphoreOf = (sql: SqlClient.SqlClient): Semaphore.Semaphore => {
  const known = embedded.get(sql)
  if (known !== undefined) return known
  const made = Semaphore.makeUnsafe(1)
  embedded.set(sql, made)
  return made
}

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
    if (sql.driver === "pglite") {
      const semaphore = semaphoreOf(sql)
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
