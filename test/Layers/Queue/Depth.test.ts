import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { App, Plugin } from "flange"
import * as Queue from "flange/Queue"
import { TestApp } from "flange/Testing"
import { expect, it } from "vitest"
import * as Depth from "../../../src/Layers/Queue/Depth.ts"
import { QueueConfig, type Settings } from "../../../src/Layers/Queue/QueueConfig.ts"
import { QueueStoreError } from "../../../src/Layers/Queue/QueueStore.ts"
import { until } from "../Idempotency/conformance.ts"

const run = (test: Effect.Effect<void, unknown, Scope.Scope>) =>
  Effect.runPromise(Effect.scoped(test))

it(
  "the health check is degraded by dead letters and by items that wait for too long, and fails with the store",
  () =>
    run(
      Effect.gen(function* () {
        const Jobs = Queue.make("jobs", { maxAttempts: 1, payload: Schema.String })
        const Work = Plugin.make("app:work", {
          contributes: [Jobs.worker((what) => Effect.fail(what))],
          requires: [Queue.Queues]
        })
        const app = yield* TestApp.make(
          App.make("shop", [Queue.plugin, Work], {
            config: { values: { queue: { pollInterval: "20 millis" } } }
          })
        )
        const settings: Settings = {
          keepCompleted: Duration.days(1),
          keepDead: Duration.days(1),
          lease: Duration.seconds(10),
          maxPayload: 1024,
          maxWait: Duration.seconds(1),
          pollInterval: Duration.seconds(1)
        }
        const checked = app.run(Effect.provideService(Depth.health, QueueConfig, settings))
        const health = Effect.map(checked, (found) => JSON.stringify(found) ?? "fine")
        expect(yield* health).toBe("fine")
        yield* app.run(Jobs.enqueue("no"))
        yield* until(Effect.map(health, (text) => text.includes("has 1 dead letters")))
        const store = yield* app.run(Queue.QueueStore)
        yield* store.requeue("jobs", "dead")
        yield* until(Effect.map(health, (text) => text.includes("has 1 dead letters")))
        yield* store.pause("jobs")
        yield* store.requeue("jobs", "dead")
        yield* until(Effect.map(health, (text) => text.includes("1 waiting items")))
        expect(yield* health).toContain("is paused")
        const Orphans = Queue.make("orphans", { payload: Schema.String })
        yield* app.run(Orphans.enqueue("x"))
        yield* until(Effect.map(health, (text) => text.includes("this app has no worker for it")))
        Object.assign(store, {
          ping: Effect.fail(new QueueStoreError({ cause: "an outage", operation: "ping" }))
        })
        expect(yield* Effect.flip(checked)).toMatchObject({ operation: "ping" })
      })
    ),
  60_000
)
