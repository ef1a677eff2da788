/** The service with which queues are filled. */
import { Buffer } from "node:buffer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { AppRuntimeShape } from "../../Plugin/AppRuntime.ts"
import * as Transactions from "../../Plugin/Transactions.ts"
import { QueueRefused } from "./QueueErrors.ts"
import type { Offer, QueueStoreError, Store } from "./QueueStore.ts"

/** What became of an item. */
export interface Enqueued {
  readonly id: string
  /**
   * Whether it was added: false if the queue knows its id. Undefined in a transaction if the store is not
   * that of the transaction: the item is added after the commit.
   */
  readonly isNew: boolean | undefined
}

/** Adds items to queues. */
export interface QueuesShape {
  /** The names of the queues to which this process has added items. */
  readonly filled: ReadonlySet<string>
  /** The most bytes of an item, and of a result that is kept, as JSON. */
  readonly maxPayload: number
  /** Adds the items of one queue, all of them or none. */
  readonly offer: (
    queue: string,
    offers: ReadonlyArray<Offer>
  ) => Effect.Effect<ReadonlyArray<Enqueued>, QueueRefused | QueueStoreError>
}

/** Fills queues. The plugins of this battery provide it. */
export class Queues extends Context.Service<Queues, QueuesShape>()("flange/Queue/Queues") {}

/** The most items of one batch. Redis serves no other client while it adds them. */
export const mostItems = 10_000

/** Returns why a text is refused if it has more bytes than `most`; otherwise undefined. */
export const excess = (text: string, most: number): string | undefined => {
  // A text has at most three bytes for each unit.
  if (text.length * 3 <= most) return undefined
  const bytes = Buffer.byteLength(text)
  return bytes <= most
    ? undefined
    : `has ${bytes} bytes of JSON, and queue.maxPayload is ${most}. Keep large data elsewhere`
}

/** Creates the service. `runtime` is undefined for a service without an app. */
export const make = (
  store: Store,
  maxPayload: number,
  runtime: AppRuntimeShape | undefined
): QueuesShape => {
  const filled = new Set<string>()
  const added = (queue: string, offers: ReadonlyArray<Offer>) =>
    Effect.map(store.offer(queue, offers), (isNew) =>
      offers.map(({ id }, i): Enqueued => ({ id, isNew: isNew[i] }))
    )
  const later = (queue: string, offers: ReadonlyArray<Offer>) =>
    Effect.catchCause(Effect.asVoid(store.offer(queue, offers)), (cause) =>
      Effect.logError(
        `${offers.length} items of the queue "${queue}" were not enqueued after the commit`,
        cause
      )
    )
  return {
    filled,
    maxPayload,
    offer: (queue, offers) =>
      Effect.suspend((): Effect.Effect<ReadonlyArray<Enqueued>, QueueRefused | QueueStoreError> => {
        if (offers.length > mostItems) {
          const reason = `it has ${offers.length} items. Enqueue at most ${mostItems} at once`
          return Effect.fail(new QueueRefused({ field: "items", queue, reason }))
        }
        for (const { element } of offers) {
          const why = excess(element, maxPayload)
          if (why === undefined) continue
          const reason = `its item ${why} and enqueue its key`
          return Effect.fail(new QueueRefused({ field: "payload", queue, reason }))
        }
        filled.add(queue)
        if (store.isTransactional || runtime === undefined) return added(queue, offers)
        return Effect.flatMap(Transactions.current(runtime), (all) =>
          all.length === 0
            ? added(queue, offers)
            : Effect.as(
                Transactions.afterCommit(runtime, later(queue, offers)),
                offers.map(({ id }): Enqueued => ({ id, isNew: undefined }))
              )
        )
      })
  }
}
