/**
 * The model beside real processes: one replica of Flange, and three behind nginx, on the cores of this
 * machine, which the model shares among them too. Service times are measured under light load; the model
 * predicts throughput and latency under other loads.
 * Run: node bench/simulation/calibrate.ts        Options: --seconds --rounds --quick --client wrk
 * It needs wrk, nginx and PostgreSQL (TEST_POSTGRES_URL, or postgres://postgres@127.0.0.1:5432/test).
 */
import { availableParallelism } from "node:os"
import * as Options from "../lib/Options.ts"
import * as Report from "../lib/Report.ts"
import { spread } from "../lib/Statistics.ts"
import { table } from "../lib/Table.ts"
import * as Predict from "./calibrate/Predict.ts"
import * as Real from "./calibrate/Real.ts"

const options = Options.parse({ quick: { rounds: 1, seconds: 4 }, rounds: 5, seconds: 10 })
const noise = new Report.Noise()
const cores = availableParallelism()

/** The share by which model and measurement may differ. */
const tolerance = 0.25

interface Case {
  readonly connections: number
  readonly overload: boolean
  readonly replicas: 1 | 3
}

const cases: ReadonlyArray<Case> = [
  { connections: 1, overload: false, replicas: 1 },
  { connections: 4, overload: false, replicas: 1 },
  { connections: 16, overload: false, replicas: 1 },
  { connections: 16, overload: true, replicas: 1 },
  { connections: 3, overload: false, replicas: 3 },
  { connections: 12, overload: false, replicas: 3 },
  { connections: 48, overload: false, replicas: 3 }
]

const measured = new Map<Case, Array<Real.Measured>>(cases.map((each) => [each, []]))
const costs: Array<Real.Costs> = []
for (let round = 0; round < options.rounds; round++) {
  await noise.sample()
  for (const replicas of [1, 3] as const) {
    for (const overload of [false, true]) {
      const own = cases.filter((each) => each.replicas === replicas && each.overload === overload)
      if (own.length === 0) continue
      await Real.whileServing({ overload, replicas }, async (fleet) => {
        await fleet.load(16 * replicas, 2)
        if (!overload) costs.push(await fleet.costs(Math.max(3, options.seconds / 2)))
        for (const each of own) {
          measured.get(each)!.push(await fleet.load(each.connections, options.seconds))
        }
      })
    }
  }
  console.log(`measured round ${round + 1} of ${options.rounds}`)
}

const service = Predict.service(costs)
console.log(
  `\nMilliseconds per request: process ${service.process.toFixed(2)}, of which ${Real.millis} compute; ` +
    `backend ${service.backend.toFixed(2)}; nginx ${service.balancer.toFixed(3)}; waiting for the query ` +
    `${Predict.middle(service.waits).toFixed(2)}`
)

const median = (all: ReadonlyArray<Real.Measured>, read: (each: Real.Measured) => number) =>
  spread(all.map(read)).median

const results = cases.map((each) => {
  const model = Predict.predict(service, { ...each, cores, seed: 1 })
  const real = {
    p50: median(measured.get(each)!, ({ p50 }) => p50),
    p99: median(measured.get(each)!, ({ p99 }) => p99),
    rate: median(measured.get(each)!, ({ rate }) => rate)
  }
  return { ...each, model, real }
})

const off = (model: number, real: number) => model / real - 1
const shown = (model: number, real: number) => {
  const share = off(model, real)
  const sign = share < 0 ? "" : "+"
  const mark = Math.abs(share) > tolerance ? " FAILS" : ""
  return `${model.toPrecision(3)} / ${real.toPrecision(3)} (${sign}${Math.round(100 * share)}%)${mark}`
}
console.log(
  `\nModel / measured, on ${cores} cores. FAILS: more than ${100 * tolerance}% apart\n\n${table(
    ["", "requests/s", "p50 ms", "p99 ms"],
    results.map(({ connections, model, overload, real, replicas }) => [
      `${replicas} x, ${connections} clients${overload ? ", Overload" : ""}`,
      shown(model.rate, real.rate),
      // The latencies of wrk include those of refused requests.
      ...(overload ? ["", ""] : [shown(model.p50, real.p50), shown(model.p99, real.p99)])
    ])
  )}`
)
const circumstances = Report.circumstances({ ...options, client: "wrk" }, noise)
console.log(`\n${Report.describe(circumstances)}`)
Report.write(`${Report.nameOf("simulation", options)}.json`, { circumstances, results, service })
