// Event streams as bytes, on each listener that writes them without a fiber.
import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { App } from "flange"
import * as Metrics from "flange/Metrics"
import * as Realtime from "flange/Realtime"
import { EventStream } from "flange/Realtime/Contract"
import { TestApp } from "flange/Testing"
import { OrderEvents, OrdersPlugin, placed } from "./orders.ts"
import { reading, until } from "./readings.ts"

const app = App.make("shop", [Metrics.plugin, Realtime.sse, OrdersPlugin])

const boot = (listener: string, sse: object = {}) =>
  TestApp.listening(app, { values: { server: { host: "127.0.0.1", listener, port: 0 }, sse } })

type Shop = Effect.Success<ReturnType<typeof boot>>

const append = (shop: Shop, id: number) =>
  shop.run(Realtime.EventLog.use((log) => log.append(OrderEvents, "orders:ada", placed(id))))

/** A connection that sends `head` at once and collects what comes. */
const client = (shop: Shop, head: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const socket = connect(Number(new URL(shop.url).port), "127.0.0.1")
      let text = ""
      socket.on("error", () => {})
      socket.on("data", (chunk) => (text += chunk.toString()))
      await once(socket, "connect")
      socket.write(head)
      return {
        // A reset is an end too, and `once` of node:events would reject.
        closed: Effect.callback<void>((resume) => {
          if (socket.closed) resume(Effect.void)
          else socket.once("close", () => resume(Effect.void))
        }),
        has: (part: RegExp) => until(Effect.sync(() => part.test(text))),
        socket,
        text: () => text
      }
    }),
    ({ socket }) => Effect.sync(() => socket.destroy())
  )

const get = (path: string, version = "1.1", method = "GET") =>
  `${method} ${path} HTTP/${version}\r\nHost: a\r\n\r\n`

const pause = (socket: Socket) => Effect.sync(() => void socket.pause())

describe.each(["node", "proxied"])("event streams of the %s listener", (listener) => {
  it.live("are chunks, one for each write, and the connection goes on after their end", () =>
    Effect.gen(function* () {
      const shop = yield* boot(listener)
      // The second request waits for the first reply.
      const one = yield* client(shop, get("/orders/ada/replay").repeat(2))
      yield* one.has(/0\r\n\r\nHTTP[\s\S]*0\r\n\r\n$/)
      const text = one.text()
      expect(text.match(/HTTP\/1\.1 200 OK\r\n/g)?.length).toBe(2)
      expect(text.match(/Transfer-Encoding: chunked\r\n/gi)?.length).toBe(2)
      expect(text.match(/\r\n3\r\n:\n\n\r\n/g)?.length).toBe(2)
      expect(text.match(/id: own-3\n/g)?.length).toBe(2)
      one.socket.write(get("/orders/ada/replay"))
      yield* one.has(/(?:0\r\n\r\n[\s\S]*){3}$/)
      yield* until(Effect.map(reading(shop, "flange.sse.connections"), (count) => count === 0))
    })
  )

  it.live("end with the connection on HTTP/1.0, and have no body for HEAD", () =>
    Effect.gen(function* () {
      const shop = yield* boot(listener)
      const old = yield* client(shop, get("/orders/ada/replay", "1.0"))
      yield* old.closed
      expect(old.text()).not.toContain("chunked")
      expect(old.text()).toMatch(/\r\n\r\n:\n\n(?:id: own-\d\nevent: placed\ndata: .*\n\n){3}$/)
      const head = yield* client(shop, get("/orders/ada/events", "1.1", "HEAD"))
      yield* head.has(/\r\n\r\n$/)
      expect(head.text()).toContain("text/event-stream")
      expect(yield* reading(shop, "flange.sse.connections")).toBe(0)
    })
  )

  it.live("a client that goes away is forgotten", () =>
    Effect.gen(function* () {
      const shop = yield* boot(listener)
      const one = yield* client(shop, get("/orders/ada/events"))
      yield* one.has(/id: 0-0\n\n/)
      expect(yield* reading(shop, "flange.sse.connections")).toBe(1)
      one.socket.destroy()
      yield* until(Effect.map(reading(shop, "flange.sse.connections"), (count) => count === 0))
      shop.expectNoErrors()
    })
  )

  it.live(
    "a client that does not read is cut, and does not hold up others",
    () =>
      Effect.gen(function* () {
        const shop = yield* boot(listener, { maxBuffer: "4 KiB" })
        const slow = yield* client(shop, get("/orders/ada/events"))
        yield* slow.has(/id: 0-0\n\n/)
        yield* pause(slow.socket)
        const fast = yield* client(shop, get("/orders/ada/events"))
        yield* fast.has(/id: 0-0\n\n/)
        const Notes = EventStream.make({ note: Schema.String })
        const note = (data: string) =>
          shop.run(
            Realtime.EventLog.use((log) => log.append(Notes, "orders:ada", { data, event: "note" }))
          )
        let count = 0
        while ((yield* reading(shop, "flange.sse.cuts")) === 0) {
          const id = yield* note("x".repeat(60_000))
          yield* fast.has(new RegExp(`id: ${id}\n`))
          count++
        }
        expect(count).toBeGreaterThan(1)
        const last = yield* append(shop, 1)
        yield* fast.has(new RegExp(`id: ${last}\n`))
        slow.socket.resume()
        yield* slow.closed
        expect(slow.text()).not.toContain(`id: ${last}\n`)
        expect(yield* reading(shop, "flange.sse.cuts")).toBe(1)
        yield* until(
          Effect.sync(() =>
            shop.logs.some(({ message }) =>
              String(message).includes("more than sse.maxBuffer waited")
            )
          )
        )
      }),
    { timeout: 120_000 }
  )
})
