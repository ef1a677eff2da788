import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { App, Config, Plugin } from "flange"
import * as Cache from "flange/Cache"
import * as Idempotency from "flange/Idempotency"
import { TestApp } from "flange/Testing"
import { AppConfig } from "../../../../src/Plugin/AppConfig.ts"
import { CurrentWorker, warnIfSeveral } from "../../../../src/Plugin/Worker.ts"

const app = (workers: number | string) =>
  App.make("shop", [Plugin.make("app:none", {})], {
    config: { values: { server: { host: "127.0.0.1", port: 0, workers } } }
  })

const problemOf = (error: unknown) =>
  error instanceof Config.ConfigError ? error.problems.map(({ message }) => message) : error

const refused =
  "There would be 3 workers, and only App.run starts workers: each of them runs the program again. Call App.run in the main file, or set server.workers to 1."

describe("an app with workers", () => {
  it.effect("as a layer is refused", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Effect.scoped(Layer.build(App.layer(app(3)))))
      assert.deepStrictEqual(problemOf(error), [refused])
    })
  )

  it("as a web handler is refused", async () => {
    const web = App.toWebHandler(app(3))
    const error = await web.handler(new Request("http://app/")).catch((error: unknown) => error)
    assert.deepStrictEqual(problemOf(error), [refused])
    await web.dispose()
  })

  it.effect("is one process in a test", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(app(3))
      assert.strictEqual((yield* test.get("/nowhere")).status, 404)
    })
  )
})

describe("the number of workers", () => {
  it.effect("is 1 to 1024, or auto", () =>
    Effect.gen(function* () {
      for (const wrong of [0, 1.5, 1025, "many"]) {
        const error = yield* Effect.flip(TestApp.make(app(wrong)))
        assert.instanceOf(error, Config.ConfigError)
        assert.include(error.problems[0]!.key, "server.workers")
      }
      yield* TestApp.make(app("auto"))
    })
  )

  it.effect("times the replicas, if above 1, is a warning of caches and keys in memory", () =>
    Effect.gen(function* () {
      for (const [replicas, count] of [
        [1, 0],
        [2, 2]
      ]) {
        const shop = App.make("shop", [Cache.plugin, Idempotency.plugin])
        const { logs } = yield* TestApp.make(shop, { config: { app: { replicas } } })
        const warned = logs.filter(({ message }) => message.startsWith("Each of the 2 processes"))
        assert.strictEqual(warned.length, count)
      }
    })
  )

  it.effect("times the replicas is the number of processes in warnings", () =>
    Effect.gen(function* () {
      const warned: Array<unknown> = []
      const logger = Logger.make(({ message }) => warned.push(message))
      const run = (of: number | undefined, replicas: number | undefined) =>
        warnIfSeveral((count) => `${count} processes`).pipe(
          Effect.provideService(
            AppConfig,
            (replicas === undefined ? {} : { replicas }) as (typeof AppConfig)["Service"]
          ),
          Effect.provideService(
            CurrentWorker,
            of === undefined ? undefined : ({ of } as (typeof CurrentWorker)["Service"])
          ),
          Effect.provide(Logger.layer([logger]))
        )
      yield* run(undefined, undefined)
      yield* run(undefined, 1)
      assert.deepStrictEqual(warned, [])
      yield* run(2, undefined)
      yield* run(2, 3)
      assert.deepStrictEqual(warned.flat(), ["2 processes", "6 processes"])
    })
  )
})
