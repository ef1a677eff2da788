/**
 * Twice the load that a server can bear, of a handler that computes for 2 ms: latency of the requests
 * that are accepted, as a ratio to the same server without load, and goodput, as a share of what the same
 * server answers at most without a guard. The peer is Fastify with `@fastify/under-pressure`.
 * Run: node bench/overload.ts        Options: --rounds --seconds --quick
 */
import { resolve } from "node:path"
import type { ArrivalsOptions, ArrivalsResult } from "./lib/Arrivals.ts"
import * as Cores from "./lib/Cores.ts"
import { output } from "./lib/Load.ts"
import * as Options from "./lib/Options.ts"
import type { Peer } from "./lib/Peers.ts"
import * as Report from "./lib/Report.ts"
import * as Server from "./lib/Server.ts"
import { type Spread, spread } from "./lib/Statistics.ts"
import * as Steps from "./lib/Steps.ts"
import { cell, table } from "./lib/Table.ts"

const options = Options.parse({ quick: { rounds: 1, seconds: 4 }, rounds: 3, seconds: 10 })
const noise = new Report.Noise()

const millis = 2

const steps = Steps.taking(millis)

const arrive = async (
  port: number,
  more: Pick<ArrivalsOptions, "poisson" | "rate">
): Promise<ArrivalsResult> => {
  const file = resolve(import.meta.dirname, "lib", "Arrivals.ts")
  const all: ArrivalsOptions = {
    ...more,
    connections: 256,
    path: "/work",
    port,
    seconds: options.seconds,
    // A server may need a moment to see that the load will stay.
    warmUpSeconds: 3
  }
  return JSON.parse(await output(Cores.on("client", process.execPath, [file, JSON.stringify(all)])))
}

const peer = (name: string, script: string, parameters: ReadonlyArray<string>): Peer => ({
  arguments: parameters,
  name,
  optional: false,
  script,
  title: name
})

const peers = [
  peer("Flange", "overload", ["--listener", "node"]),
  peer("Flange, proxied", "overload", ["--listener", "proxied"]),
  peer("Fastify, under-pressure", "overloadFastify", [])
]

const whileServing = async <A>(
  peer: Peer,
  guard: "off" | "on",
  use: (port: number) => Promise<A>
): Promise<A> => {
  const server = await Server.start(peer, {
    environment: { BENCH_GUARD: guard, BENCH_STEPS: String(steps) },
    tier: "bare",
    until: "/work"
  })
  try {
    return await use(server.port)
  } finally {
    await server.stop()
  }
}

interface Run {
  readonly goodput: number
  readonly overloaded: ArrivalsResult
  readonly p99Ratio: number
  readonly unloaded: ArrivalsResult
}

const never = (options.seconds + 1) * 1000

const results: Record<string, Record<string, ReadonlyArray<Run>>> = {}
for (const arrivals of ["constant", "poisson"] as const) {
  const poisson = arrivals === "poisson"
  const runs = new Map(peers.map(({ name }) => [name, [] as Array<Run>]))
  for (let round = 0; round < options.rounds; round++) {
    for (const peer of peers) {
      await noise.sample()
      const most = await whileServing(peer, "off", async (port) => {
        // A server without a guard answers requests that were due long ago.
        const { completed } = await arrive(port, { poisson, rate: 2000 / millis })
        return completed
      })
      const run = await whileServing(peer, "on", async (port): Promise<Run> => {
        // The latency without load is that of single requests, at constant distance.
        const unloaded = await arrive(port, { poisson: false, rate: most / 5 })
        const overloaded = await arrive(port, { poisson, rate: 2 * most })
        return {
          goodput: overloaded.accepted / most,
          overloaded,
          p99Ratio: (overloaded.p99 ?? never) / unloaded.p99!,
          unloaded
        }
      })
      runs.get(peer.name)!.push(run)
      console.log(`measured ${peer.name}, ${arrivals} arrivals`)
    }
  }
  results[arrivals] = Object.fromEntries(runs)
}

for (const [arrivals, peers] of Object.entries(results)) {
  console.log(`\nTwice the bearable load, ${arrivals} arrivals: median (min to max)\n`)
  const rows = Object.entries(peers).map(([name, runs]) => {
    const of = (read: (run: Run) => number): Spread => spread(runs.map(read))
    return [
      name,
      cell(of(({ unloaded }) => unloaded.p99!)),
      cell(of(({ overloaded }) => overloaded.p99 ?? never)),
      cell(of(({ p99Ratio }) => p99Ratio)),
      cell(of(({ goodput }) => goodput)),
      cell(of(({ overloaded }) => overloaded.refused)),
      cell(of(({ overloaded }) => overloaded.refusedP99 ?? 0))
    ]
  })
  const titles = ["", "p99 unloaded, ms", "p99 accepted, ms", "ratio", "goodput", "refused/s"]
  console.log(table([...titles, "p99 refused, ms"], rows))
}
const circumstances = Report.circumstances(options, noise)
console.log(`\n${Report.describe(circumstances)}`)
Report.write(`${Report.nameOf("overload", options)}.json`, { circumstances, results })
