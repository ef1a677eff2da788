/** Runs a handler in a transaction, which begins with the first query and may be retried. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import type { SqlClient, TransactionConnection } from "effect/sql/SqlClient"
import { ConnectionError, SqlError } from "effect/sql/SqlError"
import { longestTimer } from "../../../Config/Timer.ts"
import * as Deadline from "../../../Plugin/Deadline.ts"
import * as RequestId from "../../../Server/Exchange/RequestId.ts"
import { acquireOperation, clock, within } from "../Acquire.ts"
import { lazyParts } from "../Client.ts"
import { isSchemaChange } from "../SchemaChange.ts"
import { limitOf } from "../Silence.ts"
import { canSendAhead, type Statement } from "./Ahead.ts"
import * as Begin from "./Begin.ts"
import * as Correlation from "./Correlation.ts"
import { type Begin as BeginWith, LazyConnection } from "./LazyConnection.ts"
import * as Unavailable from "./Unavailable.ts"

/** The settings of the transactions of a route. */
export interface Settings extends Begin.Mode {
  /** The longest time to begin a transaction: the wait for a connection, and `BEGIN`. */
  readonly acquireTimeout: Duration.Duration
  /**
   * How often the handler is run again after a serialization failure or a deadlock. After the
   * change of a table it is run again once in any case.
   */
  readonly retries: number
  /** The longest time of a statement. The deadline of a request can shorten it. */
  readonly statementTimeout: Duration.Duration
}

/**
 * How much longer than the request the server lets a statement run, in milliseconds. At the deadline the
 * statement is cancelled; the limit of the server is for a cancel request that does not arrive.
 */
const cancelTime = 1000

/** The wait before the first retry, in milliseconds. It doubles with each retry, and has jitter. */
const firstWait = 10

const longestWait = 1000

const backoff = (attempt: number): Effect.Effect<void> =>
  Effect.flatMap(Random.nextBetween(0.5, 1.5), (jitter) =>
    Effect.sleep(Math.min(longestWait, firstWait * 2 ** attempt) * jitter)
  )

const tooLate = (timeout: Duration.Duration): SqlError => {
  const message = `No transaction could begin within ${Duration.format(timeout)} (database.acquireTimeout). The pool is exhausted, or the database does not answer.`
  return new SqlError({
    reason: new ConnectionError({ cause: new Error(message), message, operation: "begin" })
  })
}

/** How many broken connections of the pool a request replaces before it fails. */
const staleConnections = 3

/** Whether to begin on another connection: this one is broken. An exhausted pool has no other. */
const isStale = ({ reason }: SqlError): boolean =>
  reason._tag === "ConnectionError" && reason.operation !== acquireOperation

/** Returns the function that runs an effect in a transaction. It is created once for each route. */
export const make = (client: SqlClient, settings: Settings) => {
  const { acquireTimeout, readOnly, retries } = settings
  const statements = Begin.statements(client, settings)
  const isPostgres = client.onDialectOrElse({ orElse: () => false, pg: () => true })
  const { acquire, withTransaction } = lazyParts(client)
  const { transactionService } = client
  const limit = Duration.toMillis(acquireTimeout)
  const longest = limitOf(settings.statementTimeout) ?? longestTimer

  /** Returns the limit of the server for the statements of a request; undefined for the usual one. */
  const statementTimeout = (fiber: Fiber.Fiber<unknown, unknown>): number | undefined => {
    const remaining = Deadline.remainingOf(fiber)
    if (remaining === undefined) return undefined
    const shortened = Math.ceil(remaining) + cancelTime
    return shortened < longest ? shortened : undefined
  }

  /** Begins in the write of the first statement. */
  const beginAhead =
    (left: () => number, settings: Statement | undefined): BeginWith =>
    (connection, statement, progress) =>
      Effect.suspend(() => {
        if (!canSendAhead(connection)) {
          return beginBefore(left, settings)(connection, statement, progress)
        }
        let late: SqlError | undefined
        const ended = connection.sendAhead({
          begin: statements[0]!, // there is one for PostgreSQL
          limit: left,
          onLate: () => (late = tooLate(acquireTimeout)),
          onRun: progress.begun,
          settings
        })
        return Effect.onExitPrimitive(
          Effect.mapError(statement, (error) => late ?? error),
          () => {
            if (ended()) progress.unsent()
            return undefined
          }
        )
      })

  /** Begins, and waits for the answers before the first statement. */
  const beginBefore =
    (left: () => number, settings: Statement | undefined): BeginWith =>
    (connection, statement, { begun }) => {
      const all = [
        ...statements.map((sql): Statement => ({ params: [], sql })),
        ...(settings === undefined ? [] : [settings])
      ]
      const beginning = Effect.forEach(
        all,
        ({ params, sql }) =>
          // MySQL cannot prepare them. PostgreSQL parses what is prepared once per connection.
          isPostgres
            ? connection.execute(sql, params, undefined)
            : connection.executeUnprepared(sql, params, undefined),
        { discard: true }
      )
      return Effect.suspend(() =>
        Effect.flatMap(
          within(Duration.millis(left()), () => tooLate(acquireTimeout))(beginning),
          () => {
            begun()
            return statement
          }
        )
      )
    }

  const makeConnection = (
    requestId: string,
    statementTimeout: number | undefined
  ): LazyConnection => {
    const correlation = Correlation.make(client, requestId, statementTimeout)
    let deadline = 0
    const now = () => clock.currentTimeMillisUnsafe()
    const left = () => Math.max(0, deadline - now())
    return new LazyConnection({
      acquire,
      begin: (isPostgres ? beginAhead : beginBefore)(left, correlation?.set),
      clear: correlation?.clear,
      opening: (open, hasBegun) =>
        Effect.suspend(() => {
          deadline = now() + limit
          return Effect.retry(open, {
            times: staleConnections,
            while: (error) => isStale(error) && !hasBegun() && left() > 0
          })
        }),
      sendCommit: (connection) => readOnly && canSendAhead(connection) && connection.sendCommit(),
      service: transactionService
    })
  }

  const attempt = <A, E, R>(
    effect: Effect.Effect<A, E, R>,
    requestId: string,
    done: number,
    renewed: boolean
  ): Effect.Effect<A, E | SqlError, R> =>
    Effect.withFiber((fiber) => {
      const connection = makeConnection(requestId, statementTimeout(fiber))
      return withTransaction(effect).pipe(
        Effect.provideService(transactionService, connection.outer),
        Effect.ensuring(connection.close),
        Effect.catchCause((cause): Effect.Effect<A, E | SqlError, R> => {
          if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause)
          const { conflict } = connection
          // The handler may have wrapped the error, or met it outside the transaction.
          const lost = connection.lost ?? Unavailable.lostBehind(cause)
          if (lost !== undefined) return Unavailable.answer(lost, cause)
          if (conflict === undefined) return Effect.failCause(cause)
          // A new transaction meets no statement that was prepared before the change.
          if (!renewed && isSchemaChange(conflict)) return attempt(effect, requestId, done, true)
          if (done >= retries) return Effect.failCause(cause)
          return Effect.andThen(backoff(done), attempt(effect, requestId, done + 1, renewed))
        })
      )
    })

  return <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | SqlError, R> =>
    Effect.withFiber((fiber) =>
      // In a transaction of the caller it is a savepoint.
      Context.getOrUndefined(
        fiber.context as Context.Context<TransactionConnection>,
        transactionService
      ) === undefined
        ? attempt(effect, fiber.getRef(RequestId.RequestId), 0, false)
        : client.withTransaction(effect)
    )
}
