/** One transaction around a handler: begun by its first query, retried where that was asked for. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { SqlClient, TransactionConnection } from "effect/sql/SqlClient"
import { ConnectionError, SqlError } from "effect/sql/SqlError"
import * as RequestId from "../../../Server/Exchange/RequestId.ts"
import { acquireOperation } from "../Acquire.ts"
import * as Begin from "./Begin.ts"
import * as Correlation from "./Correlation.ts"
import { LazyConnection } from "./LazyConnection.ts"
import * as Unavailable from "./Unavailable.ts"

/** How the transaction of a route is run. */
export interface Settings extends Begin.Mode {
  /** Longest way to a begun transaction: the wait for a connection, and `BEGIN`. */
  readonly acquireTimeout: Duration.Duration
  /** How often the handler is run again after a serialization failure or a deadlock. */
  readonly retries: number
}

/** The first wait before a retry; each further one is twice as long, with jitter. */
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

/** How many connections that broke unnoticed in the pool a request gets past. */
const staleConnections = 3

/** Nothing was done on it, so that another may be taken; a pool without a free one has no other. */
const isStale = ({ reason }: SqlError): boolean =>
  reason._tag === "ConnectionError" && reason.operation !== acquireOperation

/** What puts the transaction around an effect; made once for each route. */
export const around = (client: SqlClient, settings: Settings) => {
  const { acquireTimeout, retries } = settings
  const statements = Begin.statements(client, settings)
  const isPostgres = client.onDialectOrElse({ orElse: () => false, pg: () => true })
  const { transactionService } = client

  const makeConnection = (requestId: string): LazyConnection => {
    const correlation = Correlation.make(client, requestId)
    return new LazyConnection({
      acquire: client.reserve,
      begin: (connection) => {
        const begun = Effect.forEach(
          statements,
          (sql) =>
            // MySQL does not prepare these, PostgreSQL parses them once for each connection.
            isPostgres
              ? connection.execute(sql, [], undefined)
              : connection.executeUnprepared(sql, [], undefined),
          { discard: true }
        )
        return correlation === undefined
          ? begun
          : Effect.andThen(begun, correlation.set(connection))
      },
      clear: correlation?.clear,
      opening: (open) =>
        Effect.timeoutOrElse(Effect.retry(open, { times: staleConnections, while: isStale }), {
          duration: acquireTimeout,
          orElse: () => Effect.fail(tooLate(acquireTimeout))
        }),
      service: transactionService
    })
  }

  const attempt = <A, E, R>(
    effect: Effect.Effect<A, E, R>,
    requestId: string,
    done: number
  ): Effect.Effect<A, E | SqlError, R> =>
    Effect.suspend(() => {
      const connection = makeConnection(requestId)
      return client.withTransaction(effect).pipe(
        Effect.provideService(transactionService, connection.outer),
        Effect.ensuring(connection.close),
        Effect.catchCause((cause): Effect.Effect<A, E | SqlError, R> => {
          if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause)
          const { conflict } = connection
          // The handler may have turned the error into another, or met it outside.
          const lost = connection.lost ?? Unavailable.lostBehind(cause)
          if (lost !== undefined) return Unavailable.answer(lost, cause)
          if (conflict === undefined || done >= retries) return Effect.failCause(cause)
          return Effect.andThen(backoff(done), attempt(effect, requestId, done + 1))
        })
      )
    })

  return <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | SqlError, R> =>
    Effect.withFiber((fiber) =>
      // Within a transaction of the caller's it is a savepoint, and ends with it.
      Context.getOrUndefined(
        fiber.context as Context.Context<TransactionConnection>,
        transactionService
      ) === undefined
        ? attempt(effect, fiber.getRef(RequestId.RequestId), 0)
        : client.withTransaction(effect)
    )
}
