/** Time limits on every listener, for handlers that run as functions and as effects. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { App, Middleware, Plugin, Route } from "flange"
import { TestApp } from "flange/Testing"
import * as Timeout from "flange/Timeout"
import { CurrentExchange } from "../../../src/Server/Exchange/Exchange.ts"
import type { TimeLimit } from "../../../src/Server/Exchange/TimeLimit.ts"

const success = Schema.String

class UploadApi extends HttpApiGroup.make("upload").add(
  HttpApiEndpoint.post("bytes", "/bytes", {
    payload: HttpApiSchema.StreamUint8Array(),
    success: Schema.Int
  }),
  HttpApiEndpoint.get("deaf", "/deaf", { success }),
  HttpApiEndpoint.get("echo", "/echo"),
  HttpApiEndpoint.post("ignored", "/ignored", {
    payload: HttpApiSchema.StreamUint8Array(),
    success
  }),
  HttpApiEndpoint.post("json", "/json", { payload: Schema.Struct({ a: success }), success }),
  HttpApiEndpoint.get("now", "/now", { success }),
  HttpApiEndpoint.post("parts", "/parts", {
    payload: Schema.Struct({ a: success }).pipe(HttpApiSchema.asMultipart()),
    success
  }),
  HttpApiEndpoint.get("silent", "/silent"),
  HttpApiEndpoint.get("wait", "/wait", { success })
) {}

const make = (isWrapped: boolean) => {
  const events: Array<string> = []
  const limits: Array<TimeLimit> = []
  const begun = Deferred.makeUnsafe<void>()
  const event = (name: string) => Effect.sync(() => void events.push(name))
  const begins = Deferred.succeed(begun, undefined)
  const Upload = Plugin.make("app:upload", {
    middleware: [
      ...(isWrapped
        ? [
            Middleware.make("wrap", {
              build: Effect.succeed(() => (next) => Effect.suspend(() => next)),
              slot: "TransportSecurity"
            })
          ]
        : []),
      Middleware.before("limits", {
        build: Effect.succeed(() => (request) => {
          limits.push(request.find(CurrentExchange)!.time!)
          return Middleware.pass
        }),
        slot: "Custom"
      })
    ],
    routes: [
      Route.public(UploadApi, (handlers) =>
        handlers
          .handleRaw("echo", ({ request }: { readonly request: HttpServerRequest }) =>
            Effect.gen(function* () {
              const { reader, writer } = yield* request.upgrade
              const { pull } = yield* reader
              const { writeAll } = yield* writer
              yield* begins
              return yield* Effect.forever(Effect.flatMap(pull, writeAll))
            }).pipe(
              Effect.scoped,
              Effect.onInterrupt(() => event("interrupted")),
              Effect.catch(() => Effect.succeed(HttpServerResponse.empty()))
            )
          )
          .handleAll({
            bytes: ({ payload }) =>
              Effect.andThen(
                begins,
                Effect.orDie(
                  Stream.runFold(
                    payload,
                    () => 0,
                    (all, { length }) => all + length
                  )
                )
              ),
            deaf: () =>
              Effect.addFinalizer(() => event("released")).pipe(
                Effect.andThen(begins),
                Effect.andThen(Effect.sleep("2 seconds")),
                Effect.as("done"),
                Effect.uninterruptible
              ),
            ignored: () => Effect.andThen(begins, Effect.never),
            json: ({ payload }) => Effect.succeed(payload.a),
            now: () => Effect.succeed("now"),
            parts: ({ payload }) => Effect.succeed(payload.a),
            silent: () =>
              Effect.succeed(
                HttpServerResponse.stream(
                  Stream.concat(
                    Stream.make("a"),
                    Stream.fromEffect(Effect.as(Effect.never, "b"))
                  ).pipe(Stream.onStart(begins), Stream.encodeText)
                ) as never
              ),
            wait: () =>
              Effect.andThen(begins, Effect.never).pipe(
                Effect.onInterrupt(() => event("interrupted"))
              )
          })
      )
    ]
  })
  return {
    app: App.make("upload", [Timeout.plugin, Upload], {
      config: { values: { timeout: { default: "1 second", idle: "1 second" } } }
    }),
    begun: Deferred.await(begun),
    events,
    /** Waits until the time of the request stands still. */
    paused: Effect.gen(function* () {
      for (let before: number | undefined; ;) {
        const now = limits[0]?.deadline
        if (before !== undefined && now! > before) return
        before = now
        yield* TestClock.withLive(Effect.sleep(1))
        yield* TestClock.adjust("10 micros")
      }
    })
  }
}

const places = ["web", "node", "proxied"] as const

for (const place of places) {
  for (const isWrapped of [false, true]) {
    const boot = () => {
      const made = make(isWrapped)
      return Effect.map(
        place === "web"
          ? TestApp.make(made.app)
          : TestApp.listening(made.app, { config: { server: { listener: place } } }),
        (test) => ({ ...made, test })
      )
    }

    /** Sends a body in two pieces, and the second one when it is told to. */
    const inTwo = (
      { test }: Effect.Success<ReturnType<typeof boot>>,
      path: string,
      contentType: string,
      pieces: readonly [string, string]
    ) => {
      let finish = () => {}
      const encoder = new TextEncoder()
      const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
        start: (controller) => {
          controller.enqueue(encoder.encode(pieces[0]))
          finish = () => {
            controller.enqueue(encoder.encode(pieces[1]))
            controller.close()
          }
        }
      })
      const headers = { "content-type": contentType }
      const sent = test.request("POST", path, { body, headers })
      return { finish: Effect.sync(() => finish()), sent }
    }

    describe(`on ${place}, ${isWrapped ? "an effect" : "a function"}`, () => {
      it.effect("a request that exceeds its limit is answered, and the next one is served", () =>
        Effect.gen(function* () {
          const { begun, events, test } = yield* boot()
          const fiber = yield* Effect.forkChild(test.get("/wait"))
          yield* begun
          yield* TestClock.adjust("1 second")
          ;(yield* Fiber.join(fiber)).expectProblem("TIMEOUT", 504, { activity: "handler" })
          assert.deepStrictEqual(events, ["interrupted"])
          ;(yield* test.get("/now")).expectStatus(200)
          test.expectNoErrors()
        })
      )

      it.effect("a handler that does not stop keeps its scope until it ends", () =>
        Effect.gen(function* () {
          const { begun, events, test } = yield* boot()
          const fiber = yield* Effect.forkChild(test.get("/deaf"))
          yield* begun
          yield* TestClock.adjust("1250 millis")
          ;(yield* Fiber.join(fiber)).expectProblem("TIMEOUT", 504)
          assert.deepStrictEqual(events, [])
          yield* TestClock.adjust("1 second")
          assert.deepStrictEqual(events, ["released"])
        })
      )

      it.effect.each([
        ["/bytes", "application/octet-stream", ["abc", "def"], 6],
        ["/json", "application/json", ['{"a":', '"x"}'], "x"],
        [
          "/parts",
          "multipart/form-data; boundary=b",
          ['--b\r\ncontent-disposition: form-data; name="a"\r\n\r\nx', "y\r\n--b--\r\n"],
          "xy"
        ]
      ] as const)(
        "the time of a body that arrives does not count: %s",
        ([path, type, pieces, value]) =>
          Effect.gen(function* () {
            const made = yield* boot()
            const { finish, sent } = inTwo(made, path, type, pieces)
            const fiber = yield* Effect.forkChild(sent)
            // Between two reads the time of the request goes on, for a step at most.
            for (let steps = 0; steps < 30; steps++) {
              yield* made.paused
              yield* TestClock.adjust("100 millis")
            }
            yield* finish
            const reply = (yield* Fiber.join(fiber)).expectStatus(200)
            assert.strictEqual(reply.json, value)
          })
      )

      it.effect("a handler that does not read its body is answered", () =>
        Effect.gen(function* () {
          const made = yield* boot()
          const { finish, sent } = inTwo(made, "/ignored", "application/octet-stream", ["a", "b"])
          const fiber = yield* Effect.forkChild(sent)
          yield* made.begun
          yield* TestClock.adjust("1 second")
          ;(yield* Fiber.join(fiber)).expectProblem("TIMEOUT", 504)
          yield* finish
          ;(yield* made.test.get("/now")).expectStatus(200)
        })
      )

      it.effect("a silent stream is cut", () =>
        Effect.gen(function* () {
          const { begun, test } = yield* boot()
          const fiber = yield* Effect.forkChild(Effect.exit(test.get("/silent")))
          yield* begun
          while (fiber.pollUnsafe() === undefined) {
            yield* TestClock.withLive(Effect.sleep(1))
            yield* TestClock.adjust("1 second")
          }
          assert.strictEqual((yield* Fiber.join(fiber))._tag, "Failure")
          ;(yield* test.get("/now")).expectStatus(200)
        })
      )

      if (place !== "web") {
        it.effect("an upgraded connection has no limit", () =>
          Effect.gen(function* () {
            const { begun, events, test } = yield* boot()
            const socket = new WebSocket(`${test.url.replace("http", "ws")}/echo`)
            const answer = new Promise<unknown>((resolve, reject) => {
              socket.addEventListener("message", ({ data }) => resolve(data))
              socket.addEventListener("close", reject)
            })
            yield* begun
            yield* TestClock.adjust("1 hour")
            socket.send("hello")
            assert.strictEqual(yield* Effect.promise(() => answer), "hello")
            assert.deepStrictEqual(events, [])
            socket.close()
          })
        )
      }
    })
  }
}
