import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { App, Middleware, Plugin, Route } from "flange"
import * as Auth from "flange/Auth"
import * as Cache from "flange/Cache"
import { ResponseCache } from "flange/Cache/Contract"
import { TestCache } from "flange/Cache/Testing"
import { TestApp } from "flange/Testing"

const { CacheStoreError } = Cache

const read = HttpApiEndpoint.get("read", "/slow", { success: Schema.String })

class SlowApi extends HttpApiGroup.make("slow").add(
  read.annotate(ResponseCache, ResponseCache.public("1 minute"))
) {}

class MineApi extends HttpApiGroup.make("mine").add(
  HttpApiEndpoint.get("read", "/mine", { success: Schema.String }).annotate(
    ResponseCache,
    ResponseCache.perIdentity("1 minute")
  )
) {}

const subjects = ["ada", "bob", "eve"]

const tokenOf = (subject: string) => `token-of-${subject}-0000`

const AuthPlugin = Auth.plugin({
  default: Auth.chain(
    [
      Auth.bearer(
        subjects.map((subject) => ({
          identity: { subject },
          token: Redacted.make(tokenOf(subject))
        }))
      )
    ],
    { unauthenticated: "anonymous" }
  )
})

/** Creates an app whose handlers wait for a gate, and the order of their runs. */
const make = (reply: () => HttpServerResponse.HttpServerResponse | string = () => "done") => {
  const gate = Deferred.makeUnsafe<void>()
  const ran: Array<string> = []
  const run = <A>(name: string, value: () => A) =>
    Effect.suspend(() => {
      ran.push(name)
      return Effect.map(Deferred.await(gate), value)
    })
  const Slow = Plugin.make("app:slow", {
    routes: [
      Route.public(SlowApi, (handlers) => handlers.handleAll({ read: () => run("slow", reply) })),
      Route.protected(MineApi, (handlers) =>
        handlers.handleAll({
          read: ({ identity }) => run(identity.subject, () => `of ${identity.subject}`)
        })
      )
    ]
  })
  let arrived = 0
  const Arrivals = Plugin.make("app:arrivals", {
    middleware: [
      Middleware.before("arrivals", {
        build: Effect.succeed(() => () => {
          arrived++
          return Middleware.pass
        }),
        slot: "Custom"
      })
    ]
  })
  /** Waits until this many requests wait for the handler, or for the run of another one. */
  const waiting = (count: number) =>
    Effect.promise(async () => {
      const hasArrived = () => arrived >= count && ran.length > 0
      while (!hasArrived()) await turn()
      for (let turns = 0; turns < 20; turns++) await turn()
    })
  const app = App.make("shop", [Cache.plugin, Arrivals, AuthPlugin, Slow])
  return { app, gate, ran, waiting }
}

/** Lets requests go on that do not wait. */
const turn = () => new Promise((resolve) => setImmediate(resolve))

describe("requests for one reply at the same time", () => {
  it.live("run its handler once", () =>
    Effect.gen(function* () {
      const { app, gate, ran, waiting } = make()
      const test = yield* TestApp.make(app)
      const all = yield* Effect.forkChild(
        Effect.forEach(Array.from({ length: 1000 }), () => test.get("/slow"), {
          concurrency: "unbounded"
        })
      )
      yield* waiting(1000)
      yield* Deferred.succeed(gate, undefined)
      const replies = yield* Fiber.join(all)
      assert.deepStrictEqual(ran, ["slow"])
      const found = replies.map(({ headers }) => headers.get("x-cache"))
      assert.strictEqual(found.filter((one) => one === "MISS").length, 1)
      assert.strictEqual(found.filter((one) => one === "HIT").length, 999)
      assert.strictEqual(
        new Set(replies.map(({ headers }) => headers.get("x-request-id"))).size,
        1000
      )
    })
  )

  it.live("of different callers do not share it", () =>
    Effect.gen(function* () {
      const { app, gate, ran, waiting } = make()
      const test = yield* TestApp.make(app)
      const senders = Array.from({ length: 150 }, (_, i) => subjects[i % 3]!)
      const all = yield* Effect.forkChild(
        Effect.forEach(
          senders,
          (subject) =>
            test.get("/mine", { headers: { authorization: `Bearer ${tokenOf(subject)}` } }),
          { concurrency: "unbounded" }
        )
      )
      yield* waiting(150)
      yield* Deferred.succeed(gate, undefined)
      const replies = yield* Fiber.join(all)
      assert.deepStrictEqual(ran.toSorted(), subjects)
      for (const [i, reply] of replies.entries()) reply.expectJson(`of ${senders[i]}`)
    })
  )

  it.live("do not share a reply that must not be stored", () =>
    Effect.gen(function* () {
      let made = 0
      const { app, gate, ran, waiting } = make(() =>
        HttpServerResponse.setCookieUnsafe(HttpServerResponse.text("ok"), "session", `s${++made}`)
      )
      const test = yield* TestApp.make(app)
      const all = yield* Effect.forkChild(
        Effect.forEach(Array.from({ length: 20 }), () => test.get("/slow"), {
          concurrency: "unbounded"
        })
      )
      yield* waiting(20)
      yield* Deferred.succeed(gate, undefined)
      const replies = yield* Fiber.join(all)
      assert.strictEqual(ran.length, 20)
      const cookies = replies.map(({ headers }) => headers.get("set-cookie"))
      assert.strictEqual(new Set(cookies).size, 20)
    })
  )

  it.live("go on if the client whose request runs the handler disconnects", () =>
    Effect.gen(function* () {
      const { app, gate, waiting } = make()
      const test = yield* TestApp.make(app)
      const first = yield* Effect.forkChild(test.get("/slow"))
      yield* waiting(1)
      const others = yield* Effect.forkChild(
        Effect.forEach(Array.from({ length: 10 }), () => test.get("/slow"), {
          concurrency: "unbounded"
        })
      )
      yield* waiting(11)
      yield* Fiber.interrupt(first)
      yield* waiting(11)
      yield* Deferred.succeed(gate, undefined)
      for (const reply of yield* Fiber.join(others)) reply.expectStatus(200).expectJson("done")
      ;(yield* test.get("/slow")).expectHeader("x-cache", "HIT")
    })
  )
})

describe("a cache that does not work", () => {
  it.effect("fails no request, and the handler replies", () =>
    Effect.gen(function* () {
      const { app, gate, ran } = make()
      yield* Deferred.succeed(gate, undefined)
      const down = (operation: string) =>
        Effect.fail(new CacheStoreError({ cause: "down", operation }))
      const store = {
        backend: "broken",
        delete: () => down("delete"),
        ensure: () => down("ensure"),
        get: () => down("get"),
        peek: undefined,
        replace: () => down("replace"),
        set: () => down("set")
      }
      const test = yield* TestApp.make(app, {
        replace: [[Cache.plugin, TestCache.layer({ store })]]
      })
      for (let i = 0; i < 2; i++) (yield* test.get("/slow")).expectStatus(200).expectJson("done")
      assert.deepStrictEqual(ran, ["slow", "slow"])
    })
  )

  it.effect("or has no memory in the process answers the requests of all replicas", () =>
    Effect.gen(function* () {
      const { app, gate, ran } = make()
      yield* Deferred.succeed(gate, undefined)
      const store = { ...TestCache.store(), peek: undefined }
      const replica = TestApp.make(app, { replace: [[Cache.plugin, TestCache.layer({ store })]] })
      const [one, other] = [yield* replica, yield* replica]
      const miss = (yield* one.get("/slow")).expectHeader("x-cache", "MISS")
      const hit = (yield* other.get("/slow")).expectHeader("x-cache", "HIT")
      assert.strictEqual(hit.text, miss.text)
      ;(yield* other.get("/slow", { headers: { "cache-control": "max-age=9" } })).expectHeader(
        "x-cache",
        "HIT"
      )
      assert.deepStrictEqual(ran, ["slow"])
      const mine = (subject: string) =>
        other.get("/mine", { headers: { authorization: `Bearer ${tokenOf(subject)}` } })
      ;(yield* mine("ada")).expectJson("of ada")
      ;(yield* mine("bob")).expectJson("of bob").expectHeader("x-cache", "MISS")
      ;(yield* mine("ada")).expectJson("of ada").expectHeader("x-cache", "HIT")
    })
  )
})
