/** Candidates under load in turn, as ratios to the first, or the better of the first, in the same round. */
import * as Fleet from "./Fleet.ts"
import * as Load from "./Load.ts"
import type { Options } from "./Options.ts"
import type * as Report from "./Report.ts"
import type * as Server from "./Server.ts"
import { median, ratios, type Spread } from "./Statistics.ts"
import { cell, table } from "./Table.ts"
import type { Endpoint } from "./Workload.ts"

export interface Candidate {
  readonly endpoint: Endpoint
  readonly name: string
  readonly server: Server.Server
}

export interface Result {
  /** Microseconds of the server's CPU time. */
  readonly cpuPerRequest: number
  readonly name: string
  /** Of requests per second of the server's CPU time. */
  readonly perCpu: Spread
  readonly rate: Spread
  readonly requestsPerSecond: number
}

/** Warms every candidate up, then measures them. Ratios are to the better of the first `bases`. */
export const measure = async (
  candidates: ReadonlyArray<Candidate>,
  options: Options,
  noise: Report.Noise,
  bases = 1
): Promise<ReadonlyArray<Result>> => {
  for (const { endpoint, server } of candidates) {
    await Load.run(options.client, server.port, endpoint, options.quick ? 1 : 3)
  }
  const rates = candidates.map(() => [] as Array<Fleet.Rates>)
  for (let round = 0; round < options.rounds; round++) {
    await noise.sample()
    for (const [i, { endpoint, server }] of Fleet.turn([...candidates.entries()], round)) {
      rates[i]!.push(await Fleet.rates(server, endpoint, options))
    }
  }
  const of = (i: number, measure: keyof Fleet.Rates) => rates[i]!.map((each) => each[measure])
  const base = (measure: keyof Fleet.Rates) =>
    rates[0]!.map((_, round) =>
      Math.max(...rates.slice(0, bases).map((each) => each[round]![measure]))
    )
  return candidates.map(({ name }, i) => ({
    cpuPerRequest: 1e6 / median(of(i, "perCpu")),
    name,
    perCpu: ratios(of(i, "perCpu"), base("perCpu")),
    rate: ratios(of(i, "rate"), base("rate")),
    requestsPerSecond: Math.round(median(of(i, "rate")))
  }))
}

/** Prints results, each with its title. */
export const print = (title: string, results: Readonly<Record<string, ReadonlyArray<Result>>>) => {
  console.log(`\n${title}: median (min to max)\n`)
  console.log(
    table(
      ["", "", "requests per second", "CPU per request", "ratio", "ratio per CPU second"],
      Object.entries(results).flatMap(([group, rows]) =>
        rows.map(({ cpuPerRequest, name, perCpu, rate, requestsPerSecond }) => [
          group,
          name,
          String(requestsPerSecond),
          `${cpuPerRequest.toFixed(0)} us`,
          cell(rate),
          cell(perCpu)
        ])
      )
    )
  )
}
