import { describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Action, App, AppRuntime, Plugin } from "flange"
import * as Rig from "./Rig.ts"

class TooMany extends Schema.TaggedClass<TooMany>()("TooMany", { limit: Schema.Int }) {}
class Stock extends Context.Service<Stock, { readonly left: number }>()("test/Stock") {}

const Reserve = Action.make("stock:reserve", {
  error: TooMany,
  payload: Schema.Struct({ count: Schema.Int, until: Schema.Date }),
  success: Schema.Struct({ left: Schema.Int, until: Schema.Date })
})
const Ping = Action.make("ping")

const until = new Date(0)

/** Implements both, the first with a service of its own. */
const StockPlugin = Plugin.make("stock", {
  actions: [
    Action.implement(Reserve, ({ count, until }) =>
      Effect.gen(function* () {
        const { left } = yield* Stock
        if (count > left) return yield* Effect.fail(new TooMany({ limit: left }))
        return { left: left - count, until }
      })
    ),
    Action.implement(Ping, () => Effect.void)
  ],
  layer: Layer.succeed(Stock, { left: 5 }),
  provides: [Stock]
})

class Orders extends Context.Service<Orders, { readonly left: number }>()("test/Orders") {}

/** Calls it while it is acquired, so it must come after the plugin that implements it. */
const OrdersPlugin = Plugin.make("orders", {
  layer: Layer.effect(Orders, Effect.orDie(Reserve.call({ count: 2, until }))),
  provides: [Orders],
  requires: [Reserve]
})

const withStock = Effect.provide(StockPlugin)

describe("Action.make", () => {
  it("an action is the key of its implementation, with its schemas as data", () => {
    expect(Reserve.key).toBe("flange/Action/stock:reserve")
    expect(Reserve.name).toBe("stock:reserve")
    expect(Reserve.error).toBe(TooMany)
  })

  it("an action without schemas has no payload, no result and no error", () => {
    expect([Ping.payload, Ping.success, Ping.error]).toEqual([
      Schema.Void,
      Schema.Void,
      Schema.Never
    ])
  })
})

describe("Action.call", () => {
  it.effect("runs the implementation with the services of its plugin", () =>
    Effect.gen(function* () {
      expect(yield* Reserve.call({ count: 3, until })).toEqual({ left: 2, until })
      expect(yield* Ping.call()).toBe(undefined)
    }).pipe(withStock)
  )

  it.effect("fails with the error that the action declares", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Reserve.call({ count: 9, until }))
      expect(error).toEqual(new TooMany({ limit: 5 }))
    }).pipe(withStock)
  )

  it.effect("fails with every issue of a payload that the schema refuses", () =>
    Effect.gen(function* () {
      const wrong = { count: 1.5, until: "soon" } as unknown as { count: number; until: Date }
      const error = yield* Effect.flip(Reserve.call(wrong))
      expect(error).toMatchObject({ _tag: "ActionPayloadError", action: "stock:reserve" })
      expect((error as Error).message).toBe(
        [
          'Action "stock:reserve" was called with a payload that its schema refuses:',
          "Expected an integer",
          '  at ["count"]',
          "Expected a valid Date",
          '  at ["until"]'
        ].join("\n")
      )
    }).pipe(withStock)
  )
})

describe("actions in an app", () => {
  const listed = (app: App.Any) =>
    Effect.gen(function* () {
      const rig = Rig.make()
      const { runtime } = yield* rig.boot(app.plugins)
      return new Map(runtime.contributions(Action.kind).map((action) => [action.name, action]))
    })

  it.effect("a plugin calls the action of another plugin, whatever their order in the list", () =>
    Effect.gen(function* () {
      const rig = Rig.make()
      const app = App.make("shop", [OrdersPlugin, StockPlugin])
      const { context } = yield* rig.boot(app.plugins)
      expect(Context.get(context as Context.Context<Orders>, Orders)).toEqual({ left: 3, until })
    })
  )

  it.effect("AppRuntime returns every action with the plugin that implements it", () =>
    Effect.gen(function* () {
      const actions = yield* listed(App.make("shop", [OrdersPlugin, StockPlugin]))
      expect([...actions].map(([name, { plugin }]) => `${plugin} ${name}`)).toEqual([
        "stock stock:reserve",
        "stock ping"
      ])
      expect(actions.get("stock:reserve")?.data).toBe(Reserve)
    })
  )

  it.effect("the list of actions is complete in the ready phase", () =>
    Effect.gen(function* () {
      const rig = Rig.make()
      let seen: ReadonlyArray<string> = []
      const early = Plugin.make("early", {
        ready: () =>
          Effect.map(AppRuntime, ({ contributions }) => {
            seen = contributions(Action.kind).map(({ name }) => name)
          })
      })
      yield* rig.boot([early, StockPlugin])
      expect(seen).toEqual(["stock:reserve", "ping"])
    })
  )

  it.effect("the value of an action decodes a JSON payload and encodes the result", () =>
    Effect.gen(function* () {
      const actions = yield* listed(App.make("shop", [StockPlugin]))
      const json = { count: 1, until: "1970-01-01T00:00:00.000Z" }
      expect(yield* actions.get("stock:reserve")!.value(json)).toEqual({
        left: 4,
        until: "1970-01-01T00:00:00.000Z"
      })
      expect(yield* actions.get("ping")!.value(null)).toBe(null)
    })
  )

  it.effect(
    "the value of an action refuses a wrong payload and fails with the action's own error",
    () =>
      Effect.gen(function* () {
        const actions = yield* listed(App.make("shop", [StockPlugin]))
        const { value: runJson } = actions.get("stock:reserve")!
        const wrong = yield* Effect.flip(runJson({ count: "one" }))
        expect((wrong as Error).message).toBe(
          [
            'Action "stock:reserve" was called with a payload that its schema refuses:',
            "Expected number",
            '  at ["count"]',
            "Missing key",
            '  at ["until"]'
          ].join("\n")
        )
        const many = yield* Effect.flip(runJson({ count: 9, until: "1970-01-01T00:00:00.000Z" }))
        expect(many).toEqual(new TooMany({ limit: 5 }))
      })
  )

  it.effect("an action calls another action of its plugin, whatever their order", () =>
    Effect.gen(function* () {
      const Outer = Action.make("outer", { success: Schema.String })
      const Inner = Action.make("inner", { success: Schema.String })
      const both = Plugin.make("both", {
        actions: [
          Action.implement(Outer, () => Effect.orDie(Inner.call())),
          Action.implement(Inner, () => Effect.succeed("inner"))
        ]
      })
      const { runtime } = yield* Rig.make().boot([both])
      const [outer] = runtime.contributions(Action.kind)
      expect(yield* outer!.value(null)).toBe("inner")
      expect(yield* Effect.provide(Outer.call(), both)).toBe("inner")
    })
  )

  it.effect("two implementations of one action are an assembly problem", () =>
    Effect.gen(function* () {
      const rig = Rig.make()
      const other = Plugin.make("other", { actions: [Action.implement(Ping, () => Effect.void)] })
      const error = yield* Effect.flip(rig.boot([StockPlugin, other]))
      expect((error as Error).message).toContain(
        'DuplicateService: Service "flange/Action/ping" is provided by "stock" and by "other". Keep one of the two plugins.'
      )
    })
  )
})
