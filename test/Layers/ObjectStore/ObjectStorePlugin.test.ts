import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Stream from "effect/Stream"
import { App, HealthCheck } from "flange"
import * as Metrics from "flange/Metrics"
import * as ObjectStore from "flange/ObjectStore"
import { TestObjectStore } from "flange/ObjectStore/Testing"
import { TestApp } from "flange/Testing"
import { temporary } from "./backends.ts"

const app = App.make("shop", [Metrics.plugin, ObjectStore.plugin])

const boot = (objectStore: object, environment = "production") =>
  TestApp.make(app, { environment, values: { objectStore } })

const messageOf = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.exit(effect), (exit) =>
    exit._tag === "Success" ? "" : Cause.pretty(exit.cause)
  )

describe("ObjectStore.plugin", () => {
  it.effect("refuses a configuration that cannot work, and names what is missing", () =>
    Effect.gen(function* () {
      for (const [section, part] of [
        [{ backend: "s3" }, 'the backend "s3" needs a bucket'],
        [{ backend: "directory" }, 'the backend "directory" needs a directory'],
        [{ accessKeyId: "a" }, "accessKeyId and secretAccessKey belong together"],
        [{ maxSize: "100 GiB" }, "an upload has at most 10000 parts"],
        [{ partSize: "1 MiB" }, 'a size from "5 MiB" to "512 MiB"'],
        [{ endpoint: "localhost:9000" }, 'a URL without a path, such as "http://127.0.0.1:9000"']
      ] as const) {
        expect(yield* messageOf(Effect.scoped(boot(section)))).toContain(part)
      }
    })
  )

  it.effect("in a test without a bucket it says how to replace it", () =>
    Effect.gen(function* () {
      const message = yield* messageOf(Effect.scoped(boot({ backend: "s3" }, "test")))
      expect(message).toContain("replace: [[ObjectStore.plugin, TestObjectStore.layer()]]")
      const test = yield* TestApp.make(App.make("shop", [ObjectStore.plugin]), {
        replace: [[ObjectStore.plugin, TestObjectStore.layer()]],
        values: {}
      })
      yield* test.run(ObjectStore.ObjectStore.use((store) => store.put("a", "x")))
    })
  )

  it.live("has a shared health check, metrics, and spans that have the key", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      const test = yield* boot({ backend: "directory", directory })
      const found = yield* test.run(
        Effect.gen(function* () {
          const store = yield* ObjectStore.ObjectStore
          yield* store.put("a", "12345")
          yield* Effect.flip(store.head("b"))
          yield* Effect.scoped(
            Effect.flatMap(store.get("a"), ({ stream }) => Stream.runDrain(stream))
          )
          return Metric.snapshotUnsafe(yield* Effect.context<never>())
        })
      )
      const series = found
        .filter(({ id }) => id.startsWith("flange.object_store"))
        .map(
          ({ attributes, id }) =>
            `${id} ${attributes?.["operation"] ?? attributes?.["direction"]} ${attributes?.["result"]}`
        )
      expect(series.toSorted()).toEqual([
        "flange.object_store.bytes in undefined",
        "flange.object_store.bytes out undefined",
        "flange.object_store.duration get ok",
        "flange.object_store.duration head ObjectNotFound",
        "flange.object_store.duration put ok"
      ])
      const checks = app.plugins
        .flatMap(({ manifest }) => manifest.contributions)
        .filter(({ kind }) => kind === HealthCheck.kind.name)
      expect(checks.map(({ name }) => name)).toEqual(["objectStore"])
    })
  )

  it.effect("the memory refuses what does not fit, and has room again after a delete", () =>
    Effect.gen(function* () {
      const store = yield* ObjectStore.ObjectStore
      const half = new Uint8Array(600_000)
      yield* store.put("a", half)
      expect(yield* Effect.flip(store.put("b", half))).toMatchObject({
        _tag: "ObjectStoreUnavailable",
        reason: expect.stringContaining("raise objectStore.maxMemory above 1048576 bytes")
      })
      // What was collected of it does not count any more.
      yield* store.put("c", new Uint8Array(300_000))
      yield* store.delete("a")
      yield* store.put("b", half)
      expect(yield* Effect.flip(store.copy("b", "d"))).toMatchObject({
        _tag: "ObjectStoreUnavailable"
      })
      // Objects without content take memory too.
      const many = Effect.forEach(
        Array.from({ length: 2000 }, (_, i) => i),
        (i) => store.put(`e${i}`, "")
      )
      expect((yield* Effect.exit(many))._tag).toBe("Failure")
    }).pipe(Effect.provide(TestObjectStore.layer({ maxMemory: 2 ** 20 })))
  )

  it.effect("options that cannot be stored are defects that say what to write", () =>
    Effect.gen(function* () {
      const store = yield* ObjectStore.ObjectStore
      for (const [options, part] of [
        [{ contentType: "text" }, 'Write one such as "image/png".'],
        [{ contentType: "text/plain\r\nx: y" }, 'Write one such as "image/png".'],
        [{ metadata: { Name: "x" } }, "Write names of lower-case letters, digits and -"],
        [{ metadata: { name: "é" } }, "values of printable ASCII"],
        [{ metadata: { name: "x".repeat(3000) } }, "at most 2048 are stored"],
        [{ sha256: "ABC" }, "Write 64 lower-case hexadecimal digits."]
      ] as const) {
        expect(yield* messageOf(store.put("a", "x", options))).toContain(part)
      }
    }).pipe(Effect.provide(TestObjectStore.layer()))
  )
})
