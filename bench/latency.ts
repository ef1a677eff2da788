// p99 at a fixed load: requests leave at 60% of the rate that the peer answers at most. Ratios are
// to Fastify's p99 at 60% of its own maximum; below 1 is better.
// Run: node bench/latency.ts        Options: --tier --rounds --seconds --peers a,b --client --quick
import * as Fleet from "./lib/Fleet.ts"
import * as Load from "./lib/Load.ts"
import { run as openLoop } from "./lib/OpenLoopRun.ts"
import * as Options from "./lib/Options.ts"
import * as Peers from "./lib/Peers.ts"
import * as Report from "./lib/Report.ts"
import { median, ratios, type Spread, spread } from "./lib/Statistics.ts"
import { cell, table } from "./lib/Table.ts"
import { endpoints } from "./lib/Workload.ts"

const share = 0.6

const options = Options.parse({ quick: { rounds: 1, seconds: 2 }, rounds: 3, seconds: 5 })
const noise = new Report.Noise()

interface Result {
  readonly maximum: number
  /** Milliseconds. */
  readonly p50: Spread
  readonly p99: Spread
  readonly p99Ratio: Spread
  /** Whether the load was answered as it came, to 2%. */
  readonly sustained: boolean
}

const results: Record<string, Record<string, Result>> = {}
for (const tier of options.tiers) {
  const fleet = await Fleet.start(options.peers, tier)
  try {
    await Fleet.warmUp(fleet, endpoints(tier), options)
    for (const endpoint of endpoints(tier)) {
      await noise.sample()
      const maxima = new Map<string, number>()
      for (const server of fleet.servers) {
        const { rate } = await Load.run(options.client, server.port, endpoint, options.seconds)
        maxima.set(server.peer.name, rate)
      }
      const runs = new Map(
        fleet.servers.map(({ peer }) => [
          peer.name,
          [] as Array<{ answered: number; p50: number; p99: number }>
        ])
      )
      for (let round = 0; round < options.rounds; round++) {
        for (const { peer, port } of Fleet.turn(fleet.servers, round)) {
          const rate = maxima.get(peer.name)! * share
          const { answered, p50, p99 } = await openLoop(port, endpoint, rate, options.seconds)
          // What was not answered at all waited at least as long as the run took.
          const never = (options.seconds + 1) * 1000
          runs.get(peer.name)!.push({ answered, p50: p50 ?? never, p99: p99 ?? never })
        }
      }
      const p99 = (name: string) => runs.get(name)!.map((run) => run.p99)
      results[`${tier} ${endpoint.name}`] = Object.fromEntries(
        fleet.servers.map(({ peer: { name, title } }) => [
          title,
          {
            maximum: Math.round(maxima.get(name)!),
            p50: spread(runs.get(name)!.map(({ p50 }) => p50)),
            p99: spread(p99(name)),
            p99Ratio: ratios(p99(name), p99(Peers.base)),
            sustained:
              median(runs.get(name)!.map(({ answered }) => answered)) >
              maxima.get(name)! * share * 0.98
          }
        ])
      )
      console.log(`measured ${tier} ${endpoint.name}`)
    }
  } finally {
    await fleet.stop()
  }
}

for (const [name, peers] of Object.entries(results)) {
  console.log(`\n${name} at ${share * 100}% of each peer's maximum: median (min to max)\n`)
  const rows = Object.entries(peers).map(([title, result]) => [
    title,
    `${Math.round(result.maximum * share)}/s${result.sustained ? "" : " NOT SUSTAINED"}`,
    cell(result.p50),
    cell(result.p99),
    cell(result.p99Ratio)
  ])
  console.log(table(["", "load", "p50 in ms", "p99 in ms", "p99, ratio to Fastify"], rows))
}
const circumstances = Report.circumstances(options, noise)
console.log(`\n${Report.describe(circumstances)}`)
Report.write(`${Report.nameOf("latency", options)}.json`, { circumstances, results, share })
