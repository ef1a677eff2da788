/** Queues in tests. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PersistedQueue from "effect/persistence/PersistedQueue"
import type * as Schema from "effect/Schema"
import { AppRuntime } from "../../Plugin/AppRuntime.ts"
import * as Engine from "./Engine.ts"
import type { Opened } from "./Envelope.ts"
import { MemoryStore } from "./MemoryStore.ts"
import type { Queue } from "./Queue.ts"
import * as Queues from "./Queues.ts"
import { type Item, QueueStore } from "./QueueStore.ts"
import * as Workers from "./Workers.ts"

/** An item, with its payload. */
export interface TestItem<out Payload> extends Item {
  readonly payload: Payload
}

/** Queues in memory whose workers run when the test says so. */
export interface TestQueue {
  /** Returns the items of a queue that the store has, in the order in which they were added. */
  readonly items: <Payload, Success, Error>(
    queue: Queue<Payload, Success, Error>
  ) => Effect.Effect<ReadonlyArray<TestItem<Payload>>, Schema.SchemaError>
  /** The services of the battery. Give it to `replace` of `TestApp.make` in the place of its plugin. */
  readonly layer: Layer.Layer<
    | PersistedQueue.PersistedQueueFactory
    | PersistedQueue.PersistedQueueStore
    | Queues.Queues
    | QueueStore
    | Workers.Workers,
    never,
    AppRuntime
  >
  /**
   * Handles all items that are due, one after the other, and those that their handlers add. Returns the number of
   * attempts. Items whose delay has not ended by the clock of the test are left.
   */
  readonly run: Effect.Effect<number>
}

/** The largest item, as by default. */
const maxPayload = 2 ** 18

/**
 * Creates queues for a test.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import { App, Plugin } from "flange"
 * import * as Queue from "flange/Queue"
 * import { TestQueue } from "flange/Queue/Testing"
 * import { TestApp } from "flange/Testing"
 *
 * const sent: Array<string> = []
 * const Emails = Queue.make("emails", { payload: Schema.Struct({ to: Schema.String }) })
 * const Mailer = Plugin.make("shop:mailer", {
 *   contributes: [Emails.worker(({ to }) => Effect.sync(() => sent.push(to)))]
 * })
 * const app = App.make("shop", [Queue.plugin, Mailer])
 *
 * const test = Effect.gen(function* () {
 *   const queue = TestQueue.make()
 *   const { run } = yield* TestApp.make(app, { replace: [[Queue.plugin, queue.layer]] })
 *   yield* run(Emails.enqueue({ to: "ada" }))
 *   yield* run(Emails.enqueue({ to: "bob" }, { delay: "1 hour" }))
 *   const waiting = (yield* queue.items(Emails)).map(({ payload, state }) => [payload.to, state])
 *   return [waiting, yield* queue.run, sent]
 * })
 * await Effect.runPromise(Effect.scoped(test))
 * // => [[["ada", "waiting"], ["bob", "delayed"]], 1, ["ada"]]
 * ```
 */
export const make = (): TestQueue => {
  const store = new MemoryStore()
  const turns: Array<readonly [name: string, turn: Effect.Effect<void>]> = []
  const run = Effect.gen(function* () {
    let attempts = 0
    for (;;) {
      const before = attempts
      for (const [name, turn] of turns) {
        while (yield* store.hasDue(name)) {
          attempts++
          yield* turn
        }
      }
      if (attempts === before) return attempts
    }
  })
  return {
    items: <Payload, Success, Error>({ definition, name }: Queue<Payload, Success, Error>) =>
      Effect.forEach(store.all(name), (item) =>
        // An item of this queue opens to its payload.
        Effect.map(definition.open(item.element), (opened) => ({
          ...item,
          payload: (opened as Opened<Payload>).payload
        }))
      ),
    layer: Layer.effectContext(
      Effect.gen(function* () {
        const runtime = yield* AppRuntime
        const engine = yield* Engine.make(store, {
          ahead: 0,
          lease: 86_400_000,
          pollInterval: 86_400_000
        })
        const factory = yield* Effect.provideService(
          PersistedQueue.makeFactory,
          PersistedQueue.PersistedQueueStore,
          engine.persisted
        )
        const workers = yield* Workers.make(engine)
        return Context.make(QueueStore, store).pipe(
          Context.add(PersistedQueue.PersistedQueueFactory, factory),
          Context.add(PersistedQueue.PersistedQueueStore, engine.persisted),
          Context.add(Queues.Queues, Queues.make(store, maxPayload, runtime)),
          Context.add(Workers.Workers, {
            drain: workers.drain,
            start: (worker) =>
              Effect.map(workers.turns(worker), (turn) => {
                turns.push([worker.name, turn])
              })
          })
        )
      })
    ),
    run
  }
}
