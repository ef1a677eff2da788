/** Tests of processes that the system does not start. */
import nodeCluster from "node:cluster"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Child from "../../../../src/Server/Listener/Workers/Child.ts"

/** Returns how a worker ended that could not be started. */
const endOf = Effect.gen(function* () {
  const start = yield* Effect.promise(Child.cluster)
  const child = start!(1, 1, () => {})
  assert.isUndefined(child.pid)
  child.send({ flange: "stop" })
  child.kill("SIGKILL")
  return Child.endOf(yield* Deferred.await(child.ended))
})

describe("a worker that the system does not start", () => {
  it.live("ends with the error that Node reports by an event", () =>
    Effect.gen(function* () {
      yield* Effect.acquireRelease(
        Effect.sync(() => nodeCluster.setupPrimary({ cwd: "/missing" })),
        () => Effect.sync(() => nodeCluster.setupPrimary({ cwd: process.cwd() }))
      )
      assert.match(yield* endOf, /^Error: spawn .+ ENOENT$/)
    })
  )

  it.live("ends with the error that Node throws", () =>
    Effect.gen(function* () {
      yield* Effect.acquireRelease(
        // Longer than any system takes one variable.
        Effect.sync(() => (process.env["FLANGE_TEST_LONG"] = "x".repeat(2 ** 23))),
        () => Effect.sync(() => Reflect.deleteProperty(process.env, "FLANGE_TEST_LONG"))
      )
      assert.match(yield* endOf, /^Error: spawn E2BIG$/)
    })
  )
})
