// `flange plugins`: the table, the graphs and the timings.
import { assert, beforeAll, describe, it } from "vitest"
import { flange, project } from "./project.ts"

const files = {
  "app.ts": `
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Action, App, Cli, Plugin } from "flange"
import * as Health from "flange/Health"

class Store extends Context.Service<Store, { readonly rows: number }>()("shop/Store") {}
class Stock extends Context.Service<Stock, { readonly left: number }>()("shop/Stock") {}

const Count = Action.make("stock.count")
const StockPlugin = Plugin.make("shop:stock", {
  actions: [Action.implement(Count, () => Effect.void)],
  layer: Layer.effect(Stock, Effect.map(Store, ({ rows }) => ({ left: rows }))),
  provides: [Stock],
  requires: [Store]
})
const StorePlugin = Plugin.make("shop:store", {
  health: { store: Effect.void },
  layer: Layer.effect(Store, Effect.as(Effect.sleep("40 millis"), { rows: 1 })),
  provides: [Store]
})
const Till = Plugin.make('shop:till "A" <1> & ü', {
  ready: () => Effect.die("nothing listens"),
  requires: [Stock, Store]
})

export const app = App.make("shop & co", [Health.plugin, Till, StockPlugin, StorePlugin])
`,
  "circle.ts": `
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import { App, Plugin } from "flange"

class A extends Context.Service<A, number>()("A") {}
class B extends Context.Service<B, number>()("B") {}
const a = Plugin.make("a", { layer: Layer.succeed(A, 1), provides: [A], requires: [B] })
const b = Plugin.make("b", { layer: Layer.succeed(B, 1), provides: [B], requires: [A] })
export const app = App.make("circle", [a, b, Plugin.make("alone", {})])
`
}

let folder: string
beforeAll(async () => {
  folder = await project(files, ["effect", "flange"])
})

const till = 'shop:till "A" <1> & ü'

describe("flange plugins", () => {
  it("lists the plugins in the order in which they start, and starts nothing", async () => {
    const { code, stderr, stdout } = await flange(folder, "plugins")
    assert.deepStrictEqual(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => line.replaceAll(/ {2,}/g, " | ")),
      [
        "PLUGIN | ROUTES | REQUIRES | PROVIDES | CONTRIBUTES",
        "flange:health | 4 | - | flange/HealthMonitor | route (4)",
        "shop:store | - | - | shop/Store | healthCheck",
        "shop:stock | - | shop/Store | shop/Stock | action",
        `${till} | - | shop/Stock, shop/Store | - | -`
      ]
    )
    assert.deepStrictEqual([code, stderr], [0, ""])
  })

  it("prints JSON, with the services of actions", async () => {
    const { stdout } = await flange(folder, "plugins", "--json")
    assert.deepStrictEqual(JSON.parse(stdout)[2], {
      contributions: { action: 1 },
      id: "shop:stock",
      provides: ["flange/Action/stock.count", "shop/Stock"],
      requires: ["shop/Store"],
      routes: 0
    })
  })

  it("measures how long each plugin takes to start, without a listener", async () => {
    const { code, stderr, stdout } = await flange(folder, "plugins", "--timings", "--json")
    const rows: ReadonlyArray<{ id: string; time: number }> = JSON.parse(stdout)
    const times = new Map(rows.map(({ id, time }) => [id, time]))
    // A timer of Node may fire a millisecond early.
    assert.isAtLeast(times.get("shop:store")!, 39)
    assert.isNumber(times.get("flange:health"))
    assert.include(stderr, 'Starting "shop & co" without a listener')
    assert.strictEqual(code, 0)
    const table = await flange(folder, "plugins", "--timings")
    assert.match(table.stdout, /^PLUGIN +TIME +ROUTES.*\n(?:.*\n)*shop:store +\d+ ms +-/)
  })

  it("prints the graph as text and for Mermaid", async () => {
    const text = await flange(folder, "plugins", "--graph", "text")
    assert.strictEqual(
      text.stdout,
      ["flange:health", till, "  shop:stock", "    shop:store", "  shop:store", ""].join("\n")
    )
    const mermaid = await flange(folder, "plugins", "--graph", "mermaid")
    assert.include(mermaid.stdout, "flowchart LR\n")
    assert.include(mermaid.stdout, '  2 -->|"shop/Store"| 1\n')
    assert.include(mermaid.stdout, '3["shop:till #quot;A#quot; #lt;1#gt; #amp; ü"]')
  })

  it("prints the graph as a picture in valid XML, with the times if they are asked for", async () => {
    const { code, stdout } = await flange(folder, "plugins", "--graph", "svg", "--timings")
    assert.strictEqual(code, 0)
    assert.include(stdout, "<title>Plugins of shop &amp; co</title>")
    assert.match(stdout, />shop:store \d+ ms<\/text>/)
    assert.include(stdout, ">shop:till &quot;A&quot; &lt;1&gt; &amp; ü ")
    assert.lengthOf(stdout.match(/<rect /g)!, 4)
    // One arrow for each requirement; that of the till to the store passes a column.
    assert.lengthOf(stdout.match(/marker-end/g)!, 3)
    assert.lengthOf(stdout.match(/<path d="M[^"]*h[\d.]+"\/>/g)!, 1)
    const open: Array<string> = []
    const rest = stdout.replaceAll(
      /<(\/?)([a-z]+)((?: [a-zA-Z-]+="[^"<&]*")*)(\/?)>/g,
      (_, end, name, __, empty) => {
        if (end !== "") assert.strictEqual(open.pop(), name)
        else if (empty === "") open.push(name)
        return ""
      }
    )
    assert.deepStrictEqual(open, [])
    assert.notMatch(rest.replaceAll(/&(?:amp|gt|lt|quot);/g, ""), /[<>&]/)
  })

  it("prints what it knows of an app that does not fit together, and fails", async () => {
    for (const args of [[], ["--graph", "text"], ["--graph", "svg"], ["--graph", "mermaid"]]) {
      const { code, stderr, stdout } = await flange(
        folder,
        "plugins",
        "--app",
        "circle.ts",
        ...args
      )
      assert.strictEqual(code, 1)
      assert.include(stdout, "alone")
      assert.include(stderr, "Plugins require each other in a circle: a -> b -> a")
    }
  })

  it("fails if the app cannot be started for the timings, and refuses an unknown graph", async () => {
    const failed = await flange(folder, "plugins", "--app", "circle.ts", "--timings")
    assert.deepStrictEqual([failed.code, failed.stdout], [1, ""])
    const refused = await flange(folder, "plugins", "--graph", "png")
    assert.deepStrictEqual([refused.code, refused.stdout], [2, ""])
    assert.include(refused.stderr, 'Invalid value for flag --graph: "png"')
  })
})
