/** Batches: what was not processed is sent again, after longer and longer times. */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { KeyAttributes } from "./Backend.ts"
import { BatchIncomplete } from "./DynamoDb.ts"

/** The first and the longest time between two requests of a batch, in milliseconds. */
const [firstDelay, longestDelay] = [50, 5000]

/** How many requests of one batch are on the way at the same time. */
const concurrency = 4

/** How a batch is sent. */
export interface Options<A, E> {
  /** How many requests in a row may have no effect. */
  readonly attempts: number
  readonly keyOf: (element: A) => KeyAttributes
  /** Sends elements. Returns those that were not processed. */
  readonly send: (elements: ReadonlyArray<A>) => Effect.Effect<ReadonlyArray<A>, E>
  /** The most elements of one request. */
  readonly size: number
  readonly table: string
}

const chunk = <A, E>(
  elements: ReadonlyArray<A>,
  { attempts, keyOf, send, table }: Options<A, E>
): Effect.Effect<void, BatchIncomplete | E> =>
  Effect.gen(function* () {
    let [pending, failed] = [elements, 0]
    for (;;) {
      const rest = yield* send(pending)
      if (rest.length === 0) return
      failed = rest.length < pending.length ? 0 : failed + 1
      if (failed >= attempts) {
        return yield* new BatchIncomplete({ attempts, keys: rest.map(keyOf), table })
      }
      pending = rest
      const part = yield* Random.next
      yield* Effect.sleep(Math.min(longestDelay, firstDelay * 2 ** failed) * (0.5 + part / 2))
    }
  })

/** Sends all elements, in requests of `size`. */
export const send = <A, E>(
  elements: ReadonlyArray<A>,
  options: Options<A, E>
): Effect.Effect<void, BatchIncomplete | E> => {
  const { size } = options
  const starts = Array.from({ length: Math.ceil(elements.length / size) }, (_, n) => n * size)
  return Effect.forEach(starts, (start) => chunk(elements.slice(start, start + size), options), {
    concurrency,
    discard: true
  })
}
