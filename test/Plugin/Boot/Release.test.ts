import { describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { ReleaseTimeoutError } from "../../../src/Plugin/Errors.ts"
import * as Plugin from "../../../src/Plugin/Plugin.ts"
import * as Rig from "../Rig.ts"

type R = ReturnType<typeof Rig.make>

const positions = [1, 2, 3, 4] as const
const limit = { values: { app: { releaseTimeout: "5 seconds" } } }

/** Returns the error of an app that could not release everything. */
const heldOf = (exit: Exit.Exit<unknown, unknown>): ReleaseTimeoutError => {
  const error = Exit.isFailure(exit)
    ? exit.cause.reasons.flatMap((reason) => (reason._tag === "Die" ? [reason.defect] : []))
    : []
  const found = error.find((each) => each instanceof ReleaseTimeoutError)
  if (found === undefined) throw new Error(`No ReleaseTimeoutError in ${String(exit)}`)
  return found
}

/** Boots and stops in a fiber, and waits until a finalizer hangs. */
const hanging = (plugins: (rig: R, hang: Effect.Effect<never>) => ReadonlyArray<Plugin.Any>) =>
  Effect.gen(function* () {
    const rig = Rig.make()
    const reached = yield* Deferred.make<void>()
    const hang = Effect.andThen(Deferred.succeed(reached, undefined), Effect.never)
    const fiber = yield* Effect.forkChild(rig.run(plugins(rig, hang), limit))
    yield* Deferred.await(reached)
    return { fiber, rig }
  })

describe.each(positions)("a finalizer of plugin %i of 4 that never ends", (k) => {
  it.effect("is named after app.releaseTimeout, and the others are released in reverse", () =>
    Effect.gen(function* () {
      const { fiber, rig } = yield* hanging((rig, release) => rig.four(k, { release }))
      yield* TestClock.adjust("4999 millis")
      expect(rig.idsOf("release")).toEqual(Rig.reversed(4).slice(0, 4 - k))
      yield* TestClock.adjust("1 millis")
      const what = `Plugin "p${k}": finalizer 1 of 1 of the layer of test/p${k}`
      const exit = yield* Fiber.join(fiber)
      expect(heldOf(exit)).toMatchObject({ app: "rig", held: [what] })
      expect(rig.idsOf("release")).toEqual(Rig.reversed(4).filter((id) => id !== `p${k}`))
      expect(rig.logs).toEqual([
        `Error ${what} did not end within 5s (app.releaseTimeout). Everything else is still released.`
      ])
    })
  )

  it.effect("in an acquire that fails is named, and does not hide the error of the boot", () =>
    Effect.gen(function* () {
      const { fiber, rig } = yield* hanging((rig, release) =>
        rig.four(k, { during: Rig.end("failure", `p${k}`), release })
      )
      yield* TestClock.adjust("5 seconds")
      expect(Rig.outcome(yield* Fiber.join(fiber))).toBe(`Broken at p${k}`)
      expect(rig.idsOf("release")).toEqual(Rig.reversed(k - 1))
      expect(rig.logs.join("\n")).toContain(`Error Plugin "p${k}": finalizer 1 of 1 did not`)
    })
  )
})

/** Boots, waits until a plugin hangs where it cannot be interrupted, and interrupts. */
const interrupted = (plugins: (rig: R, hang: Effect.Effect<never>) => ReadonlyArray<Plugin.Any>) =>
  Effect.gen(function* () {
    const rig = Rig.make()
    const scope = yield* Scope.make()
    const reached = yield* Deferred.make<void>()
    const hang = Effect.uninterruptible(
      Effect.andThen(Deferred.succeed(reached, undefined), Effect.never)
    )
    const fiber = yield* rig
      .boot(plugins(rig, hang), limit)
      .pipe(Scope.provide(scope), rig.logged, Effect.forkChild)
    yield* Deferred.await(reached)
    const end = yield* Effect.forkChild(
      Effect.flatMap(Effect.exit(Fiber.interrupt(fiber)), () =>
        Effect.exit(rig.logged(Scope.close(scope, Exit.interrupt())))
      )
    )
    yield* Effect.yieldNow
    yield* TestClock.adjust("4999 millis")
    expect(rig.idsOf("release")).toEqual([])
    yield* TestClock.adjust("1 millis")
    return { exit: yield* Fiber.join(end), rig }
  })

describe.each(positions)("an interruption while plugin %i of 4 cannot be interrupted", (k) => {
  it.effect("in acquire names it after app.releaseTimeout, and releases those before it", () =>
    Effect.gen(function* () {
      const { exit, rig } = yield* interrupted((rig, started) => rig.four(k, { started }))
      expect(heldOf(exit).held).toEqual([`Plugin "p${k}": acquire`])
      expect(rig.idsOf("release")).toEqual(Rig.reversed(k - 1))
    })
  )

  it.effect("in ready names it after app.releaseTimeout, and drains and releases all", () =>
    Effect.gen(function* () {
      const { exit, rig } = yield* interrupted((rig, ready) => rig.four(k, { ready }))
      expect(heldOf(exit).held).toEqual([`Plugin "p${k}": ready`])
      expect(rig.idsOf("drain").length).toBe(4)
      expect(rig.idsOf("release")).toEqual(Rig.reversed(4))
    })
  )
})

describe("the finalizers of one plugin", () => {
  it.effect("that are left after its time have a second each", () =>
    Effect.gen(function* () {
      const { fiber, rig } = yield* hanging((rig, hang) => [
        rig.plugin("p1", {
          during: Effect.gen(function* () {
            yield* Effect.addFinalizer(() => rig.note("release last"))
            yield* Effect.addFinalizer(() => Effect.never)
            yield* Effect.addFinalizer(() =>
              Effect.andThen(Effect.sleep("500 millis"), rig.note("release slow"))
            )
            yield* Effect.addFinalizer(() => hang)
          })
        })
      ])
      yield* TestClock.adjust("5 seconds")
      yield* TestClock.adjust("500 millis")
      expect(rig.events.at(-1)).toBe("release slow")
      yield* TestClock.adjust("1 second")
      expect(heldOf(yield* Fiber.join(fiber)).held).toEqual([
        `Plugin "p1": finalizer 5 of 5 of the layer of test/p1`,
        `Plugin "p1": finalizer 3 of 5 of the layer of test/p1`
      ])
      expect(rig.events.slice(-2)).toEqual(["release last", "release p1"])
    })
  )

  it.effect("are named with the function or the span that they are in", () =>
    Effect.gen(function* () {
      const { fiber } = yield* hanging((rig, hang) => {
        const close = Effect.fn("Pool.close")(function* () {
          return yield* hang
        })
        return [rig.plugin("p1", { during: Effect.addFinalizer(close) })]
      })
      yield* TestClock.adjust("5 seconds")
      const [held] = heldOf(yield* Fiber.join(fiber)).held
      expect(held).toContain(
        'Plugin "p1": finalizer 2 of 2 of the layer of test/p1, in Pool.close (at '
      )
    })
  )

  it.effect("in a layer inside of its layer are named with the service of that layer", () =>
    Effect.gen(function* () {
      class Pool extends Context.Service<Pool, {}>()("app/Pool") {}
      const { fiber, rig } = yield* hanging((rig, hang) => [
        Plugin.make("p1", {
          layer: Layer.effectDiscard(
            Effect.andThen(
              Effect.addFinalizer(() => rig.note("release outer")),
              Pool
            )
          ).pipe(
            Layer.provide(
              Layer.effect(
                Pool,
                Effect.gen(function* () {
                  yield* Effect.addFinalizer(() => rig.note("release inner"))
                  yield* Effect.addFinalizer(() => hang)
                  return {}
                })
              )
            )
          )
        })
      ])
      yield* TestClock.adjust("5 seconds")
      expect(heldOf(yield* Fiber.join(fiber)).held).toEqual([
        'Plugin "p1": finalizer 2 of 2 of the layer of app/Pool'
      ])
      expect(rig.events.slice(-2)).toEqual(["release outer", "release inner"])
    })
  )

  it.effect("that wait for a fiber which cannot be interrupted do not hold the others", () =>
    Effect.gen(function* () {
      const { fiber, rig } = yield* hanging((rig, hang) => [
        rig.plugin("p1", {
          during: Effect.gen(function* () {
            yield* Effect.forkScoped(Effect.uninterruptible(Effect.never), {
              startImmediately: true
            })
            yield* Effect.addFinalizer(() => Effect.sync(() => void Effect.runFork(hang)))
          })
        })
      ])
      yield* TestClock.adjust("5 seconds")
      expect(heldOf(yield* Fiber.join(fiber)).held).toEqual([
        'Plugin "p1": finalizer 2 of 3 of the layer of test/p1'
      ])
      expect(rig.idsOf("release")).toEqual(["p1"])
    })
  )
})

describe("a layer that two plugins share", () => {
  it.effect("is released once, after both, and named with the plugin that built it", () =>
    Effect.gen(function* () {
      const { fiber, rig } = yield* hanging((rig, hang) => {
        const shared = Layer.effectDiscard(
          Effect.andThen(
            Effect.addFinalizer(() => hang),
            Effect.addFinalizer(() => rig.note("release shared"))
          )
        )
        return [Plugin.make("a", { layer: shared }), Plugin.make("b", { layer: shared })]
      })
      yield* TestClock.adjust("5 seconds")
      expect(heldOf(yield* Fiber.join(fiber)).held).toEqual([
        'Plugin "a": finalizer 1 of 2 of a layer'
      ])
      expect(rig.events.filter((event) => event === "release shared").length).toBe(1)
    })
  )
})

it.effect("a finalizer that ends in time leaves no error, even if it is slow", () =>
  Effect.gen(function* () {
    const rig = Rig.make()
    const reached = yield* Deferred.make<void>()
    const release = Effect.andThen(Deferred.succeed(reached, undefined), Effect.sleep("4 seconds"))
    const fiber = yield* Effect.forkChild(rig.run(rig.four(2, { release }), limit))
    yield* Deferred.await(reached)
    yield* TestClock.adjust("4 seconds")
    expect(Rig.outcome(yield* Fiber.join(fiber))).toBe("success")
    expect(rig.logs).toEqual([])
  })
)

it.effect("by default a plugin has ten seconds", () =>
  Effect.gen(function* () {
    const rig = Rig.make()
    const reached = yield* Deferred.make<void>()
    const release = Effect.andThen(Deferred.succeed(reached, undefined), Effect.never)
    const fiber = yield* Effect.forkChild(rig.run([rig.plugin("p1", { release })]))
    yield* Deferred.await(reached)
    yield* TestClock.adjust("9999 millis")
    expect(fiber.pollUnsafe()).toBe(undefined)
    yield* TestClock.adjust("1 millis")
    expect(heldOf(yield* Fiber.join(fiber)).held.length).toBe(1)
  })
)
