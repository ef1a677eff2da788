/** Lets repositories require a transaction. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { SqlClient } from "effect/sql/SqlClient"
import { NotInTransaction } from "./NotInTransaction.ts"
import { hasEnded, levelOf } from "./Turns.ts"

/**
 * The service of a repository whose methods are only right in a transaction, such as a check and the
 * write that depends on it. `Database.transactional()` provides it, so an app without that
 * plugin does not compile.
 *
 * `required` succeeds in a transaction: that of a request, or `sql.withTransaction`. Elsewhere
 * it dies with `NotInTransaction`: in an action, a background task, a fiber that outlives its
 * transaction, or a handler with `Database.Transactional` set to `false`.
 *
 * `InTransaction.layer` provides it where the transactions are not those of
 * `Database.transactional()`.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as SqlClient from "effect/sql/SqlClient"
 * import * as Database from "flange/Database"
 *
 * const makeRooms = Effect.gen(function*() {
 *   const sql = yield* SqlClient.SqlClient
 *   const transaction = yield* Database.InTransaction
 *   return {
 *     book: Effect.fn(function*(room: number) {
 *       yield* transaction.required
 *       const [free] = yield* sql`select * from rooms where id = ${room} for update`
 *       if (free !== undefined) yield* sql`insert into bookings (room) values (${room})`
 *     })
 *   }
 * })
 * Effect.isEffect(makeRooms) // => true
 * ```
 */
export class InTransaction extends Context.Service<
  InTransaction,
  {
    /** Dies with `NotInTransaction` outside a transaction. */
    readonly required: Effect.Effect<void>
  }
>()("flange/Database/InTransaction") {
  static readonly layer: Layer.Layer<InTransaction, never, SqlClient> = Layer.effect(
    InTransaction,
    SqlClient.useSync(({ transactionService }) => ({
      required: Effect.withFiber((fiber) => {
        const level = levelOf(fiber, transactionService)
        return level === undefined || hasEnded(level)
          ? Effect.die(new NotInTransaction({ sql: undefined }))
          : Effect.void
      })
    }))
  )
}
