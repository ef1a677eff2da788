import { describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { App, AppRuntime, Contribution, Plugin } from "flange"
import { TestApp } from "flange/Testing"
import * as Toy from "./fixtures/Toy/index.ts"
import { SilentToy } from "./fixtures/Toy/Testing.ts"
import { Broken } from "./Rig.ts"

class Bells extends Context.Service<Bells, { readonly ring: () => string }>()("test/Bells") {}

const BellsPlugin = Plugin.make("bells", {
  contributes: [
    Toy.Sound.make(
      "bell",
      { loudness: 2 },
      Effect.map(Bells, ({ ring }) => ring)
    )
  ],
  layer: Layer.succeed(Bells, { ring: () => "ding" }),
  provides: [Bells]
})
const DrumPlugin = Plugin.make("drum", {
  contributes: [
    Toy.Sound.make(
      "drum",
      { loudness: 1 },
      Effect.succeed(() => "bum")
    )
  ],
  requires: [Bells]
})
const app = App.make("toys", [DrumPlugin, Toy.ToyPlugin, BellsPlugin])

describe("contributions", () => {
  it.effect(
    "contributions of a kind are listed in plugin order with their plugin, data and value",
    () =>
      Effect.gen(function* () {
        const test = yield* TestApp.make(app)
        const { contributions } = yield* test.run(AppRuntime)
        expect(
          contributions(Toy.Sound).map(({ value, ...rest }) => ({ ...rest, value: value() }))
        ).toEqual([
          { data: { loudness: 2 }, name: "bell", plugin: "bells", value: "ding" },
          { data: { loudness: 1 }, name: "drum", plugin: "drum", value: "bum" }
        ])
      })
  )

  it.effect("a kind that no plugin contributes to has an empty list", () =>
    Effect.gen(function* () {
      const { contributions } = yield* (yield* TestApp.make(app)).run(AppRuntime)
      expect(contributions(Contribution.kind<string>()("light"))).toEqual([])
    })
  )

  it("contributions are described before anything is acquired", () => {
    expect(
      App.describe(app).plugins.map(({ contributions, extensions, id }) => [
        id,
        contributions,
        extensions
      ])
    ).toEqual([
      ["toy", [{ data: undefined, kind: "route", name: "toy", roles: ["server"] }], ["toy:mix"]],
      ["bells", [{ data: { loudness: 2 }, kind: "sound", name: "bell" }], []],
      ["drum", [{ data: { loudness: 1 }, kind: "sound", name: "drum" }], []]
    ])
  })

  it.effect("a failing build fails the boot with its error and releases what was acquired", () =>
    Effect.gen(function* () {
      const events: Array<string> = []
      const resource = (name: string) =>
        Effect.acquireRelease(
          Effect.sync(() => events.push(`acquire ${name}`)),
          () => Effect.sync(() => events.push(`release ${name}`))
        )
      const build = Effect.as(resource("build"), () => "")
      const good = Plugin.make("good", {
        contributes: [Toy.Sound.make("a", { loudness: 1 }, build)]
      })
      const broken = Plugin.make("broken", {
        contributes: [
          Toy.Sound.make("b", { loudness: 1 }, Effect.fail(new Broken({ at: "build" })))
        ],
        layer: Layer.effectDiscard(resource("layer"))
      })
      const error = yield* TestApp.make(App.make("toys", [good, broken])).pipe(
        Effect.scoped,
        Effect.flip
      )
      expect(error).toEqual(new Broken({ at: "build" }))
      expect(events).toEqual(["acquire build", "acquire layer", "release layer", "release build"])
    })
  )

  it.effect("a finalizer of a build that fails is logged with the name of its plugin", () =>
    Effect.gen(function* () {
      const build = Effect.as(
        Effect.addFinalizer(() => Effect.die(new Error("stuck"))),
        () => ""
      )
      const Stuck = Plugin.make("stuck", {
        contributes: [Toy.Sound.make("horn", { loudness: 1 }, build)]
      })
      const { logs } = yield* Effect.scoped(TestApp.make(App.make("toys", [Stuck])))
      expect(logs.map(({ message }) => message)).toContain('Plugin "stuck" failed to release')
    })
  )
})

describe("a battery in a folder of its own", () => {
  it.effect("serves the contributions of other plugins, with its configuration and its error", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(app, { config: { toy: { volume: 2 } } })
      ;(yield* test.get("/toy/bell")).expectStatus(200).expectJson("dingdingdingding")
      ;(yield* test.get("/toy/flute")).expectProblem("TOY_UNKNOWN", 404)
      expect(
        yield* Effect.flip(test.client.toy.play({ params: { name: "flute" } }))
      ).toBeInstanceOf(Toy.ToyUnknown)
    })
  )

  it.effect("a test double replaces its services; contributions and points stay", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(app, { replace: [[Toy.ToyPlugin, SilentToy]] })
      ;(yield* test.get("/toy/flute")).expectStatus(200).expectJson("...")
      const { contributions } = yield* test.run(AppRuntime)
      expect(contributions(Toy.Sound).map(({ name }) => name)).toEqual(["bell", "drum"])
    })
  )
})
