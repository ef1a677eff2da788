/**
 * Requests per second of a handler that computes for 2 ms: two workers as a ratio to one process, both
 * free to use every core. The client needs little of one.
 * Run: node bench/workers.ts        Options: --rounds --seconds --quick
 */
import { resolve } from "node:path"
import { output } from "./lib/Load.ts"
import * as Options from "./lib/Options.ts"
import * as Report from "./lib/Report.ts"
import * as Server from "./lib/Server.ts"
import { ratios, spread } from "./lib/Statistics.ts"
import * as Steps from "./lib/Steps.ts"
import { cell, table } from "./lib/Table.ts"

const options = Options.parse({ quick: { rounds: 2, seconds: 3 }, rounds: 5, seconds: 8 })
const noise = new Report.Noise()
const steps = Steps.taking(2)

interface Measured {
  readonly errors: number
  readonly p99: number
  /** Requests for each second that the server ran on a core: other programs change it little. */
  readonly perCpuSecond: number
  readonly rate: number
}

const load = async (
  port: number,
  seconds: number
): Promise<Omit<Measured, "perCpuSecond"> & { readonly requests: number }> => {
  const file = resolve(import.meta.dirname, "lib", "Autocannon.ts")
  const all = { connections: 16, duration: seconds, url: `http://127.0.0.1:${port}/work` }
  return JSON.parse(await output([process.execPath, [file, JSON.stringify(all)]]))
}

const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

const whileServing = async <A>(
  workers: number,
  listener: string,
  use: (server: Server.Server) => Promise<A>
): Promise<A> => {
  const peer = {
    arguments: ["--listener", listener],
    name: `Flange, ${listener}, ${workers} workers`,
    optional: false,
    script: "workers",
    title: "Flange"
  }
  const server = await Server.start(peer, {
    allCores: true,
    environment: { BENCH_STEPS: String(steps), BENCH_WORKERS: String(workers) },
    stdout: "pipe",
    tier: "bare",
    until: "/work"
  })
  try {
    const isUp = () => workers === 1 || server.stdout().includes("workers serve")
    while (!isUp()) await pause(10)
    return await use(server)
  } finally {
    await server.stop()
  }
}

const results: Record<string, Record<number, ReadonlyArray<Measured>>> = {}
for (const listener of ["node", "proxied"]) {
  const one: Array<Measured> = []
  const two: Array<Measured> = []
  for (let round = 0; round < options.rounds; round++) {
    await noise.sample()
    for (const [workers, runs] of [
      [1, one],
      [2, two]
    ] as const) {
      runs.push(
        await whileServing(workers, listener, async ({ cpu, port }): Promise<Measured> => {
          await load(port, 1)
          const before = cpu()
          const measured = await load(port, options.seconds)
          return { ...measured, perCpuSecond: measured.requests / (cpu() - before) }
        })
      )
    }
    console.log(`measured ${listener}`)
  }
  results[listener] = { 1: one, 2: two }
}

const rows = Object.entries(results).map(([listener, { 1: one = [], 2: two = [] }]) => {
  const rates = (runs: ReadonlyArray<Measured>) => runs.map(({ rate }) => rate)
  const costs = (runs: ReadonlyArray<Measured>) => runs.map(({ perCpuSecond }) => perCpuSecond)
  return [
    listener,
    cell(spread(rates(one))),
    cell(spread(rates(two))),
    cell(ratios(rates(two), rates(one))),
    cell(ratios(costs(two), costs(one)))
  ]
})
const titles = ["", "one process, requests/s", "two workers, requests/s", "ratio"]
console.log(`\n2 ms of computing in each request: median (min to max)\n`)
console.log(table([...titles, "ratio, requests of a CPU second"], rows))
const circumstances = {
  ...Report.circumstances(options, noise),
  client: "autocannon",
  pinned: false
}
console.log(`\n${Report.describe(circumstances)}`)
Report.write(`${Report.nameOf("workers", options)}.json`, { circumstances, results })
