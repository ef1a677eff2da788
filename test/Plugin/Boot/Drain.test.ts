import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as Rig from "../Rig.ts"

describe("drain", () => {
  it.effect("the hooks and the listener drain at the same time", () =>
    Effect.gen(function* () {
      const rig = Rig.make()
      const latches = yield* Effect.forEach(["p1", "p2", "listener"], (name) =>
        Effect.map(Deferred.make<void>(), (latch) => [name, latch] as const)
      )
      // Each says that it began, then waits for all the others: in a row they would wait forever.
      const meet = (own: string) =>
        Effect.andThen(
          Deferred.succeed(new Map(latches).get(own)!, undefined),
          Effect.forEach(latches, ([, latch]) => Deferred.await(latch), { discard: true })
        )
      const exit = yield* rig.run(
        [rig.plugin("p1", { drain: meet("p1") }), rig.plugin("p2", { drain: meet("p2") })],
        { host: rig.host({ drain: () => meet("listener") }) }
      )
      expect(Rig.outcome(exit)).toBe("success")
      expect(rig.logs).toEqual([])
    })
  )

  it.effect.each([
    ["never ends", Effect.never],
    ["cannot be interrupted", Effect.uninterruptible(Effect.never)]
  ] as const)("a hook that %s delays the release by app.drainTimeout and no longer", ([, hook]) =>
    Effect.gen(function* () {
      const rig = Rig.make()
      const draining = yield* Deferred.make<void>()
      const fiber = yield* Effect.forkChild(
        rig.run(
          rig.four(2, { drain: Effect.andThen(Deferred.succeed(draining, undefined), hook) }),
          { values: { app: { drainTimeout: "3 seconds" } } }
        )
      )
      yield* Deferred.await(draining)
      yield* TestClock.adjust("2999 millis")
      expect(rig.idsOf("drain")).toEqual(["p1", "p3", "p4"])
      expect(rig.idsOf("release")).toEqual([])
      yield* TestClock.adjust("1 millis")
      expect(Rig.outcome(yield* Fiber.join(fiber))).toBe("success")
      expect(rig.idsOf("release")).toEqual(Rig.reversed(4))
      expect(rig.logs).toEqual(['Error Plugin "p2" failed to drain Not done within 3s'])
    })
  )

  it.effect("a listener that fails to drain is logged; hooks and finalizers still run", () =>
    Effect.gen(function* () {
      const rig = Rig.make()
      const slow = Effect.andThen(Effect.yieldNow, rig.note("drain p1"))
      const exit = yield* rig.run([rig.plugin("p1", { drain: slow })], {
        host: rig.host({ drain: () => Effect.die(new Error("no socket")) })
      })
      expect(Rig.outcome(exit)).toBe("success")
      expect(rig.idsOf("drain")).toEqual(["p1"])
      expect(rig.idsOf("release")).toEqual(["p1"])
      expect(rig.logs).toEqual(["Error The listener failed to drain no socket"])
    })
  )

  it.effect("the listener is told app.drainDelay and app.drainTimeout", () =>
    Effect.gen(function* () {
      const rig = Rig.make()
      const told: Array<unknown> = []
      yield* rig.run([], {
        host: rig.host({ drain: (options) => Effect.sync(() => void told.push(options)) }),
        values: { app: { drainDelay: "2 seconds", drainTimeout: "1 minute" } }
      })
      expect(told).toEqual([{ delay: Duration.seconds(2), timeout: Duration.minutes(1) }])
    })
  )

  it.effect("without plugins an app boots and stops", () =>
    Effect.gen(function* () {
      const rig = Rig.make()
      expect(Rig.outcome(yield* rig.run([]))).toBe("success")
      expect(rig.events).toEqual(["bind", "drain listener after 0", "unbind"])
    })
  )
})

describe("status", () => {
  const watching = (rig: ReturnType<typeof Rig.make>, special: Rig.Special = {}) =>
    rig.plugin("p1", {
      drain: rig.noteStatus("in drain"),
      during: rig.noteStatus("in acquire"),
      ready: rig.noteStatus("in ready"),
      release: rig.noteStatus("in release"),
      ...special
    })
  const statuses = (rig: ReturnType<typeof Rig.make>) =>
    rig.events.filter((event) => event.startsWith("in "))

  it.effect("goes starting, ready, draining, stopped", () =>
    Effect.gen(function* () {
      const rig = Rig.make()
      const scope = yield* Scope.make()
      const { runtime } = yield* rig.boot([watching(rig)]).pipe(Scope.provide(scope))
      expect(yield* runtime.status).toBe("ready")
      yield* Scope.close(scope, Exit.void)
      expect(yield* runtime.status).toBe("stopped")
      expect(statuses(rig)).toEqual([
        "in acquire: starting",
        "in ready: starting",
        "in drain: draining",
        "in release: draining"
      ])
    })
  )

  it.effect("is never ready when ready fails", () =>
    Effect.gen(function* () {
      const rig = Rig.make()
      yield* rig.run([watching(rig, { ready: Rig.end("failure", "p1") })])
      expect(statuses(rig)).toEqual([
        "in acquire: starting",
        "in drain: draining",
        "in release: draining"
      ])
    })
  )
})
