import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { AppRuntime } from "../../../src/Plugin/AppRuntime.ts"
import * as Order from "../../../src/Plugin/Boot/Order.ts"
import type { AssemblyProblem } from "../../../src/Plugin/Errors.ts"
import * as Plugin from "../../../src/Plugin/Plugin.ts"
import { plugin, type Spec } from "./fixtures.ts"

const ids = (plugins: ReadonlyArray<Plugin.Any>) => plugins.map(({ id }) => id)
const graph = (specs: Readonly<Record<string, Spec>>) =>
  Object.entries(specs).map(([id, spec]) => plugin(id, spec))

describe("order", () => {
  const target = plugin("b")
  it.each<[rule: string, specs: Record<string, Spec>, expected: string]>([
    ["without demands the list stands", { c: {}, a: {}, b: {} }, "c a b"],
    ["what a plugin requires comes before it", { c: { requires: ["a"] }, a: {} }, "a c"],
    [
      "requirements are followed through",
      { c: { requires: ["b"] }, b: { requires: ["a"] }, a: {} },
      "a b c"
    ],
    [
      "a plugin that others push back does not push back the rest",
      { c: { requires: ["b"] }, x: {}, b: {}, y: {} },
      "x b c y"
    ],
    ["after an id", { a: { order: { after: ["b"] } }, b: {} }, "b a"],
    ["after a plugin", { a: { order: { after: [target] } }, b: {} }, "b a"],
    ["before an id", { a: {}, b: { order: { before: ["a"] } } }, "b a"],
    ["before a plugin", { a: {}, c: { order: { before: [target] } }, b: {} }, "a c b"],
    ["first", { a: {}, b: {}, c: { order: { first: true } } }, "c a b"],
    ["last", { a: { order: { last: true } }, b: {}, c: {} }, "b c a"],
    [
      "several first stand in list order, then the rest",
      { a: {}, b: { order: { first: true } }, c: { order: { first: true } } },
      "b c a"
    ],
    [
      "several last stand in list order, after the rest",
      { a: { order: { last: true } }, b: { order: { last: true } }, c: {} },
      "c a b"
    ],
    [
      "one of several first can ask to stand before another",
      { a: { order: { first: true } }, b: { order: { before: ["a"], first: true } } },
      "b a"
    ],
    [
      "all kinds of demands together",
      {
        log: { order: { last: true } },
        web: { order: { after: ["auth"] }, requires: ["db"] },
        auth: { order: { before: ["cache"] } },
        cache: {},
        db: { requires: ["config"] },
        config: { order: { first: true } }
      },
      "config auth cache db web log"
    ],
    ["a service of its own needs no other plugin", { a: { requires: ["a"] } }, "a"],
    ["a service listed twice in one plugin is one", { a: { provides: ["x", "x"] } }, "a"]
  ])("%s", (_rule, specs, expected) => {
    expect(Order.solve(graph(specs)).problems).toEqual([])
    expect(ids(Order.solve(graph(specs)).order).join(" ")).toBe(expected)
  })

  it("a requirement of AppRuntime needs no plugin that provides it", () => {
    const asks = Plugin.make("a", { requires: [AppRuntime] })
    expect(Order.solve([asks]).problems).toEqual([])
    expect(ids(Order.solve([asks]).order)).toEqual(["a"])
  })
})

describe("problems", () => {
  it.each<
    [
      rule: string,
      plugins: ReadonlyArray<Plugin.Any>,
      expected: ReadonlyArray<readonly [AssemblyProblem["kind"], string, ReadonlyArray<string>]>
    ]
  >([
    [
      "an id twice",
      [plugin("a"), plugin("b"), plugin("a"), plugin("a")],
      [
        [
          "DuplicateId",
          'Plugin "a" is in the list 3 times. Ids are unique: remove it or give it another id.',
          ["a"]
        ]
      ]
    ],
    [
      "a service of two plugins",
      graph({ a: { provides: ["db"] }, b: { provides: ["db"] } }),
      [
        [
          "DuplicateService",
          'Service "service/db" is provided by "a" and by "b". Keep one of the two plugins.',
          ["a", "b"]
        ]
      ]
    ],
    [
      "a service of nobody",
      graph({ a: { requires: ["db"] } }),
      [
        [
          "MissingService",
          'Plugin "a" requires service "service/db", which no plugin provides. Add a plugin that lists it in `provides`.',
          ["a"]
        ]
      ]
    ],
    [
      "an unknown target that resembles a known id",
      graph({ a: { order: { after: ["databse"] } }, database: {} }),
      [
        [
          "UnknownTarget",
          'Plugin "a" asks to come after "databse", which is not in the app. Did you mean "database"? Add that plugin or remove it from `order.after`.',
          ["a"]
        ]
      ]
    ],
    [
      "an unknown target that resembles nothing",
      [plugin("a", { order: { before: [plugin("telemetry")] } }), plugin("database")],
      [
        [
          "UnknownTarget",
          'Plugin "a" asks to come before "telemetry", which is not in the app. Add that plugin or remove it from `order.before`.',
          ["a"]
        ]
      ]
    ],
    [
      "first and last",
      graph({ a: { order: { first: true, last: true } }, b: {} }),
      [["Contradiction", 'Plugin "a" asks to come first and last. Keep one of the two.', ["a"]]]
    ],
    [
      "an order against a requirement",
      graph({ a: { requires: ["b"] }, b: { order: { after: ["a"] } } }),
      [
        [
          "Contradiction",
          'No order satisfies these plugins: a -> b -> a ("b" asks to come after "a"; "a" requires service/b from "b"). Remove one of the demands in `order`.',
          ["a", "b"]
        ]
      ]
    ],
    [
      "first with a requirement",
      graph({ a: { order: { first: true }, requires: ["b"] }, b: {} }),
      [
        [
          "Contradiction",
          'No order satisfies these plugins: a -> b -> a ("a" asks to come first; "a" requires service/b from "b"). Remove one of the demands in `order`.',
          ["a", "b"]
        ]
      ]
    ],
    [
      "after itself",
      graph({ a: { order: { after: ["a"] } } }),
      [
        [
          "Contradiction",
          'No order satisfies these plugins: a -> a ("a" asks to come after "a"). Remove one of the demands in `order`.',
          ["a"]
        ]
      ]
    ],
    [
      "a circle of requirements, with its whole path and nothing that merely hangs on it",
      graph({
        // In this order: the search begins outside of the circle.
        x: { requires: ["a"] },
        a: { requires: ["b"] },
        b: { requires: ["c"] },
        c: { requires: ["a"] }
      }),
      [
        [
          "Cycle",
          'Plugins require each other in a circle: a -> c -> b -> a ("c" requires service/a from "a"; "b" requires service/c from "c"; "a" requires service/b from "b"). Move the shared service into a plugin of its own.',
          ["a", "c", "b"]
        ]
      ]
    ],
    [
      "two circles",
      graph({
        a: { requires: ["b"] },
        b: { requires: ["a"] },
        c: { order: { after: ["d"] } },
        d: { order: { after: ["c"] } }
      }),
      [
        [
          "Cycle",
          'Plugins require each other in a circle: a -> b -> a ("b" requires service/a from "a"; "a" requires service/b from "b"). Move the shared service into a plugin of its own.',
          ["a", "b"]
        ],
        [
          "Contradiction",
          'No order satisfies these plugins: c -> d -> c ("d" asks to come after "c"; "c" asks to come after "d"). Remove one of the demands in `order`.',
          ["c", "d"]
        ]
      ]
    ]
  ])("%s", (_rule, plugins, expected) => {
    const { order, problems } = Order.solve(plugins)
    expect(problems.map(({ kind, message, plugins }) => [kind, message, plugins])).toEqual(expected)
    expect(order).toEqual([])
  })
})

describe("any graph", () => {
  const size = 9
  const Position = Schema.Int.check(Schema.isBetween({ maximum: size - 1, minimum: 0 }))
  const Demand = Schema.Struct({
    from: Position,
    kind: Schema.Literals(["after", "before", "requires"]),
    to: Position
  })
  const Demands = Schema.Array(Demand).check(Schema.isMaxLength(20))
  const Shuffle = Schema.Array(Schema.Int).check(Schema.isMinLength(size), Schema.isMaxLength(size))

  const build = (
    demands: ReadonlyArray<typeof Demand.Type>,
    shuffle: ReadonlyArray<number>
  ): ReadonlyArray<Plugin.Any> =>
    Array.from({ length: size }, (_, id) => id)
      .sort((a, b) => shuffle[a]! - shuffle[b]!)
      .map((id) => {
        const of = (kind: string, end: "from" | "to", other: "from" | "to") =>
          demands
            .filter((demand) => demand.kind === kind && demand[end] === id)
            .map((demand) => String(demand[other]))
        return plugin(String(id), {
          order: { after: of("after", "to", "from"), before: of("before", "from", "to") },
          requires: of("requires", "to", "from")
        })
      })

  it.effect.prop(
    "without circles: the order satisfies every demand and holds every plugin once",
    { demands: Demands, shuffle: Shuffle },
    ({ demands, shuffle }) =>
      Effect.sync(() => {
        // A demand always points from the smaller to the larger id, so nothing is in a circle.
        const acyclic = demands.flatMap(({ from, kind, to }) =>
          from === to ? [] : [{ from: Math.min(from, to), kind, to: Math.max(from, to) }]
        )
        const { order, problems } = Order.solve(build(acyclic, shuffle))
        expect(problems).toEqual([])
        const place = new Map(order.map(({ id }, index) => [Number(id), index]))
        expect(place.size).toBe(size)
        expect(order.length).toBe(size)
        for (const { from, to } of acyclic) {
          expect(place.get(from)!).toBeLessThan(place.get(to)!)
        }
      })
  )

  it.effect.prop(
    "with circles: every reported path is made of demands and closes",
    { demands: Demands, shuffle: Shuffle },
    ({ demands, shuffle }) =>
      Effect.sync(() => {
        // A plugin may require its own service, but not come after itself.
        const edges = demands.filter(({ from, kind, to }) => from !== to || kind !== "requires")
        const { order, problems } = Order.solve(build(demands, shuffle))
        expect(order.length).toBe(problems.length === 0 ? size : 0)
        for (const { plugins } of problems) {
          for (const [i, from] of plugins.entries()) {
            const to = plugins[(i + 1) % plugins.length]
            expect(edges.some((edge) => `${edge.from} ${edge.to}` === `${from} ${to}`)).toBe(true)
          }
        }
      })
  )
})
