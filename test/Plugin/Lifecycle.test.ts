import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as Config from "../../src/Config/index.ts"
import * as BootTree from "../../src/Plugin/BootTree.ts"
import type * as Lifecycle from "../../src/Plugin/Lifecycle.ts"
import * as Rig from "./Rig.ts"

const positions = [1, 2, 3, 4] as const
const manners: ReadonlyArray<Rig.Manner> = ["failure", "defect"]

/** What a run failed with: a typed failure as `E: message`, a defect as `defect: message`. */
const outcome = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit)) return "success"
  const [reason] = exit.cause.reasons
  if (reason?._tag === "Fail") {
    return reason.error instanceof Rig.Broken
      ? `Broken at ${reason.error.at}`
      : (reason.error as { readonly _tag: string })._tag
  }
  return reason?._tag === "Die" ? (reason.defect as Error).message : "interrupted"
}

const expected = (manner: Rig.Manner, at: string) =>
  manner === "failure" ? `Broken at ${at}` : `defect at ${at}`

const isPlugin = (id: string, at: number) => id === `p${at}`

describe.each(manners)("a %s", (manner) => {
  describe.each(positions)("of plugin %i of 4", (k) => {
    it.effect("in assemble acquires nothing", () =>
      Effect.gen(function* () {
        const rig = Rig.make()
        const exit = yield* manner === "failure"
          ? rig.run(rig.four(k, { requires: ["nobody"] }))
          : rig.run(rig.four(), {
              host: rig.host({
                check: (plugins) => {
                  if (plugins.some(({ id }) => isPlugin(id, k))) throw new Error(`defect at p${k}`)
                  return []
                }
              })
            })
        expect(outcome(exit)).toBe(manner === "failure" ? "AssemblyError" : `defect at p${k}`)
        expect(rig.events).toEqual([])
      })
    )

    it.effect("in configure acquires nothing", () =>
      Effect.gen(function* () {
        const rig = Rig.make()
        const section = Config.section("mail", { port: Config.Port })
        const exit = yield* rig.run(
          rig.four(k, {
            config: [section],
            defaults: () => {
              if (manner === "defect") throw new Error(`defect at p${k}`)
              return { mail: { port: "none" } }
            }
          })
        )
        expect(outcome(exit)).toBe(manner === "failure" ? "ConfigError" : `defect at p${k}`)
        expect(rig.events).toEqual([])
      })
    )

    it.effect("in acquire, before it has anything, releases those before it in reverse", () =>
      Effect.gen(function* () {
        const rig = Rig.make()
        const exit = yield* rig.run(rig.four(k, { started: Rig.end(manner, `p${k}`) }))
        expect(outcome(exit)).toBe(expected(manner, `p${k}`))
        expect(rig.of("acquire")).toEqual(Rig.reversed(k - 1).toReversed())
        expect(rig.of("release")).toEqual(Rig.reversed(k - 1))
        expect(rig.events.length).toBe(2 * (k - 1))
      })
    )

    it.effect("in acquire, after it has something, releases that too and first", () =>
      Effect.gen(function* () {
        const rig = Rig.make()
        const exit = yield* rig.run(rig.four(k, { during: Rig.end(manner, `p${k}`) }))
        expect(outcome(exit)).toBe(expected(manner, `p${k}`))
        expect(rig.of("acquire")).toEqual(Rig.reversed(k).toReversed())
        expect(rig.of("release")).toEqual(Rig.reversed(k))
        expect(rig.events.length).toBe(2 * k)
      })
    )

    it.effect("in acquire, by its routes, releases it and those before it in reverse", () =>
      Effect.gen(function* () {
        const rig = Rig.make()
        const exit = yield* rig.run(rig.four(), {
          host: rig.host({
            mount: ({ plugin }) =>
              isPlugin(plugin.id, k) ? Rig.end(manner, plugin.id) : Effect.void
          })
        })
        expect(outcome(exit)).toBe(expected(manner, `p${k}`))
        expect(rig.of("release")).toEqual(Rig.reversed(k))
        expect(rig.events.length).toBe(2 * k)
      })
    )

    it.effect("in bind releases all of them in reverse, without a drain", () =>
      Effect.gen(function* () {
        const rig = Rig.make()
        const exit = yield* rig.run(rig.four(), {
          host: rig.host({
            bind: () =>
              Effect.acquireRelease(rig.note("socket"), () => rig.note("close socket")).pipe(
                Effect.andThen(Rig.end(manner, `p${k}`))
              )
          })
        })
        expect(outcome(exit)).toBe(expected(manner, `p${k}`))
        expect(rig.events.slice(4)).toEqual([
          "socket",
          "close socket",
          ...Rig.reversed(4).map((id) => `release ${id}`)
        ])
      })
    )

    it.effect("in ready drains without the delay, then releases all of them in reverse", () =>
      Effect.gen(function* () {
        const rig = Rig.make()
        const exit = yield* rig.run(rig.four(k, { ready: Rig.end(manner, `p${k}`) }), {
          values: { app: { drainDelay: "1 hour" } }
        })
        expect(outcome(exit)).toBe(expected(manner, `p${k}`))
        expect(rig.events).toEqual([
          ...["p1", "p2", "p3", "p4"].map((id) => `acquire ${id}`),
          "bind",
          ...["p1", "p2", "p3", "p4"].slice(0, k - 1).map((id) => `ready ${id}`),
          "drain listener after 0",
          ...["p1", "p2", "p3", "p4"].map((id) => `drain ${id}`),
          "unbind",
          ...Rig.reversed(4).map((id) => `release ${id}`)
        ])
      })
    )

    it.effect("of the finalizer is logged, and the others still run", () =>
      Effect.gen(function* () {
        const rig = Rig.make()
        const release = Effect.orDie(Rig.end(manner, `p${k}`))
        const exit = yield* rig.run(rig.four(k, { release }))
        expect(outcome(exit)).toBe("success")
        expect(rig.of("release")).toEqual(Rig.reversed(4).filter((id) => !isPlugin(id, k)))
        expect(rig.logs.length).toBe(1)
        expect(rig.logs[0]).toContain(`Error Plugin "p${k}" failed to release`)
      })
    )

    it.effect("of the finalizer does not hide why boot failed", () =>
      Effect.gen(function* () {
        const rig = Rig.make()
        const exit = yield* rig.run([
          ...rig.four(k, { release: Effect.orDie(Rig.end(manner, `p${k}`)) }),
          rig.plugin("p5", { requires: ["p4"], started: Rig.end("failure", "p5") })
        ])
        expect(outcome(exit)).toBe("Broken at p5")
        expect(rig.of("release")).toEqual(Rig.reversed(4).filter((id) => !isPlugin(id, k)))
        expect(rig.logs.length).toBe(1)
      })
    )

    it.effect("of the drain hook is logged, and everything else is drained and released", () =>
      Effect.gen(function* () {
        const rig = Rig.make()
        const exit = yield* rig.run(rig.four(k, { drain: Rig.end(manner, `p${k}`) }))
        expect(outcome(exit)).toBe("success")
        const others = ["p1", "p2", "p3", "p4"].filter((id) => !isPlugin(id, k))
        expect(rig.of("drain")).toEqual(others)
        expect(rig.of("release")).toEqual(Rig.reversed(4))
        expect(rig.logs.length).toBe(1)
        expect(rig.logs[0]).toContain(`Error Plugin "p${k}" failed to drain`)
      })
    )
  })
})

describe.each(positions)("plugin %i of 4", (k) => {
  const bootedUntil = (special: (reached: Deferred.Deferred<void>) => Rig.Special) =>
    Effect.gen(function* () {
      const rig = Rig.make()
      const reached = yield* Deferred.make<void>()
      const fiber = yield* Effect.forkChild(rig.run(rig.four(k, special(reached))))
      yield* Deferred.await(reached)
      return { fiber, rig }
    })

  it.effect("interrupted in acquire releases what it has, then those before it", () =>
    Effect.gen(function* () {
      const { fiber, rig } = yield* bootedUntil((reached) => ({
        during: Effect.andThen(Deferred.succeed(reached, undefined), Effect.never)
      }))
      yield* Fiber.interrupt(fiber)
      expect(rig.of("release")).toEqual(Rig.reversed(k))
      expect(rig.events.length).toBe(2 * k)
    })
  )

  it.effect("interrupted in ready drains and releases all of them", () =>
    Effect.gen(function* () {
      const { fiber, rig } = yield* bootedUntil((reached) => ({
        ready: Effect.andThen(Deferred.succeed(reached, undefined), Effect.never)
      }))
      yield* Fiber.interrupt(fiber)
      expect(rig.of("ready").length).toBe(k - 1)
      expect(rig.of("drain").length).toBe(4)
      expect(rig.of("release")).toEqual(Rig.reversed(4))
    })
  )

  it.effect("past its startTimeout in acquire is named, and what was acquired is released", () =>
    Effect.gen(function* () {
      const { fiber, rig } = yield* bootedUntil((reached) => ({
        during: Effect.andThen(Deferred.succeed(reached, undefined), Effect.never),
        startTimeout: "5 seconds"
      }))
      yield* TestClock.adjust("5 seconds")
      const exit = yield* Fiber.join(fiber)
      expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toMatchObject({
        _tag: "StartTimeoutError",
        message: `Plugin "p${k}" did not finish its acquire phase within 5s. Find out what it waits for, or raise \`startTimeout\` of the plugin or \`app.startTimeout\`.`,
        phase: "acquire",
        plugin: `p${k}`
      })
      expect(rig.of("release")).toEqual(Rig.reversed(k))
    })
  )

  it.effect("past its startTimeout is given up even where it cannot be interrupted", () =>
    Effect.gen(function* () {
      const late = yield* Deferred.make<void>()
      const { fiber, rig } = yield* bootedUntil((reached) => ({
        startTimeout: "5 seconds",
        started: Effect.uninterruptible(
          Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(late))
        )
      }))
      yield* TestClock.adjust("5 seconds")
      expect(outcome(yield* Fiber.join(fiber))).toBe("StartTimeoutError")
      expect(rig.of("release")).toEqual(Rig.reversed(k - 1))
      // What it acquires after all is released at once.
      yield* Deferred.succeed(late, undefined)
      yield* Effect.yieldNow
      yield* Effect.yieldNow
      expect(rig.of("release").filter((id) => isPlugin(id, k))).toEqual(
        rig.of("acquire").filter((id) => isPlugin(id, k))
      )
    })
  )

  it.effect("past its startTimeout in ready is named, after a drain", () =>
    Effect.gen(function* () {
      const { fiber, rig } = yield* bootedUntil((reached) => ({
        ready: Effect.andThen(Deferred.succeed(reached, undefined), Effect.never),
        startTimeout: "5 seconds"
      }))
      yield* TestClock.adjust("5 seconds")
      const exit = yield* Fiber.join(fiber)
      expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toMatchObject({
        _tag: "StartTimeoutError",
        phase: "ready",
        plugin: `p${k}`
      })
      expect(rig.of("drain").length).toBe(4)
      expect(rig.of("release")).toEqual(Rig.reversed(4))
    })
  )
})

describe("deadlines", () => {
  it.effect("app.startTimeout holds where a plugin says nothing", () =>
    Effect.gen(function* () {
      const rig = Rig.make()
      const fiber = yield* Effect.forkChild(
        rig.run([rig.plugin("p1", { started: Effect.never })], {
          values: { app: { startTimeout: "2 seconds" } }
        })
      )
      yield* TestClock.adjust("2 seconds")
      expect(outcome(yield* Fiber.join(fiber))).toBe("StartTimeoutError")
    })
  )

  it.effect("each plugin has its own: two that together take longer do start", () =>
    Effect.gen(function* () {
      const rig = Rig.make()
      const slow: Rig.Special = { started: Effect.sleep("4 seconds"), startTimeout: "5 seconds" }
      const fiber = yield* Effect.forkChild(
        rig.run([rig.plugin("p1", slow), rig.plugin("p2", slow)])
      )
      yield* TestClock.adjust("8 seconds")
      expect(outcome(yield* Fiber.join(fiber))).toBe("success")
    })
  )
})

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
      expect(outcome(exit)).toBe("success")
      expect(rig.logs).toEqual([])
    })
  )

  it.effect("a hook that never ends delays the release by app.drainTimeout and no longer", () =>
    Effect.gen(function* () {
      const rig = Rig.make()
      const fiber = yield* Effect.forkChild(
        rig.run(rig.four(2, { drain: Effect.never }), {
          values: { app: { drainTimeout: "3 seconds" } }
        })
      )
      yield* TestClock.adjust("2999 millis")
      expect(rig.of("drain")).toEqual(["p1", "p3", "p4"])
      expect(rig.of("release")).toEqual([])
      yield* TestClock.adjust("1 millis")
      expect(outcome(yield* Fiber.join(fiber))).toBe("success")
      expect(rig.of("release")).toEqual(Rig.reversed(4))
      expect(rig.logs.length).toBe(1)
      expect(rig.logs[0]).toContain('Error Plugin "p2" failed to drain')
    })
  )

  it.effect("a listener that fails to drain is logged; hooks and finalizers still run", () =>
    Effect.gen(function* () {
      const rig = Rig.make()
      const slow = Effect.andThen(Effect.yieldNow, rig.note("drain p1"))
      const exit = yield* rig.run([rig.plugin("p1", { drain: slow })], {
        host: rig.host({ drain: () => Effect.die(new Error("no socket")) })
      })
      expect(outcome(exit)).toBe("success")
      expect(rig.of("drain")).toEqual(["p1"])
      expect(rig.of("release")).toEqual(["p1"])
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
      expect(told).toMatchObject([{ delay: { value: {} }, timeout: { value: {} } }])
    })
  )

  it.effect("without plugins an app boots and stops", () =>
    Effect.gen(function* () {
      const rig = Rig.make()
      expect(outcome(yield* rig.run([]))).toBe("success")
      expect(rig.events).toEqual(["bind", "drain listener after 0", "unbind"])
    })
  )
})

describe("status", () => {
  it.effect("goes starting, ready, draining, stopped", () =>
    Effect.gen(function* () {
      const rig = Rig.make()
      const scope = yield* Scope.make()
      const watching = rig.plugin("p1")
      const { runtime } = yield* rig.boot([watching]).pipe(Scope.provide(scope))
      const seen = [yield* runtime.status]
      yield* Scope.close(scope, Exit.void)
      seen.push(yield* runtime.status)
      expect(seen).toEqual(["ready", "stopped"])
    })
  )
})

describe("boot tree", () => {
  const section = Config.section("mail", { port: Schema.Int })

  const bootTree = (special: Rig.Special) =>
    Effect.gen(function* () {
      const rig = Rig.make()
      let tree: Effect.Effect<BootTree.BootTree> = Effect.succeed([])
      const host: Lifecycle.Host = rig.host({
        mount: ({ context }) =>
          Effect.sync(() => {
            tree = Rig.runtimeOf(context).bootTree
          })
      })
      const fiber = yield* Effect.forkChild(
        rig.run(
          [rig.plugin("p2", special), rig.plugin("p1", { started: Effect.sleep("20 millis") })],
          { host }
        )
      )
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      return yield* tree
    })

  const step = (
    phase: BootTree.Phase,
    plugin: string | undefined,
    start: number,
    duration: number,
    failed = false
  ): BootTree.Step => ({ duration, failed, phase, plugin, start })

  it.effect("holds phase, plugin, start and duration of every step", () =>
    Effect.gen(function* () {
      const tree = yield* bootTree({
        config: [section],
        defaults: { mail: { port: 25 } },
        ready: Effect.sleep("5 millis"),
        requires: ["p1"]
      })
      expect(tree).toEqual([
        step("assemble", undefined, 0, 0),
        step("configure", undefined, 0, 0),
        step("acquire", undefined, 0, 20),
        step("acquire", "p1", 0, 20),
        step("acquire", "p2", 20, 0),
        step("bind", undefined, 20, 0),
        step("ready", undefined, 20, 5),
        step("ready", "p1", 20, 0),
        step("ready", "p2", 20, 5),
        step("drain", undefined, 25, 0),
        step("release", "p2", 25, 0),
        step("release", "p1", 25, 0)
      ])
    })
  )

  it.effect("says what failed, and reads as text", () =>
    Effect.gen(function* () {
      const tree = yield* bootTree({
        during: Effect.andThen(Effect.sleep("30 millis"), Rig.end("failure", "p2")),
        requires: ["p1"]
      })
      expect(tree.filter(({ failed }) => failed)).toEqual([
        step("acquire", undefined, 0, 50, true),
        step("acquire", "p2", 20, 30, true)
      ])
      expect(BootTree.toText("rig", tree)).toBe(
        [
          "rig",
          "├─ assemble 0ms",
          "├─ configure 0ms",
          "├─ acquire 50ms FAILED",
          "│  ├─ p1 20ms",
          "│  └─ p2 30ms FAILED",
          "└─ release 0ms",
          "   ├─ p2 0ms",
          "   └─ p1 0ms"
        ].join("\n")
      )
    })
  )
})
