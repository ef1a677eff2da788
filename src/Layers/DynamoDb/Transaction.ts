/** Transactions over the tables of a service. */
import * as Effect from "effect/Effect"
import type { Backend, Cancelled } from "./Backend.ts"
import { type ItemsOf, type Shape, TransactionCancelled } from "./DynamoDb.ts"
import type { Place, Read } from "./Parts.ts"

const maxParts = 100

const checkParts = (parts: ReadonlyArray<unknown>): Effect.Effect<void> =>
  parts.length > 0 && parts.length <= maxParts
    ? Effect.void
    : Effect.die(
        new RangeError(
          `A transaction has ${parts.length} parts. Give it 1 to ${maxParts}, or use batchWrite, which is no transaction.`
        )
      )

const cancelled = ({ reasons }: Cancelled, places: ReadonlyArray<Place>): TransactionCancelled =>
  new TransactionCancelled({
    reasons: places.map((place, n) => ({
      ...place,
      code: reasons[n]?.code ?? "Unknown",
      item: reasons[n]?.item
    }))
  })

/** Creates the methods of the service. */
export const make = (backend: Backend): Pick<Shape, "transactGet" | "transactWrite"> => ({
  transactGet: <const Reads extends ReadonlyArray<Read<unknown>>>(reads: Reads) =>
    Effect.gen(function* () {
      yield* checkParts(reads)
      const prepared = yield* Effect.forEach(reads, ({ prepare }) => prepare)
      const stored = yield* Effect.catchTag(
        backend.transactGet(prepared.map(({ read }) => read)),
        "Cancelled",
        (error) =>
          Effect.fail(
            cancelled(
              error,
              prepared.map(({ place }) => place)
            )
          )
      )
      const items = yield* Effect.forEach(reads, ({ decode }, n) => {
        const found = stored[n]
        return found === undefined ? Effect.undefined : decode(found)
      })
      return items as ItemsOf<Reads> // in the order of the reads
    }),
  transactWrite: Effect.fnUntraced(function* (writes, { token } = {}) {
    yield* checkParts(writes)
    const prepared = yield* Effect.forEach(writes, ({ prepare }) => prepare)
    yield* Effect.catchTag(
      backend.transactWrite(
        prepared.map(({ write }) => write),
        token
      ),
      "Cancelled",
      (error) =>
        Effect.fail(
          cancelled(
            error,
            prepared.map(({ place }) => place)
          )
        )
    )
  })
})
