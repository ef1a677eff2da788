/** How many items the queues of an app have: for the health check and the metrics. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { AppRuntime } from "../../Plugin/AppRuntime.ts"
import * as HealthCheck from "../../Plugin/HealthCheck.ts"
import * as Metering from "../../Plugin/Metering.ts"
import { kind } from "./Queue.ts"
import { QueueConfig } from "./QueueConfig.ts"
import { Queues } from "./Queues.ts"
import { countOf, QueueStore, type State, states, type Stats, type Store } from "./QueueStore.ts"

/** Milliseconds between two counts for the metrics. */
const interval = 15_000

const count = (store: Store, names: ReadonlyArray<string>) =>
  Effect.forEach(names, (name) => Effect.map(store.stats(name), (stats) => ({ name, stats })))

/** The names of the queues that the app has workers for. */
const names = Effect.map(AppRuntime, ({ contributions }) => [
  ...new Set(contributions(kind).map(({ name }) => name))
])

/** The health check: degraded if items wait for too long, or are dead. */
export const health = Effect.gen(function* () {
  const { maxWait } = yield* QueueConfig
  const store = yield* QueueStore
  yield* store.ping
  const found: Array<string> = []
  const handled = yield* names
  const { filled } = yield* Queues
  for (const { name, stats } of yield* count(store, [...new Set([...handled, ...filled])])) {
    const { dead, oldestWaiting, paused } = stats
    if (oldestWaiting > Duration.toMillis(maxWait)) {
      const age = Duration.format(Duration.seconds(Math.round(oldestWaiting / 1000)))
      const state = paused ? ", and is paused" : ""
      const waiting = countOf(stats, "waiting")
      const worker = handled.includes(name) ? "" : ", and this app has no worker for it"
      found.push(
        `the queue "${name}" has ${waiting} waiting items, the oldest for ${age}${state}${worker}`
      )
    }
    if (dead > 0) found.push(`the queue "${name}" has ${countOf(stats, "dead")} dead letters`)
  }
  return found.length === 0 ? undefined : HealthCheck.degraded(found.join("; "))
})

/** Counts for the metrics until the scope closes, if the app keeps metrics. */
export const measure: Effect.Effect<void, never, AppRuntime | QueueStore | Scope.Scope> =
  Effect.gen(function* () {
    const context = yield* Effect.context<never>()
    if (!Metering.isMetered(context)) return
    const store = yield* QueueStore
    const queues = yield* names
    const last = new Map<string, Stats>()
    for (const queue of queues) {
      for (const state of states) {
        Metering.register(
          {
            attributes: { queue, state },
            description: "Items of a queue by state",
            id: "flange.queue.items",
            read: () => last.get(queue)?.[state satisfies State] ?? 0,
            type: "gauge"
          },
          context
        )
      }
      Metering.register(
        {
          attributes: { queue },
          description: "How long the oldest waiting item of a queue has waited",
          id: "flange.queue.age",
          read: () => (last.get(queue)?.oldestWaiting ?? 0) / 1000,
          type: "gauge",
          unit: "s"
        },
        context
      )
    }
    const sample = Effect.map(count(store, queues), (all) => {
      for (const { name, stats } of all) last.set(name, stats)
    })
    yield* Effect.forkScoped(
      Effect.forever(
        Effect.andThen(
          Effect.catchCause(sample, (cause) =>
            Effect.logWarning("The items of the queues were not counted", cause)
          ),
          Effect.sleep(interval)
        )
      )
    )
  })
