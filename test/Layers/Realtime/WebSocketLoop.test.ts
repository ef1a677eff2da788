/** Channels whose handler is a loop over messages, and has a fiber only while there are some. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { App, Plugin, Route } from "flange"
import * as Realtime from "flange/Realtime"
import { Channel, ChannelClient } from "flange/Realtime/Contract"
import { TestApp } from "flange/Testing"
import { until } from "./readings.ts"

const Loop = Channel.make(HttpApiEndpoint.get("loop", "/loop"), {
  receive: Schema.String,
  send: Schema.String
})

const group = HttpApiGroup.make("loops").add(Loop.endpoint)

/** An app whose handler does what the text of a message says. */
const booted = Effect.gen(function* () {
  const log: Array<string> = []
  const fibers = new Set<number>()
  const loops = Plugin.make("test:loops", {
    requires: [Realtime.WebSockets],
    routes: [
      Route.public(
        group,
        Effect.fn(function* (handlers) {
          const { channel } = yield* Realtime.WebSockets
          const loop = channel(Loop)
          return handlers.handleAll({
            loop: () =>
              loop.upgrade((connection) =>
                connection.forEach((text) =>
                  Effect.withFiber((fiber) => {
                    fibers.add(fiber.id)
                    switch (text) {
                      case "add":
                        return Effect.addFinalizer(() => Effect.sync(() => log.push("finalized")))
                      case "die":
                        return Effect.die(new Error("secret"))
                      case "fork":
                        return Effect.never.pipe(
                          Effect.onInterrupt(() => Effect.sync(() => log.push("interrupted"))),
                          Effect.forkChild({ startImmediately: true })
                        )
                      case "late":
                        return Effect.andThen(Effect.sleep(20), connection.send(text))
                      default:
                        return connection.send(text)
                    }
                  })
                )
              )
          })
        })
      )
    ]
  })
  const test = yield* TestApp.listening(App.make("loops", [Realtime.webSockets, loops]))
  return { fibers, log, url: test.url }
})

const connected = (url: string) =>
  Effect.gen(function* () {
    const client = yield* ChannelClient.connect(Loop, { url })
    /** Sends texts, and waits until all of them have come back. */
    const said = (...texts: ReadonlyArray<string>) =>
      Effect.gen(function* () {
        for (const text of texts) yield* client.send(text)
        const back = yield* Stream.runCollect(Stream.take(client.messages, texts.length))
        assert.deepStrictEqual([...back], texts)
      })
    return { client, said }
  })

const started = Effect.gen(function* () {
  const app = yield* booted
  return { ...app, ...(yield* connected(app.url)) }
})

describe("a handler that only reads messages", () => {
  it.live("answers them in order, those that come while it works too", () =>
    Effect.gen(function* () {
      const { fibers, said } = yield* started
      yield* said("a")
      yield* said("late", "b", "late", "c")
      yield* said("d")
      assert.isAbove(fibers.size, 1)
    })
  )

  it.live.each([
    ["finalizers", "add", "finalized"],
    ["forked fibers", "fork", "interrupted"]
  ] as const)("keeps its %s until the connection closes", ([_what, text, end]) =>
    Effect.gen(function* () {
      const { log, url } = yield* booted
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { client, said } = yield* connected(url)
          yield* client.send(text)
          yield* said("a")
          yield* said("b")
          assert.deepStrictEqual(log, [])
        })
      )
      yield* until(Effect.sync(() => log.length > 0))
      assert.deepStrictEqual(log, [end])
    })
  )

  it.live("that dies closes the connection with 1011 after others", () =>
    Effect.gen(function* () {
      const { client, said } = yield* started
      yield* said("a")
      yield* client.send("die")
      assert.strictEqual((yield* client.closed).code, 1011)
    })
  )

  it.live("ends with the app, which runs its finalizers", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { log, url } = yield* Scope.provide(booted, scope)
      const { client, said } = yield* connected(url)
      yield* client.send("add")
      yield* said("a")
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(log, ["finalized"])
      assert.strictEqual((yield* client.closed).code, 1001)
    })
  )
})
