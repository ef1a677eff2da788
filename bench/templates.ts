// What it costs to render a page: Eta with its own cache, and Flange, which compiles with Eta, checks the
// data and prints values by their place. Ratios are to Eta; above 1 is slower. The candidates take turns
// in one process.
// Run: node bench/templates.ts        Options: --rounds --quick
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Eta } from "eta/core"
import * as Templates from "flange/Templates"
import { make } from "../src/Layers/Templates/Make.ts"
import * as Fleet from "./lib/Fleet.ts"
import * as Options from "./lib/Options.ts"
import * as Report from "./lib/Report.ts"
import { ratios, type Spread, spread } from "./lib/Statistics.ts"
import { cell, table } from "./lib/Table.ts"

const options = Options.parse({ quick: { rounds: 5, seconds: 1 }, rounds: 15, seconds: 1 })
const noise = new Report.Noise()

const Row = Schema.Struct({ author: Schema.String, id: Schema.Int, title: Schema.String })

const small = Templates.make("small", { data: Row })
const large = Templates.make("large", { data: Schema.Struct({ rows: Schema.Array(Row) }) })

/** The templates. What Eta writes with `include` and `it.body` is raw, as in its documentation. */
const texts = {
  large: `<% layout("LAYOUT", { title: "Books" }) %>
<ul>
<% for (const row of it.rows) { %>
<li><a href="/books/<%= row.id %>"><%= row.title %></a> by <%= row.author %></li>
<% } %>
</ul>
<%~ include("FOOT") %>`,
  foot: "<footer><%= it.rows.length %> books</footer>",
  layout: "<!doctype html><title><%= it.title %></title><main><%~ it.body %></main>",
  small: `<h1><%= it.title %></h1><p title="<%= it.id %>">by <%= it.author %></p>`
}

const eta = new Eta({ autoTrim: false, cache: true })
for (const [name, text] of Object.entries(texts)) {
  eta.loadTemplate(`@${name}`, text.replace("LAYOUT", "@layout").replace("FOOT", "@foot"))
}

const flange = await Effect.runPromise(
  make({
    isReloaded: false,
    maxSize: 2 ** 23,
    sources: [
      Templates.memory({
        ...texts,
        large: texts.large.replace("LAYOUT", "layout").replace("FOOT", "foot")
      })
    ],
    templates: [large, small]
  })
)

const row = { author: "Mary Shelley", id: 1, title: "Frankenstein" }
const rows = Array.from({ length: 100 }, (_, i) => ({
  ...row,
  id: i,
  title: i % 5 === 0 ? "Sense & Sensibility" : "Frankenstein"
}))

const pages = {
  "100 rows, a layout and a partial": {
    eta: () => eta.render("@large", { rows }),
    flange: () => Effect.runSync(flange.render(large, { rows })).markup,
    times: 500
  },
  "3 values": {
    eta: () => eta.render("@small", row),
    flange: () => Effect.runSync(flange.render(small, row)).markup,
    times: 20_000
  }
} as const

const run = (render: () => string, times: number): number => {
  const start = process.hrtime.bigint()
  for (let i = 0; i < times; i++) render()
  return Number(process.hrtime.bigint() - start) / 1000 / times
}

const results: Record<string, Record<string, { ratio: Spread; value: Spread }>> = {}
for (const [name, page] of Object.entries(pages)) {
  const [expected, actual] = [page.eta(), page.flange()].map((text) => text.replaceAll(/\s+/g, ""))
  if (expected !== actual) throw new Error(`${name}: the pages differ`)
  const candidates = ["eta", "flange"] as const
  for (const candidate of candidates) run(page[candidate], page.times * 2)
  const samples = { eta: [] as Array<number>, flange: [] as Array<number> }
  for (let round = 0; round < options.rounds; round++) {
    await noise.sample()
    for (const candidate of Fleet.turn([...candidates], round)) {
      samples[candidate].push(run(page[candidate], page.times))
    }
  }
  results[name] = Object.fromEntries(
    candidates.map((candidate) => [
      candidate,
      { ratio: ratios(samples[candidate], samples.eta), value: spread(samples[candidate]) }
    ])
  )
}

console.log(`\nMicroseconds for each page, and the ratio to Eta: median (min to max)\n`)
console.log(
  table(
    ["", "", "µs", "ratio"],
    Object.entries(results).flatMap(([page, byName]) =>
      Object.entries(byName).map(([name, { ratio, value }]) => [
        page,
        name,
        cell(value),
        cell(ratio)
      ])
    )
  )
)
const circumstances = Report.circumstances({ ...options, seconds: 0 }, noise)
console.log(`\n${Report.describeWithoutLoad(circumstances)}`)
Report.write(`${Report.nameOf("templates", options)}.json`, { circumstances, results })
