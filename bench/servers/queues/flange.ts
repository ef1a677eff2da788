// Flange's queues in PostgreSQL or Redis.
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { App, Plugin } from "flange"
import * as Database from "flange/Database"
import * as Queue from "flange/Queue"
import * as Redis from "flange/Redis"
import type { Kind, Settings } from "./Kind.ts"

const payload = Schema.Record(Schema.String, Schema.Unknown)

export const make = (backend: "database" | "redis"): Kind => {
  const boot = (
    { concurrency, database, redis }: Settings,
    handle: (data: object) => Promise<void>,
    role: string
  ) => {
    const Jobs = Queue.make("bench", { concurrency, payload })
    let filled: (run: Runner) => void = () => undefined
    const started = new Promise<Runner>((resolve) => (filled = resolve))
    const Work = Plugin.make("bench:work", {
      contributes: [Jobs.worker((data) => Effect.promise(() => handle(data)))],
      ready: () =>
        Effect.map(Effect.context<Queue.Queues>(), (context) =>
          filled((effect) => Effect.runPromiseWith(context)(effect))
        ),
      requires: [Queue.Queues]
    })
    const config = {
      values: {
        app: { role },
        database: { url: database },
        redis: { url: redis },
        server: { port: 0 }
      }
    }
    if (backend === "database")
      App.run(App.make("bench", [Database.plugin, Queue.withDatabase, Work], { config }))
    else App.run(App.make("bench", [Redis.plugin, Queue.withRedis, Work], { config }))
    return { Jobs, started }
  }
  type Runner = <A, E>(effect: Effect.Effect<A, E, Queue.Queues>) => Promise<A>
  return {
    produce: async (settings) => {
      const { Jobs, started } = boot(settings, () => Promise.resolve(), "server")
      const run = await started
      return {
        close: () => Promise.resolve(),
        many: async (all) => {
          await run(Jobs.enqueueAll(all.map((data) => ({ payload: { ...data } }))))
        },
        one: async (data) => {
          await run(Jobs.enqueue({ ...data }))
        }
      }
    },
    work: async (settings, handle) => {
      await boot(settings, handle, "worker").started
    }
  }
}
