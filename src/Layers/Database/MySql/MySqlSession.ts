/**
 * A connection to MySQL or MariaDB. It runs one statement at a time, and interruption
 * stops it on the server.
 */
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
  /** Whether the pool has handed out the session before. */
  isUsed: boolean
  /** Called once when the connection is lost. */
  onLost: () => void
  /** The time of the clock at which the session was opened, in milliseconds. */
  readonly openedAt: number
  readonly raw: Connection
  /**
   * Sends a command and waits for its callback. Interruption stops the command with
   * `KILL QUERY`, and waits until it has stopped.
   */
  readonly run: (
    operation: string,
    send: (callback: Callback) => void
  ) => Effect.Effect<unknown, SqlError>
  /**
   * Runs a statement whose rows are read one by one, and reserves the session until
   * the scope closes. A statement that has not ended by then is stopped with `KILL QUERY`.
   */
  readonly stream: (
    options: QueryOptions,
    params: ReadonlyArray<unknown>
  ) => Effect.Effect<Query, SqlError, Scope.Scope>
}

/** Converts a parameter for mysql2, whose two protocols encode objects differently. */
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
    // An error event without a listener would be thrown. The next statement reports the error.
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

/** Connects. Closing the scope closes the connection. */
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
            // A connection reset reaches only the waiting command: no event follows.
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

  /** Stops the running command. If that fails or takes too long, the connection is destroyed. */
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
      // A `KILL QUERY` that came too late would stop the next statement: send an empty one.
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
            // Rows that still arrive are dropped.
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
