/**
 * A connection to MySQL or MariaDB. It runs one statement at a time, and interruption
 * stops it on the server.
 */
import type { Socket } from "node:net"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { ConnectionError, SqlError } from "effect/sql/SqlError"
import type { Connection, ConnectionOptions, Query, QueryOptions } from "mysql2"
import { createConnection } from "mysql2"
import * as Silence from "../Silence.ts"
import { toSqlError } from "./MySqlErrors.ts"

type Callback = (error: unknown, result?: unknown) => void

const killTimeout = "5 seconds"

/** A connected session. */
export interface MySqlSession {
  /** Whether the pool has handed out the session before. */
  isUsed: boolean
  /** The statements that switch the server's limit for a statement off and on again. */
  limit: { readonly off: string; readonly on: string } | undefined
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

/**
 * Connects. Closing the scope closes the connection. `silence` is how long the server may
 * send nothing while a command runs, in milliseconds.
 */
export const make = (
  options: ConnectionOptions,
  silence: number | undefined,
  now: number
): Effect.Effect<MySqlSession, SqlError, Scope.Scope> =>
  Effect.acquireRelease(connectRaw(options), end, { interruptible: true }).pipe(
    Effect.map((raw) => fromRaw(raw, options, silence, now))
  )

const fromRaw = (
  raw: Connection,
  options: ConnectionOptions,
  silence: number | undefined,
  now: number
): MySqlSession => {
  const permit = Semaphore.makeUnsafe(1)
  let lost: SqlError | undefined
  let isWaiting = false
  let streamed: Query | undefined

  const lose = (cause: unknown) => {
    if (lost !== undefined) return
    const message = cause instanceof Error ? cause.message : "Connection lost"
    lost = new SqlError({ reason: new ConnectionError({ cause, message, operation: "query" }) })
    // The driver reports it only to commands with a callback.
    streamed?.emit("error", lost)
    session.onLost()
  }
  raw.on("error", lose)
  raw.on("end", () => lose(new Error("Connection lost: the server closed the connection")))

  const exchange = (operation: string, send: (callback: Callback) => void) =>
    Effect.callback<unknown, SqlError>((resume) => {
      if (lost !== undefined) return resume(Effect.fail(lost))
      isWaiting = true
      const finished = new Promise<void>((settle) => {
        try {
          send((error, result) => {
            isWaiting = false
            const failed = error ? toSqlError(error, operation) : undefined
            // A connection reset reaches only the waiting command: no event follows.
            if (failed?.reason._tag === "ConnectionError") lose(error)
            resume(failed === undefined ? Effect.succeed(result) : Effect.fail(failed))
            settle()
          })
        } catch (cause) {
          isWaiting = false
          resume(Effect.fail(toSqlError(cause, operation)))
          settle()
        }
      })
      return stop(finished)
    })

  /** Stops the running command on another connection. */
  const kill = Effect.flatMap(Effect.acquireRelease(connectRaw(options), end), (killer) =>
    Effect.callback<void, SqlError>((resume) => {
      killer.query(`KILL QUERY ${raw.threadId}`, (error) =>
        resume(error ? Effect.fail(toSqlError(error, "kill")) : Effect.void)
      )
    })
  )

  /** Stops the running command. If that fails or takes too long, the connection is destroyed. */
  const stop = (finished: Promise<void>): Effect.Effect<void> =>
    Effect.gen(function* () {
      if (lost !== undefined) return
      yield* kill
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

  if (silence !== undefined) {
    const { stream: socket } = raw as unknown as { readonly stream: Socket } // no type has it
    Silence.watch(silence, {
      isWaiting: () => isWaiting,
      lose: (error) => {
        // A server that only takes long must not go on without a reader.
        Effect.runFork(kill.pipe(Effect.scoped, Effect.timeout(killTimeout), Effect.ignore))
        socket.destroy(error)
      },
      socket
    })
  }

  const session: MySqlSession = {
    isUsed: false,
    limit: undefined,
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
        streamed = query
        isWaiting = true
        const finished = new Promise<void>((settle) => {
          const finish = () => {
            streamed = undefined
            isWaiting = false
            settle()
          }
          query.on("end", finish)
          query.on("error", finish)
        })
        yield* Effect.addFinalizer(() =>
          Effect.suspend(() => {
            if (streamed !== query) return Effect.void
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
