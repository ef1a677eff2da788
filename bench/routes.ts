/**
 * What a large app costs: throughput with 10, 1 000 and 10 000 groups of one endpoint with schemas of
 * its own, requests spread over all of them. Each peer's ratio is to itself with 10 groups.
 * Run: node bench/routes.ts        Options: --rounds --seconds --peers a,b --client --quick
 */
import * as Fleet from "./lib/Fleet.ts"
import * as Options from "./lib/Options.ts"
import * as Report from "./lib/Report.ts"
import { ratios, type Spread } from "./lib/Statistics.ts"
import { cell, table } from "./lib/Table.ts"
import { spreadOver } from "./lib/Workload.ts"

const sizes = [10, 1000, 10_000]

const options = Options.parse({ quick: { rounds: 2, seconds: 1 }, rounds: 5, seconds: 2 })
const noise = new Report.Noise()

interface Result {
  readonly perCpu: Spread
  readonly rate: Spread
  readonly routes: number
}

const results: Record<string, ReadonlyArray<Result>> = {}
// One peer at a time, its sizes in turn: what is compared are the sizes.
for (const peer of options.peers) {
  const fleets = new Map<number, Fleet.Fleet>()
  const rates = new Map(sizes.map((size) => [size, [] as Array<Fleet.Rates>]))
  try {
    for (const size of sizes) {
      const fleet = await Fleet.start([peer], "bare", {
        arguments: ["--routes", String(size)],
        check: false
      })
      fleets.set(size, fleet)
      await Fleet.warmUp(fleet, [spreadOver(size)], options)
    }
    await noise.sample()
    for (let round = 0; round < options.rounds; round++) {
      for (const size of Fleet.turn(sizes, round)) {
        for (const server of fleets.get(size)!.servers) {
          rates.get(size)!.push(await Fleet.rates(server, spreadOver(size), options))
        }
      }
    }
  } finally {
    for (const fleet of fleets.values()) await fleet.stop()
  }
  if (rates.get(10)!.length === 0) continue
  const ratioOf = (size: number, measure: "perCpu" | "rate") =>
    ratios(
      rates.get(size)!.map((each) => each[measure]),
      rates.get(10)!.map((each) => each[measure])
    )
  results[peer.title] = sizes.map((routes) => ({
    perCpu: ratioOf(routes, "perCpu"),
    rate: ratioOf(routes, "rate"),
    routes
  }))
  console.log(`measured ${peer.title}`)
}

for (const [measure, title] of [
  ["rate", "Requests per second"],
  ["perCpu", "Requests per second of the server's CPU time"]
] as const) {
  console.log(`\n${title}, ratio to the same peer with 10 groups: median (min to max)\n`)
  const rows = Object.entries(results).map(([title, sizes]) => [
    title,
    ...sizes.map((result) => cell(result[measure]))
  ])
  console.log(table(["groups", ...sizes.map(String)], rows))
}
const circumstances = Report.circumstances(options, noise)
console.log(`\n${Report.describe(circumstances)}`)
Report.write(`${Report.nameOf("routes", options)}.json`, { circumstances, results })
