/** One connection to MySQL or MariaDB: one statement at a time, and an interruption stops it on the server. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { ConnectionError, SqlError } from "effect/sql/SqlError"
import type { Connection, ConnectionOptions, Query, QueryOptions } from "mysql2"
import { createConnection } from "mysql2"
import { toSqlError } from "./MySqlErrors.ts"

type Callback = (error: unknown, result?: unknown) => void

const killTimeout = "5 seconds"

/** A connected session. */
export interface MySqlSession {
  /** Whether the pool has handed it out before. */
  isUsed: boolean
  /** Called once when the connection is lost. */
  onLost: () => void
  /** When it was opened, in milliseconds of the clock. */
  readonly openedAt: number
  readonly raw: Connection
  /**
   * Sends a command and waits for its callback. When it is interrupted, the
   * command is stopped by `KILL QUERY` and the wait ends when the server agreed.
   */
  readonly run: (
    operation: string,
    send: (callback: Callback) => void
  ) => Effect.Effect<unknown, SqlError>
  /**
   * Gives the connection to a statement whose rows are taken one by one. The
   * statement is stopped by `KILL QUERY` when the scope closes before its end.
   */
  readonly stream: (
    options: QueryOptions,
    params: ReadonlyArray<unknown>
  ) => Effect.Effect<Query, SqlError, Scope.Scope>
}

/** Parameters as mysql2 takes them: its own conversions of objects differ between its two protocols. */
export const toParameter = (value: unknown): unknown => {
  if (value === undefined) return null
  if (typeof value === "bigint") return value.toString()
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  }
  if (value instanceof Date || typeof value !== "object" || value === null) return value
  return JSON.stringify(value)
}

const connectRaw = (options: ConnectionOptions): Effect.Effect<Connection, SqlError> =>
  Effect.callback((resume) => {
    const raw = createConnection(options)
    // Errors of a connection nobody waits for are seen by the next statement.
    raw.on("error", () => {})
    raw.connect((error) => {
      if (error) raw.destroy()
      resume(error ? Effect.fail(toSqlError(error, "connect")) : Effect.succeed(raw))
    })
    return Effect.sync(() => raw.destroy())
  })

const end = (raw: Connection): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    raw.end(() => resume(Effect.void))
  }).pipe(
    Effect.timeoutOrElse({ duration: "1 second", orElse: () => Effect.sync(() => raw.destroy()) })
  )

/** Connects within the scope. */
export const make = (
  options: ConnectionOptions,
  now: number
): Effect.Effect<MySqlSession, SqlError, Scope.Scope> =>
  Effect.acquireRelease(connectRaw(options), end, { interruptible: true }).pipe(
    Effect.map((raw) => fromRaw(raw, options, now))
  )

const fromRaw = (raw: Connection, options: ConnectionOptions, now: number): MySqlSession => {
  const permit = Semaphore.makeUnsafe(1)
  let lost: SqlError | undefined

  const lose = (cause: unknown) => {
    if (lost !== undefined) return
    const message = cause instanceof Error ? cause.message : "Connection lost"
    lost = new SqlError({ reason: new ConnectionError({ cause, message, operation: "query" }) })
    session.onLost()
  }
  raw.on("error", lose)
  raw.on("end", () => lose(new Error("Connection lost: the server closed the connection")))

  const exchange = (operation: string, send: (callback: Callback) => void) =>
    Effect.callback<unknown, SqlError>((resume) => {
      if (lost !== undefined) return resume(Effect.fail(lost))
      const finished = new Promise<void>((settle) => {
        try {
          send((error, result) => {
            const failed = error ? toSqlError(error, operation) : undefined
            // A reset is told to the waiting command alone: no event follows.
            if (failed?.reason._tag === "ConnectionError") lose(error)
            resume(failed === undefined ? Effect.succeed(result) : Effect.fail(failed))
            settle()
          })
        } catch (cause) {
          resume(Effect.fail(toSqlError(cause, operation)))
          settle()
        }
      })
      return stop(finished)
    })

  /** Stops what runs; a connection that does not obey is given up. */
  const stop = (finished: Promise<void>): Effect.Effect<void> =>
    Effect.gen(function* () {
      if (lost !== undefined) return
      const killer = yield* Effect.acquireRelease(connectRaw(options), end)
      yield* Effect.callback<void, SqlError>((resume) => {
        killer.query(`KILL QUERY ${raw.threadId}`, (error) =>
          resume(error ? Effect.fail(toSqlError(error, "kill")) : Effect.void)
        )
      })
      yield* Effect.promise(() => finished)
      // A kill that came too late for the statement would hit the next one: let it hit this.
      yield* Effect.callback<void>((resume) => {
        raw.query("DO 0", () => resume(Effect.void))
      })
    }).pipe(
      Effect.scoped,
      Effect.timeout(killTimeout),
      Effect.catchCause((cause) =>
        Effect.sync(() => {
          lose(cause)
          raw.destroy()
        })
      )
    )

  const session: MySqlSession = {
    isUsed: false,
    onLost: () => {},
    openedAt: now,
    raw,
    run: (operation, send) => permit.withPermits(1)(exchange(operation, send)),
    stream: (queryOptions, params) =>
      Effect.gen(function* () {
        yield* Effect.acquireRelease(permit.take(1), () => permit.release(1), {
          interruptible: true
        })
        if (lost !== undefined) return yield* lost
        const query = raw.execute(queryOptions, params.map(toParameter) as Array<never>)
        let running = true
        const finished = new Promise<void>((settle) => {
          const finish = () => {
            running = false
            settle()
          }
          query.on("end", finish)
          query.on("error", finish)
        })
        yield* Effect.addFinalizer(() =>
          Effect.suspend(() => {
            if (!running) return Effect.void
            // Nobody takes the rows that are still on their way.
            query.removeAllListeners("result")
            raw.resume()
            return stop(finished)
          })
        )
        return query
      })
  }
  return session
}
