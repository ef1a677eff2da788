import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { App } from "flange"
import * as Compression from "flange/Compression"
import * as Metrics from "flange/Metrics"
import * as Realtime from "flange/Realtime"
import { EventStream, follow } from "flange/Realtime/Contract"
import { TestApp } from "flange/Testing"
import { at, OrderEvents, OrdersPlugin, placed } from "./orders.ts"

const app = App.make("shop", [Compression.plugin, Metrics.plugin, Realtime.sse, OrdersPlugin])

const boot = (sse: object = {}) => TestApp.make(app, { values: { sse } })

type Shop = Effect.Success<ReturnType<typeof boot>>

const append = (shop: Shop, id: number, customer = "ada") =>
  shop.run(
    Realtime.EventLog.use((log) => log.append(OrderEvents, `orders:${customer}`, placed(id)))
  )

const following = (shop: Shop, lastEventId?: string, customer = "ada") =>
  follow((request) => shop.client.orders.events({ ...request, params: { customer } }), {
    lastEventId
  })

/** Opens a stream, and returns its text as it comes. */
const opened = (shop: Shop, headers: { readonly "last-event-id"?: string } = {}) =>
  Effect.gen(function* () {
    const response = yield* shop.client.orders.events({
      headers,
      params: { customer: "ada" },
      responseMode: "response-only"
    })
    let text = ""
    let waiting: { readonly done: Deferred.Deferred<void>; readonly part: string } | undefined
    const look = () => {
      if (waiting !== undefined && text.includes(waiting.part)) {
        Deferred.doneUnsafe(waiting.done, Effect.void)
      }
    }
    const fiber = yield* Effect.forkScoped(
      Stream.runForEach(Stream.decodeText(response.stream), (chunk) =>
        Effect.sync(() => {
          text += chunk
          look()
        })
      )
    )
    return {
      ended: Fiber.await(fiber),
      headers: response.headers,
      text: () => text,
      until: (part: string) =>
        Effect.suspend(() => {
          const done = Deferred.makeUnsafe<void>()
          waiting = { done, part }
          look()
          return Deferred.await(done)
        })
    }
  })

describe("Sse.follow", () => {
  it.live("sends the events after Last-Event-ID, then those that come, typed", () =>
    Effect.gen(function* () {
      const shop = yield* boot()
      yield* append(shop, 1)
      const second = yield* append(shop, 2)
      const isReading = Deferred.makeUnsafe<void>()
      const reading = yield* Effect.forkChild(
        following(shop, "0-0").pipe(
          Stream.tap(({ id }) =>
            id === second ? Deferred.done(isReading, Effect.void as never) : Effect.void
          ),
          Stream.take(3),
          Stream.runCollect
        )
      )
      yield* Deferred.await(isReading)
      const third = yield* append(shop, 3)
      yield* append(shop, 9, "grace")
      const events = yield* Fiber.join(reading)
      expect(events.map(({ data, event }) => ({ data, event }))).toEqual([
        placed(1),
        placed(2),
        placed(3)
      ])
      expect(events.map(({ id }) => id)).toEqual([expect.any(String), second, third])
      const rest = yield* following(shop, second).pipe(Stream.take(1), Stream.runCollect)
      expect(rest).toEqual([{ ...placed(3), id: third }])
    })
  )

  it.live("its reply is not stored, compressed or held back, and begins with the position", () =>
    Effect.gen(function* () {
      const shop = yield* boot()
      const id = yield* append(shop, 1)
      const stream = yield* opened(shop)
      yield* stream.until(`id: ${id}\n\n`)
      expect(stream.headers).toMatchObject({
        "cache-control": "no-store, no-transform",
        "content-type": "text/event-stream",
        "last-event-id": id,
        "x-accel-buffering": "no"
      })
      expect(stream.headers["content-encoding"]).toBeUndefined()
      const next = yield* append(shop, 2)
      yield* stream.until("\n\nid: ")
      expect(stream.text()).toBe(
        `id: ${id}\n\nid: ${next}\nevent: placed\ndata: {"at":"${at.toJSON()}","id":2}\n\n`
      )
    })
  )

  it.live("sends heartbeats to a silent stream", () =>
    Effect.gen(function* () {
      const shop = yield* boot({ heartbeat: "1 second" })
      const stream = yield* opened(shop)
      yield* stream.until("id: 0-0\n\n:\n\n:\n\n")
    })
  )

  it.live("ends a stream after its duration", () =>
    Effect.gen(function* () {
      const shop = yield* boot({ heartbeat: "1 second", maxDuration: "1 second" })
      const stream = yield* opened(shop)
      yield* stream.ended
      expect(stream.text()).toMatch(/^id: 0-0\n\n(?::\n\n)*retry: \d+\n\n$/)
    })
  )

  it.live("refuses what is no id and no topic with a 400", () =>
    Effect.gen(function* () {
      const shop = yield* boot()
      for (const id of ["7", "0-1", "a-b", "1-2-3", "1234567890123456-1"]) {
        const reply = yield* shop.get("/orders/ada/events", { headers: { "last-event-id": id } })
        reply.expectProblem("EVENT_ID_MALFORMED", 400)
      }
      const reply = yield* shop.get("/orders/a%20b/events")
      reply.expectProblem("TOPIC_MALFORMED", 400)
      expect(yield* Effect.flip(following(shop, "x").pipe(Stream.runDrain))).toMatchObject({
        _tag: "EventIdMalformed"
      })
      const error = yield* Effect.flip(append(shop, 1, "ä"))
      expect(error._tag).toBe("TopicMalformed")
    })
  )

  it.live("tells a client that it has missed events, and goes on", () =>
    Effect.gen(function* () {
      const shop = yield* boot({ maxEvents: 2 })
      const first = yield* append(shop, 1)
      for (let id = 2; id <= 5; id++) yield* append(shop, id)
      const [expired] = yield* following(shop, first).pipe(Stream.take(1), Stream.runCollect)
      expect(expired).toMatchObject({ data: { reason: "expired" }, event: "reset" })
      const [unknown] = yield* following(shop, "1-1").pipe(Stream.take(1), Stream.runCollect)
      expect(unknown).toMatchObject({ data: { reason: "unknown" }, event: "reset" })
      const reading = yield* Effect.forkChild(
        following(shop, expired!.id).pipe(Stream.take(1), Stream.runCollect)
      )
      yield* append(shop, 6)
      expect(yield* Fiber.join(reading)).toMatchObject([placed(6)])
    })
  )

  it.live("a client that has missed many events gets all of them in their order", () =>
    Effect.gen(function* () {
      const shop = yield* boot()
      const count = 1000
      for (let id = 1; id <= count; id++) yield* append(shop, id)
      const events = yield* following(shop, "0-0").pipe(Stream.take(count), Stream.runCollect)
      expect(events.map(({ data }) => ("id" in data ? data.id : 0))).toEqual(
        Array.from({ length: count }, (_, i) => i + 1)
      )
    })
  )

  it.live("counts open streams", () =>
    Effect.gen(function* () {
      const shop = yield* boot()
      const open = shop.run(
        Effect.map(Metric.snapshot, (all) => {
          const found = all.find(({ id }) => id === "flange.sse.connections")
          return found?.type === "Gauge" ? found.state.value : undefined
        })
      )
      expect(yield* open).toBe(0)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const stream = yield* opened(shop)
          yield* stream.until("id: ")
          expect(yield* open).toBe(1)
        })
      )
      while ((yield* open) !== 0) yield* Effect.sleep(5)
    })
  )

  it.live("the drain ends a stream, and tells its client when to connect again", () =>
    Effect.gen(function* () {
      const shop = yield* boot({ retry: "1 second" })
      const stream = yield* opened(shop)
      yield* stream.until("id: 0-0")
      yield* shop.run(Realtime.Sse.use(({ drain }) => drain))
      yield* stream.ended
      const retry = /^id: 0-0\n\nretry: (\d+)\n\n$/.exec(stream.text())
      expect(Number(retry?.[1])).toBeGreaterThanOrEqual(500)
      expect(Number(retry?.[1])).toBeLessThanOrEqual(1500)
      // A client that comes during the drain is not refused: a browser would never come again.
      const late = yield* opened(shop, { "last-event-id": "0-0" })
      yield* late.ended
      expect(late.text()).toMatch(/^id: 0-0\n\nretry: \d+\n\n$/)
    })
  )
})

describe("Sse.send", () => {
  it.live("sends the events of a stream, and ends with it", () =>
    Effect.gen(function* () {
      const shop = yield* boot()
      const reply = yield* shop.get("/orders/ada/replay")
      const event = (id: number) =>
        `id: own-${id}\nevent: placed\ndata: {"at":"${at.toJSON()}","id":${id}}\n\n`
      expect(reply.text).toBe(`:\n\n${event(1)}${event(2)}${event(3)}`)
    })
  )

  it.live("a stream that fails is logged and cut, without a word of its failure", () =>
    Effect.gen(function* () {
      const shop = yield* boot()
      let text = ""
      const reading = Effect.gen(function* () {
        const response = yield* shop.client.orders.replay({
          headers: {},
          params: { customer: "broken" },
          responseMode: "response-only"
        })
        yield* Stream.runForEach(Stream.decodeText(response.stream), (chunk) =>
          Effect.sync(() => {
            text += chunk
          })
        )
      })
      // The connection may be closed before the client has the head.
      expect((yield* Effect.exit(reading))._tag).toBe("Failure")
      expect(text).not.toContain("secret")
      expect(shop.logs.some(({ message }) => String(message).includes("events of a stream"))).toBe(
        true
      )
    })
  )
})

describe("EventLog", () => {
  it.live("read returns the events after an id, and those that come", () =>
    Effect.gen(function* () {
      const shop = yield* boot()
      const first = yield* append(shop, 1)
      yield* append(shop, 2)
      const read = (after?: string) =>
        Stream.unwrap(
          shop.run(
            Realtime.EventLog.use((log) =>
              Effect.succeed(log.read(OrderEvents, "orders:ada", { after }))
            )
          )
        )
      const reading = yield* Effect.forkChild(read(first).pipe(Stream.take(2), Stream.runCollect))
      yield* append(shop, 3)
      expect(yield* Fiber.join(reading)).toMatchObject([placed(2), placed(3)])
    })
  )

  it.live("refuses data that is too long", () =>
    Effect.gen(function* () {
      const shop = yield* boot({ maxSize: "256 B" })
      const Notes = EventStream.make({ note: Schema.String })
      const note = (data: string) =>
        shop.run(Realtime.EventLog.use((log) => log.append(Notes, "n", { data, event: "note" })))
      yield* note("x".repeat(254))
      expect(yield* Effect.flip(note("x".repeat(255)))).toMatchObject({
        _tag: "EventTooLarge",
        limit: 256
      })
    })
  )
})

describe("EventStream.make", () => {
  it("refuses names that a line cannot hold, and the name of the log's own event", () => {
    for (const name of ["reset", "", "a b", "a\nb", "x".repeat(65)]) {
      expect(() => EventStream.make({ [name]: Schema.String })).toThrow(
        `An event cannot have the name ${JSON.stringify(name)}`
      )
    }
  })
})
