/**
 * What an app costs without a socket: CPU time of one request through `App.toWebHandler`, one after
 * the other in one process. Ratios are to `json`. "web alone" makes the same Request and Response
 * without an app, which is in every other figure too.
 * Run: node bench/exchange.ts        Options: --rounds --quick --only NAME
 * To profile one case: node --cpu-prof bench/exchange.ts --only user
 */
import { strictEqual } from "node:assert/strict"
import { parseArgs } from "node:util"
import type * as Exchange from "./lib/Exchange.ts"
import * as Fleet from "./lib/Fleet.ts"
import * as Package from "./lib/Package.ts"
import * as Report from "./lib/Report.ts"
import { ratios, spread } from "./lib/Statistics.ts"
import { cell, table } from "./lib/Table.ts"

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    quick: { default: false, type: "boolean" },
    rounds: { type: "string" }
  }
})
const rounds = Number(values.rounds ?? (values.quick ? 5 : 31))
if (!(rounds >= 1)) throw new Error(`--rounds ${values.rounds}: write a whole number above 0`)
const noise = new Report.Noise()

Package.build()
// Loaded when `flange` is there.
const { cases }: typeof Exchange = await import("./lib/Exchange.ts")
const { only } = values
if (only !== undefined && !cases.some(({ name }) => name === only)) {
  throw new Error(`--only ${only}: write one of ${cases.map(({ name }) => name).join(", ")}`)
}
const wanted = cases.filter(({ name }) => only === undefined || name === only)

/** Microseconds of CPU time for each request. */
const run = async ({ handler, requests }: Exchange.Case, count: number): Promise<number> => {
  const before = process.cpuUsage()
  for (let i = 0; i < count; i++) await (await handler(requests(i))).text()
  const { system, user } = process.cpuUsage(before)
  return (system + user) / count
}

const samples = new Map(wanted.map(({ name }) => [name, [] as Array<number>]))
for (const one of wanted) {
  const response = await one.handler(one.requests(0))
  strictEqual(response.status, one.status, one.name)
  await response.text()
  await run(one, 20_000)
}
for (let round = 0; round < rounds; round++) {
  if (round % 10 === 0) await noise.sample()
  for (const one of Fleet.turn(wanted, round)) samples.get(one.name)!.push(await run(one, 2000))
}
await Promise.all(wanted.map(({ dispose }) => dispose()))

const base = samples.get("json") ?? samples.get(wanted[0]!.name)!
const results = Object.fromEntries(
  [...samples].map(([name, micros]) => [
    name,
    { micros: spread(micros), ratio: ratios(micros, base) }
  ])
)
console.log("\nCPU time of a request in memory: median (min to max)\n")
console.log(
  table(
    ["", "µs", `ratio to ${samples.has("json") ? "json" : wanted[0]!.name}`],
    Object.entries(results).map(([name, { micros, ratio }]) => [name, cell(micros, 1), cell(ratio)])
  )
)
const circumstances = Report.circumstances(
  { client: "none", quick: values.quick, rounds, seconds: 0 },
  noise
)
console.log(`\n${Report.describeWithoutLoad(circumstances)}`)
if (only === undefined) {
  Report.write(`exchange${values.quick ? ".quick" : ""}.json`, { circumstances, results })
}
