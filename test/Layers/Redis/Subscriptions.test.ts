// Channels over interruptions, slow subscribers, and subscribers that come and go.
import { expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import { Redis, SharedRedis } from "flange/Redis"
import { connect } from "../../../src/Layers/Redis/Connect.ts"
import { describeRedis, redisServer, scriptedServer, settings } from "./server.ts"

const open = (url: string, values: object = {}) =>
  Effect.map(connect(settings({ url, ...values })), (context) => ({
    redis: Context.get(context, Redis),
    shared: Context.get(context, SharedRedis)
  }))

const message = (text: string) => ({ _tag: "Message", channel: "news", text })
const gap = (dropped?: number) => ({ _tag: "Gap", channel: "news", dropped })

/** Publishes until a subscriber receives it. */
const untilReceived = (redis: Redis["Service"], text: string) =>
  redis.send<number>("PUBLISH", "news", text).pipe(
    Effect.catch(() => Effect.as(Effect.sleep(10), 0)),
    Effect.repeat({ until: (receivers) => receivers > 0 })
  )

/** A push of the protocol about the channel. */
const push = (kind: string, last: string) =>
  [">3", `$${kind.length}`, kind, "$4", "news", last].join("\r\n")

/** A confirmation that comes together with a message. */
const confirmation = `${push("subscribe", ":1")}\r\n${push("message", "$1\r\na")}`

describeRedis("A subscription", () => {
  it.live("receives what is published after it succeeds, in order", () =>
    Effect.gen(function* () {
      const server = yield* redisServer()
      const { redis, shared } = yield* open(server.url)
      const queue = yield* shared.subscribe("news")
      yield* Effect.forEach(["a", "b", "c"], (text) => redis.send("PUBLISH", "news", text))
      const taken = yield* Effect.replicateEffect(Queue.take(queue), 3)
      expect(taken).toEqual([message("a"), message("b"), message("c")])
    })
  )

  it.live("is renewed after a restart, and tells that messages may be missing", () =>
    Effect.gen(function* () {
      const server = yield* redisServer()
      const { redis, shared } = yield* open(server.url)
      const queues = yield* Effect.replicateEffect(shared.subscribe("news"), 2)
      yield* server.kill
      yield* server.start()
      yield* untilReceived(redis, "a")
      for (const queue of queues) {
        expect(yield* Queue.take(queue)).toEqual(gap())
        expect(yield* Queue.take(queue)).toEqual(message("a"))
      }
    })
  )

  it.live("that begins while Redis is away begins with a gap", () =>
    Effect.gen(function* () {
      const server = yield* redisServer()
      const { redis, shared } = yield* open(server.url, { commandTimeout: "100ms" })
      yield* server.kill
      const queue = yield* shared.subscribe("news")
      yield* server.start()
      yield* untilReceived(redis, "a")
      expect(yield* Queue.take(queue)).toEqual(gap())
      expect(yield* Queue.take(queue)).toEqual(message("a"))
    })
  )

  it.live("has its gap before a message that comes together with the confirmation", () =>
    Effect.gen(function* () {
      const server = yield* scriptedServer
      const { shared } = yield* open(server.url, { commandTimeout: "50ms" })
      const queue = yield* shared.subscribe("news")
      yield* server.received(1)
      server.answer(confirmation)
      expect(yield* Queue.take(queue)).toEqual(gap())
      expect(yield* Queue.take(queue)).toEqual(message("a"))
    })
  )

  it.live("that a busy server refuses is asked for again", () =>
    Effect.gen(function* () {
      const server = yield* scriptedServer
      const { shared } = yield* open(server.url, { commandTimeout: "50ms" })
      const queue = yield* shared.subscribe("news")
      yield* server.received(1)
      server.answer("-BUSY Redis is busy running a script")
      yield* server.received(1)
      server.answer(confirmation)
      expect(yield* Queue.take(queue)).toEqual(gap())
      expect(yield* Queue.take(queue)).toEqual(message("a"))
    })
  )

  it.live("drops what waits for a slow subscriber, and tells how much", () =>
    Effect.gen(function* () {
      const server = yield* redisServer()
      const { redis, shared } = yield* open(server.url, { subscriptionBuffer: 3 })
      const slow = yield* shared.subscribe("news")
      const quick = yield* shared.subscribe("news")
      for (const text of ["a", "b", "c", "d"]) {
        yield* redis.send("PUBLISH", "news", text)
        expect(yield* Queue.take(quick)).toEqual(message(text))
      }
      expect(yield* Queue.take(slow)).toEqual(gap(3))
      expect(yield* Queue.take(slow)).toEqual(message("d"))
    })
  )

  it.live("ends with its scope, and the channel with its last subscriber", () =>
    Effect.gen(function* () {
      const server = yield* redisServer()
      const { redis, shared } = yield* open(server.url)
      const subscribers = redis.send<[string, number]>("PUBSUB", "NUMSUB", "news")
      const [one, two] = [yield* Scope.make(), yield* Scope.make()]
      yield* Scope.provide(shared.subscribe("news"), one)
      yield* Scope.provide(shared.subscribe("news"), two)
      // Both are one subscription of the connection that the app shares.
      expect(yield* subscribers).toEqual(["news", 1])
      yield* Scope.close(one, Exit.void)
      expect(yield* subscribers).toEqual(["news", 1])
      yield* Scope.close(two, Exit.void)
      yield* subscribers.pipe(Effect.repeat({ until: ([, count]) => count === 0 }))
    })
  )

  it.live("is whole after subscribers came and went at once", () =>
    Effect.gen(function* () {
      const server = yield* redisServer()
      const { redis, shared } = yield* open(server.url)
      yield* Effect.forEach(
        Array.from({ length: 50 }),
        () => Effect.scoped(shared.subscribe("news")),
        { concurrency: 7, discard: true }
      )
      const queue = yield* shared.subscribe("news")
      yield* redis.send("PUBLISH", "news", "a")
      expect(yield* Queue.take(queue)).toEqual(message("a"))
    })
  )

  it.live("of Effect's own service goes on after a restart", () =>
    Effect.gen(function* () {
      const server = yield* redisServer()
      const { redis } = yield* open(server.url)
      const queue = yield* redis.subscribe("news")
      yield* untilReceived(redis, "a")
      expect(yield* Queue.take(queue)).toEqual({ channel: "news", message: "a" })
      yield* server.kill
      yield* server.start()
      yield* untilReceived(redis, "b")
      expect(yield* Queue.take(queue)).toEqual({ channel: "news", message: "b" })
    })
  )
})
