import { describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { App, Extension, Plugin } from "flange"
import { TestApp } from "flange/Testing"
import * as Toy from "./fixtures/Toy/index.ts"
import { Broken } from "./Rig.ts"

const Price = Extension.make<number, number | undefined, Broken>()("price")
const Mail = Extension.make<string, string>()("mail")
const Shop = Plugin.make("shop", { extensions: [Price, Mail] })

class Rate extends Context.Service<Rate, { readonly percent: number }>()("test/Rate") {}
const RatePlugin = Plugin.make("rate", {
  layer: Layer.succeed(Rate, { percent: 50 }),
  provides: [Rate]
})

/** Notes the inputs that it is called with, and what fills `Price` with them. */
const recorder = () => {
  const inputs: Array<string> = []
  const plugin = <const Id extends string>(
    id: Id,
    price: (input: number) => Effect.Effect<number | undefined, Broken>
  ) =>
    Plugin.make(id, {
      contributes: [
        Extension.fill(Price, (input) => {
          inputs.push(`${id} ${input}`)
          return price(input)
        })
      ]
    })
  return { inputs, plugin }
}

describe("a run of an extension point", () => {
  it.effect("all returns every output in plugin order", () =>
    Effect.gen(function* () {
      const { inputs, plugin } = recorder()
      const app = App.make("app", [
        plugin("a", (n) => Effect.delay(Effect.succeed(n + 1), 0)),
        Shop,
        plugin("b", () => Effect.undefined)
      ])
      const test = yield* TestApp.make(app)
      expect(yield* test.run(Price.all(1))).toEqual([2, undefined])
      expect(inputs).toEqual(["a 1", "b 1"])
    })
  )

  it.effect(
    "first returns the first output that is not undefined, and runs no function after it",
    () =>
      Effect.gen(function* () {
        const { inputs, plugin } = recorder()
        const app = App.make("app", [
          Shop,
          plugin("a", () => Effect.undefined),
          plugin("b", () => Effect.succeed(0)),
          plugin("c", () => Effect.succeed(9))
        ])
        const test = yield* TestApp.make(app)
        expect(yield* test.run(Price.first(1))).toBe(0)
        expect(inputs).toEqual(["a 1", "b 1"])
      })
  )

  it.effect("waterfall passes the output of each to the next, in the order of the plugins", () =>
    Effect.gen(function* () {
      const sign = (id: string, order: Plugin.Order) =>
        Plugin.make(id, {
          contributes: [Extension.fill(Mail, (text) => Effect.succeed(`${text} ${id}`))],
          order
        })
      const last = sign("last", { last: true })
      const test = yield* TestApp.make(App.make("app", [last, sign("a", {}), sign("b", {}), Shop]))
      expect(yield* test.run(Mail.waterfall("Dear,"))).toBe("Dear, a b last")
    })
  )

  it.effect("a point without functions returns no output, and a waterfall its input", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(App.make("app", [Shop]))
      expect(yield* test.run(Price.all(1))).toEqual([])
      expect(yield* test.run(Price.first(1))).toBeUndefined()
      expect(yield* test.run(Mail.waterfall("Dear"))).toBe("Dear")
    })
  )

  it.effect("a failing function fails the run, and no function after it runs", () =>
    Effect.gen(function* () {
      const { inputs, plugin } = recorder()
      const broken = new Broken({ at: "price" })
      const app = App.make("app", [
        Shop,
        plugin("a", () => Effect.fail(broken)),
        plugin("b", () => Effect.undefined)
      ])
      const test = yield* TestApp.make(app)
      expect(yield* Effect.flip(test.run(Price.all(1)))).toBe(broken)
      expect(yield* Effect.flip(test.run(Price.first(1)))).toBe(broken)
      expect(inputs).toEqual(["a 1", "a 1"])
    })
  )

  it.effect("a function uses the services that its plugin requires", () =>
    Effect.gen(function* () {
      const Discount = Plugin.make("discount", {
        contributes: [
          Extension.fill(Price, (price) =>
            Effect.map(Rate, ({ percent }) => (price * percent) / 100)
          )
        ],
        requires: [Rate]
      })
      const test = yield* TestApp.make(App.make("app", [Discount, Shop, RatePlugin]))
      expect(yield* test.run(Price.all(8))).toEqual([4])
    })
  )

  it.effect("a plugin may fill a point of a plugin that requires its services", () =>
    Effect.gen(function* () {
      const Fills = Plugin.make("fills", {
        contributes: [
          Extension.fill(Mail, (text) => Effect.map(Rate, ({ percent }) => `${text} ${percent}%`))
        ],
        layer: Layer.succeed(Rate, { percent: 50 }),
        provides: [Rate]
      })
      const Declares = Plugin.make("declares", { extensions: [Mail], requires: [Rate] })
      const test = yield* TestApp.make(App.make("app", [Declares, Fills]))
      expect(yield* test.run(Mail.all("Only"))).toEqual(["Only 50%"])
    })
  )

  it("the points of a plugin without an app have no functions", () => {
    expect(Effect.runSync(Effect.provide(Mail.waterfall("Dear"), Shop))).toBe("Dear")
  })

  it.effect("a plugin changes the reply of another plugin", () =>
    Effect.gen(function* () {
      const Loud = Plugin.make("loud", {
        contributes: [
          Extension.fill(Toy.Mix, (sound) => Effect.succeed(sound.toUpperCase())),
          Toy.Sound.make(
            "horn",
            { loudness: 1 },
            Effect.succeed(() => "toot")
          )
        ]
      })
      const test = yield* TestApp.make(App.make("toys", [Loud, Toy.ToyPlugin]))
      ;(yield* test.get("/toy/horn")).expectStatus(200).expectJson("TOOT")
    })
  )
})

describe("the assembly of extension points", () => {
  const Fills = Plugin.make("fills", {
    contributes: [Extension.fill(Price, () => Effect.undefined)]
  })

  const problems = (plugins: ReadonlyArray<Plugin.Any>) =>
    TestApp.make(App.make("app", plugins)).pipe(
      Effect.scoped,
      Effect.flip,
      Effect.map((error) => error.message)
    )

  it.effect("a filled point that no plugin declares is a problem that names both", () =>
    Effect.gen(function* () {
      expect(yield* problems([Fills])).toBe(
        [
          'App "app" cannot be assembled:',
          '  - UndeclaredExtension: Plugin "fills" fills extension point "price", which no plugin in the app declares. Add a plugin that lists it in `extensions`, or remove it from `contributes`.'
        ].join("\n")
      )
    })
  )

  it.effect("the problem suggests a declared point of nearly the same name", () =>
    Effect.gen(function* () {
      const Prize = Plugin.make("prize", { extensions: [Extension.make()("prices")] })
      expect(yield* problems([Prize, Fills])).toContain('Did you mean "prices"?')
    })
  )

  it.effect("a point that two plugins declare is a problem that names both", () =>
    Effect.gen(function* () {
      expect(yield* problems([Shop, Plugin.make("other", { extensions: [Mail] })])).toContain(
        'Service "flange/Extension/mail" is provided by "shop" and by "other".'
      )
    })
  )
})
