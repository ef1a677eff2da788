import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as Config from "../../../src/Config/index.ts"
import * as Rig from "../Rig.ts"

const positions = [1, 2, 3, 4] as const
const manners: ReadonlyArray<Rig.Manner> = ["failure", "defect"]

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
        expect(Rig.outcome(exit)).toBe(manner === "failure" ? "AssemblyError" : `defect at p${k}`)
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
        expect(Rig.outcome(exit)).toBe(manner === "failure" ? "ConfigError" : `defect at p${k}`)
        expect(rig.events).toEqual([])
      })
    )

    it.effect(
      "in acquire, before its first resource, releases the plugins before it in reverse",
      () =>
        Effect.gen(function* () {
          const rig = Rig.make()
          const exit = yield* rig.run(rig.four(k, { started: Rig.end(manner, `p${k}`) }))
          expect(Rig.outcome(exit)).toBe(expected(manner, `p${k}`))
          expect(rig.idsOf("acquire")).toEqual(Rig.reversed(k - 1).toReversed())
          expect(rig.idsOf("release")).toEqual(Rig.reversed(k - 1))
          expect(rig.events.length).toBe(2 * (k - 1))
        })
    )

    it.effect("in acquire, after its first resource, releases that resource first", () =>
      Effect.gen(function* () {
        const rig = Rig.make()
        const exit = yield* rig.run(rig.four(k, { during: Rig.end(manner, `p${k}`) }))
        expect(Rig.outcome(exit)).toBe(expected(manner, `p${k}`))
        expect(rig.idsOf("acquire")).toEqual(Rig.reversed(k).toReversed())
        expect(rig.idsOf("release")).toEqual(Rig.reversed(k))
        expect(rig.events.length).toBe(2 * k)
      })
    )

    it.effect("in acquire, in its routes, releases it and the plugins before it in reverse", () =>
      Effect.gen(function* () {
        const rig = Rig.make()
        const exit = yield* rig.run(rig.four(), {
          host: rig.host({
            mount: ({ plugin }) =>
              isPlugin(plugin.id, k) ? Rig.end(manner, plugin.id) : Effect.void
          })
        })
        expect(Rig.outcome(exit)).toBe(expected(manner, `p${k}`))
        expect(rig.idsOf("release")).toEqual(Rig.reversed(k))
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
        expect(Rig.outcome(exit)).toBe(expected(manner, `p${k}`))
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
        expect(Rig.outcome(exit)).toBe(expected(manner, `p${k}`))
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
        expect(Rig.outcome(exit)).toBe("success")
        expect(rig.idsOf("release")).toEqual(Rig.reversed(4).filter((id) => !isPlugin(id, k)))
        expect(rig.logs.length).toBe(1)
        expect(rig.logs[0]).toContain(`Error Plugin "p${k}" failed to release`)
      })
    )

    it.effect("of the finalizer does not hide the error of the boot", () =>
      Effect.gen(function* () {
        const rig = Rig.make()
        const exit = yield* rig.run([
          ...rig.four(k, { release: Effect.orDie(Rig.end(manner, `p${k}`)) }),
          rig.plugin("p5", { requires: ["p4"], started: Rig.end("failure", "p5") })
        ])
        expect(Rig.outcome(exit)).toBe("Broken at p5")
        expect(rig.idsOf("release")).toEqual(Rig.reversed(4).filter((id) => !isPlugin(id, k)))
        expect(rig.logs.length).toBe(1)
      })
    )

    it.effect("of the drain hook is logged, and everything else is drained and released", () =>
      Effect.gen(function* () {
        const rig = Rig.make()
        const exit = yield* rig.run(rig.four(k, { drain: Rig.end(manner, `p${k}`) }))
        expect(Rig.outcome(exit)).toBe("success")
        const others = ["p1", "p2", "p3", "p4"].filter((id) => !isPlugin(id, k))
        expect(rig.idsOf("drain")).toEqual(others)
        expect(rig.idsOf("release")).toEqual(Rig.reversed(4))
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

  it.effect("interrupted in acquire releases its resources, then the plugins before it", () =>
    Effect.gen(function* () {
      const { fiber, rig } = yield* bootedUntil((reached) => ({
        during: Effect.andThen(Deferred.succeed(reached, undefined), Effect.never)
      }))
      yield* Fiber.interrupt(fiber)
      expect(rig.idsOf("release")).toEqual(Rig.reversed(k))
      expect(rig.events.length).toBe(2 * k)
    })
  )

  it.effect("interrupted in ready drains and releases all of them", () =>
    Effect.gen(function* () {
      const { fiber, rig } = yield* bootedUntil((reached) => ({
        ready: Effect.andThen(Deferred.succeed(reached, undefined), Effect.never)
      }))
      yield* Fiber.interrupt(fiber)
      expect(rig.idsOf("ready").length).toBe(k - 1)
      expect(rig.idsOf("drain").length).toBe(4)
      expect(rig.idsOf("release")).toEqual(Rig.reversed(4))
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
      expect(rig.idsOf("release")).toEqual(Rig.reversed(k))
    })
  )

  it.effect("past its startTimeout fails even while it cannot be interrupted", () =>
    Effect.gen(function* () {
      const answered = yield* Deferred.make<void>()
      const released = yield* Deferred.make<void>()
      const { fiber, rig } = yield* bootedUntil((reached) => ({
        startTimeout: "5 seconds",
        // Acquiring is uninterruptible: this one waits for an answer that comes too late.
        started: Effect.acquireRelease(
          Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(answered)),
          () => Deferred.succeed(released, undefined)
        )
      }))
      yield* TestClock.adjust("5 seconds")
      expect(Rig.outcome(yield* Fiber.join(fiber))).toBe("StartTimeoutError")
      expect(rig.idsOf("release")).toEqual(Rig.reversed(k - 1))
      yield* Deferred.succeed(answered, undefined)
      yield* Deferred.await(released)
      expect(rig.idsOf("acquire")).toEqual(Rig.reversed(k - 1).toReversed())
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
      expect(rig.idsOf("drain").length).toBe(4)
      expect(rig.idsOf("release")).toEqual(Rig.reversed(4))
    })
  )
})

describe("deadlines", () => {
  it.effect("app.startTimeout applies to a plugin without a startTimeout", () =>
    Effect.gen(function* () {
      const rig = Rig.make()
      const fiber = yield* Effect.forkChild(
        rig.run([rig.plugin("p1", { started: Effect.never })], {
          values: { app: { startTimeout: "2 seconds" } }
        })
      )
      yield* TestClock.adjust("2 seconds")
      expect(Rig.outcome(yield* Fiber.join(fiber))).toBe("StartTimeoutError")
    })
  )

  it.effect("each plugin has a deadline of its own: two that together take longer start", () =>
    Effect.gen(function* () {
      const rig = Rig.make()
      const slow: Rig.Special = { started: Effect.sleep("4 seconds"), startTimeout: "5 seconds" }
      const fiber = yield* Effect.forkChild(
        rig.run([rig.plugin("p1", slow), rig.plugin("p2", slow)])
      )
      yield* TestClock.adjust("8 seconds")
      expect(Rig.outcome(yield* Fiber.join(fiber))).toBe("success")
    })
  )
})
