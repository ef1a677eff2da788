// What a memo loads in a request, and when.
import { expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { App, Memo, Plugin, RequestId, Route } from "flange"
import { TestApp } from "flange/Testing"

class Api extends HttpApiGroup.make("api").add(
  HttpApiEndpoint.get("run", "/", { success: Schema.Json })
) {}

/** Boots an app whose only handler runs an effect. */
const serving = (effect: Effect.Effect<Schema.Json>) =>
  TestApp.make(
    App.make("memo", [
      Plugin.make("app:memo", {
        routes: [Route.public(Api, (handlers) => handlers.handleAll({ run: () => effect }))]
      })
    ])
  )

/** Runs an effect in a request, and returns what it answers. */
const inRequest = (effect: Effect.Effect<Schema.Json>) =>
  Effect.flatMap(serving(effect), (test) =>
    Effect.map(test.get("/"), (reply) => reply.expectStatus(200).json)
  )

/** A memo that counts its loads. */
const counting = () => {
  let loads = 0
  return Memo.make("item", (key: unknown) => Effect.sync(() => `${JSON.stringify(key)} ${++loads}`))
}

it.live("a memo loads each key once in a request, also as an equal object", () =>
  Effect.gen(function* () {
    const item = counting()
    const keys = ["a", { id: 1 }, "a", { id: 1 }]
    expect(yield* inRequest(Effect.forEach(keys, item))).toEqual([
      '"a" 1',
      '{"id":1} 2',
      '"a" 1',
      '{"id":1} 2'
    ])
  })
)

it.live("a memo is empty in the next request, and two memos have nothing in common", () =>
  Effect.gen(function* () {
    const [one, two] = [counting(), counting()]
    const test = yield* serving(Effect.all([one("a"), one("b"), two("a"), one("a")]))
    const ask = Effect.map(test.get("/"), ({ json }) => json)
    expect(yield* ask).toEqual(['"a" 1', '"b" 2', '"a" 1', '"a" 1'])
    expect(yield* ask).toEqual(['"a" 3', '"b" 4', '"a" 2', '"a" 3'])
  })
)

it.live("a memo outside a request loads at each call", () =>
  Effect.gen(function* () {
    const item = counting()
    expect([yield* item("a"), yield* item("a")]).toEqual(['"a" 1', '"a" 2'])
  })
)

it.live("callers at the same time share one load, in the request of the first", () =>
  Effect.gen(function* () {
    let loads = 0
    const slow = Memo.make("slow", (_: string) =>
      Effect.gen(function* () {
        loads++
        yield* Effect.sleep(5)
        return yield* RequestId
      })
    )
    const answer = yield* inRequest(
      Effect.gen(function* () {
        const id = yield* RequestId
        const ids = yield* Effect.forEach(Array.from({ length: 100 }), () => slow("a"), {
          concurrency: "unbounded"
        })
        return ids.every((one) => one === id && one !== "")
      })
    )
    expect(answer).toBe(true)
    expect(loads).toBe(1)
  })
)

it.live("a failure and a defect are not kept, and are those of all who wait", () =>
  Effect.gen(function* () {
    let loads = 0
    const failing = Memo.make("failing", (how: "defect" | "failure") =>
      Effect.sleep(1).pipe(
        Effect.andThen(
          Effect.suspend(() => {
            loads++
            return how === "failure" ? Effect.fail("no") : Effect.die("no")
          })
        )
      )
    )
    const twice = (how: "defect" | "failure") =>
      Effect.all([Effect.exit(failing(how)), Effect.exit(failing(how))], { concurrency: 2 })
    yield* inRequest(
      Effect.gen(function* () {
        for (const how of ["failure", "defect"] as const) {
          expect(yield* twice(how)).toMatchObject([{ _tag: "Failure" }, { _tag: "Failure" }])
          yield* Effect.exit(failing(how))
        }
        return null
      })
    )
    expect(loads).toBe(4)
  })
)

it.live("an interrupted caller leaves the load to the others, and the last one ends it", () =>
  Effect.gen(function* () {
    const gate = yield* Deferred.make<void>()
    let [ended, loads] = [0, 0]
    const slow = Memo.make("slow", (key: string) =>
      Effect.suspend(() => {
        loads++
        return Deferred.await(gate)
      }).pipe(
        Effect.as(key),
        Effect.onInterrupt(() => Effect.sync(() => void ended++))
      )
    )
    const answer = yield* inRequest(
      Effect.gen(function* () {
        const alone = yield* Effect.forkChild(slow("alone"), { startImmediately: true })
        yield* Fiber.interrupt(alone)
        expect([loads, ended]).toEqual([1, 1])
        const first = yield* Effect.forkChild(slow("a"), { startImmediately: true })
        const second = yield* Effect.forkChild(slow("a"), { startImmediately: true })
        yield* Fiber.interrupt(first)
        yield* Deferred.succeed(gate, undefined)
        return yield* Fiber.join(second)
      })
    )
    expect(answer).toBe("a")
    expect([loads, ended]).toEqual([2, 1])
  })
)

it.live(
  "a memo that needs its own value dies with its name, and may need that of another key",
  () =>
    Effect.gen(function* () {
      const parent: (id: number) => Effect.Effect<number> = Memo.make("parent", (id: number) =>
        id === 0 ? Effect.succeed(0) : Effect.map(parent(id - 1), (depth) => depth + 1)
      )
      const circular: (id: string) => Effect.Effect<string> = Memo.make("circular", (id: string) =>
        circular(id === "a" ? "b" : "a")
      )
      const answer = yield* inRequest(
        Effect.gen(function* () {
          const exit = yield* Effect.exit(circular("a"))
          return [yield* parent(3), String(exit)]
        })
      )
      expect(answer).toEqual([3, expect.stringContaining("The memo circular needs its own value")])
    })
)

it.live("memos whose loads wait for each other die with an error that names the circle", () =>
  Effect.gen(function* () {
    const answer = yield* inRequest(
      Effect.gen(function* () {
        const begun = { chief: yield* Deferred.make<void>(), team: yield* Deferred.make<void>() }
        const bothRun = (own: Deferred.Deferred<void>, other: Deferred.Deferred<void>) =>
          // A cache knows a load once it waits.
          Effect.yieldNow.pipe(
            Effect.andThen(Deferred.succeed(own, undefined)),
            Effect.andThen(Deferred.await(other))
          )
        const team: (id: string) => Effect.Effect<string> = Memo.make("team", (id: string) =>
          Effect.andThen(bothRun(begun.team, begun.chief), chief({ team: id }))
        )
        const chief: (of: { readonly team: string }) => Effect.Effect<string> = Memo.make(
          "chief",
          (of: { readonly team: string }) =>
            Effect.andThen(bothRun(begun.chief, begun.team), team(of.team))
        )
        const both = [team("red"), chief({ team: "red" })].map((load) => Effect.exit(load))
        return (yield* Effect.all(both, { concurrency: 2 })).map(String)
      })
    )
    const message =
      /The loads of memos wait for each other: (?:team for the key "red" needs chief for the key \{"team":"red"\} needs team for the key "red"|chief for the key \{"team":"red"\} needs team for the key "red" needs chief for the key \{"team":"red"\})\. Let one of them/
    expect(answer).toEqual([expect.stringMatching(message), expect.stringMatching(message)])
  })
)

it.live("a load may need what another load has stopped to wait for", () =>
  Effect.gen(function* () {
    const answer = yield* inRequest(
      Effect.gen(function* () {
        const waits = yield* Deferred.make<void>()
        const left = yield* Deferred.make<void>()
        const one: (id: string) => Effect.Effect<string> = Memo.make("one", (id: string) =>
          Effect.gen(function* () {
            const waiting = yield* Effect.forkChild(other(id), { startImmediately: true })
            yield* Deferred.succeed(waits, undefined)
            yield* Fiber.interrupt(waiting)
            yield* Deferred.succeed(left, undefined)
            return `one ${id}`
          })
        )
        const other: (id: string) => Effect.Effect<string> = Memo.make("other", (id: string) =>
          Effect.andThen(
            Deferred.await(left),
            Effect.map(one(id), (text) => `other of ${text}`)
          )
        )
        const first = yield* Effect.forkChild(other("a"), { startImmediately: true })
        return [yield* one("a"), yield* Fiber.join(first)]
      })
    )
    expect(answer).toEqual(["one a", "other of one a"])
  })
)
