import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { onServers } from "./Backends.ts"
import { ask, isClean, start } from "./Load.ts"
import * as Proxy from "./Proxy.ts"
import { rig } from "./Rig.ts"

const served = ({ status }: { readonly status: number }) => status === 200
const refused = ({ status }: { readonly status: number }) => status === 503

onServers((backend) => {
  const outage = (how: "cut" | "freeze") =>
    Effect.gen(function* () {
      const proxy = yield* Proxy.make(backend.url)
      const { all, insert, script, test } = yield* rig(proxy, {
        acquireTimeout: "500 millis",
        endpoint: true,
        listening: true,
        maxConnections: 4
      })
      script.write = insert("a").pipe(Effect.andThen(insert("b")), Effect.as("done"))
      const load = yield* start(test, 16)
      yield* load.until(100, served)
      yield* proxy[how]
      yield* load.until(32, refused)
      yield* proxy.restore
      yield* load.until(200, served)
      yield* load.stop
      expect(load.replies.filter((reply) => !isClean(reply))).toEqual([])
      // A busy machine may still refuse some of a burst: each is sent until it is served.
      yield* Effect.forEach(
        Array.from({ length: 20 }),
        () => Effect.repeat(ask(test), { until: served }),
        { concurrency: 20 }
      )
      // Half a transaction was never committed; a commit whose answer got lost may have been.
      const who = yield* all
      const [a, b] = ["a", "b"].map((one) => who.filter((each) => each === one).length)
      expect(a).toBe(b)
      expect(a).toBeGreaterThanOrEqual(load.replies.filter(served).length + 20)
    })

  it.live("a killed database under load gives 503s, and all is well when it returns", () =>
    outage("cut")
  )

  it.live("a silent database under load gives 503s, and all is well when it returns", () =>
    outage("freeze")
  )

  it.live(
    "a database that falls silent in a transaction gives 503, and the only connection is replaced",
    () =>
      Effect.gen(function* () {
        const proxy = yield* Proxy.make(backend.url)
        const { all, insert, script, test } = yield* rig(proxy, {
          endpoint: true,
          maxConnections: 1,
          statementTimeout: "300 millis"
        })
        script.write = insert("a").pipe(Effect.andThen(proxy.freeze), Effect.andThen(insert("b")))
        const silent = yield* test.post("/write")
        silent.expectProblem("SERVICE_UNAVAILABLE", 503).expectHeader("retry-after", "1")
        yield* proxy.restore
        script.write = insert("c")
        const next = yield* test.post("/write")
        next.expectStatus(200)
        expect(yield* all).toEqual(["c"])
      })
  )

  it.live("a database that is down is 503 without a transaction too", () =>
    Effect.gen(function* () {
      const proxy = yield* Proxy.make(backend.url)
      const { insert, script, test } = yield* rig(proxy, { acquireTimeout: "500 millis" })
      script.write = Effect.as(insert("a"), "done")
      yield* proxy.cut
      const reply = yield* test.post("/write")
      reply.expectProblem("SERVICE_UNAVAILABLE", 503).expectHeader("retry-after", "1")
      yield* proxy.restore
      yield* Effect.repeat(ask(test), { until: served })
    })
  )
})
