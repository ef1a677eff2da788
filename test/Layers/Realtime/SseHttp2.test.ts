// Event streams over HTTP/2.
import * as Http2 from "node:http2"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { App } from "flange"
import * as Metrics from "flange/Metrics"
import * as Realtime from "flange/Realtime"
import { EventStream } from "flange/Realtime/Contract"
import { TestApp } from "flange/Testing"
import { OrdersPlugin } from "./orders.ts"
import { reading, until } from "./readings.ts"

const app = App.make("shop", [Metrics.plugin, Realtime.sse, OrdersPlugin])

const server = { h2c: true, host: "127.0.0.1", listener: "node", port: 0 }

const boot = TestApp.listening(app, { values: { server, sse: { maxBuffer: "64 KiB" } } })

type Shop = Effect.Success<typeof boot>

const Notes = EventStream.make({ note: Schema.String })

const note = (shop: Shop, data: string) =>
  shop.run(Realtime.EventLog.use((log) => log.append(Notes, "orders:ada", { data, event: "note" })))

/** A client that opens streams on one connection. */
const connected = (shop: Shop) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => Http2.connect(shop.url).on("error", () => {})),
      (session) => Effect.sync(() => session.destroy())
    ),
    (session) =>
      (path: string, method = "GET") => {
        const stream = session.request({ ":method": method, ":path": path })
        let text = ""
        stream.on("error", () => {})
        stream.on("data", (chunk: Buffer) => (text += chunk.toString()))
        return {
          has: (part: RegExp) => until(Effect.sync(() => part.test(text))),
          isClosed: until(Effect.sync(() => stream.closed)),
          stream,
          text: () => text
        }
      }
  )

describe("event streams over HTTP/2", () => {
  it.live("end with their events, and are forgotten when their client cancels", () =>
    Effect.gen(function* () {
      const shop = yield* boot
      const get = yield* connected(shop)
      const whole = get("/orders/ada/replay")
      yield* whole.isClosed
      expect(whole.text()).toMatch(/^:\n\n(?:id: own-\d\nevent: placed\ndata: .*\n\n){3}$/)
      const one = get("/orders/ada/events")
      yield* one.has(/id: 0-0\n\n/)
      expect(yield* reading(shop, "flange.sse.connections")).toBe(1)
      one.stream.close(Http2.constants.NGHTTP2_CANCEL)
      yield* until(Effect.map(reading(shop, "flange.sse.connections"), (count) => count === 0))
      const head = get("/orders/ada/events", "HEAD")
      yield* head.isClosed
      const broken = get("/orders/broken/replay")
      yield* broken.isClosed
      expect(broken.stream.rstCode).not.toBe(Http2.constants.NGHTTP2_NO_ERROR)
      yield* until(Effect.map(reading(shop, "flange.sse.connections"), (count) => count === 0))
    })
  )

  it.live(
    "a client that does not read is cut, and holds up neither others nor the drain",
    () =>
      Effect.gen(function* () {
        const scope = yield* Scope.fork(yield* Effect.scope)
        const shop = yield* Scope.provide(boot, scope)
        const get = yield* connected(shop)
        const slow = get("/orders/ada/events")
        yield* slow.has(/id: 0-0\n\n/)
        slow.stream.pause()
        const fast = get("/orders/ada/events")
        yield* fast.has(/id: 0-0\n\n/)
        while ((yield* reading(shop, "flange.sse.connections")) === 2) {
          const id = yield* note(shop, "x".repeat(30_000))
          yield* fast.has(new RegExp(`id: ${id}\n`))
        }
        expect(yield* reading(shop, "flange.sse.cuts")).toBe(1)
        const last = yield* note(shop, "last")
        yield* fast.has(new RegExp(`id: ${last}\n`))
        yield* Scope.close(scope, Exit.void)
        yield* fast.has(/retry: \d+\n\n$/)
        expect(fast.stream.rstCode).toBe(Http2.constants.NGHTTP2_NO_ERROR)
      }),
    { timeout: 120_000 }
  )
})
