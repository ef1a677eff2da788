/** What the model says about the machine that was measured. */
import * as Random from "../model/Random.ts"
import * as World from "../model/World.ts"
import { type Costs, type Measured, millis } from "./Real.ts"

/** What a request needs, in milliseconds. */
export interface Service {
  readonly backend: number
  readonly balancer: number
  readonly process: number
  /** The times in which requests waited for the query and for the network. */
  readonly waits: ReadonlyArray<number>
}

export const middle = (values: ReadonlyArray<number>): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1]!

/** Returns what requests need, as measured under light load. */
export const service = (costs: ReadonlyArray<Costs>): Service => {
  const direct = costs.filter(({ balancer }) => balancer === undefined)
  const proxied = costs.flatMap(({ balancer }) => balancer ?? [])
  const process = middle(direct.map((each) => each.process))
  const backend = middle(direct.map((each) => each.backend))
  return {
    backend,
    balancer: middle(proxied),
    process,
    // The slowest twentieth waited for other programs, which the model does not have.
    waits: direct.flatMap(({ backend, latencies, single }) =>
      [...latencies]
        .sort((a, b) => a - b)
        .slice(0, Math.ceil(0.95 * latencies.length))
        .map((latency) => Math.max(0, latency - single - backend))
    )
  }
}

export interface Load {
  readonly connections: number
  readonly cores: number
  readonly overload: boolean
  readonly replicas: number
  readonly seed: number
}

const end = 30_000

/** Returns what clients would measure that send the next request once they have the reply. */
export const predict = (
  { backend, balancer, process, waits }: Service,
  { connections, cores, overload, replicas, seed }: Load
): Measured => {
  const wait = Random.measured(waits)
  const world = World.make({
    balancer: { cpu: replicas > 1 ? balancer : 0, latency: 0, policy: "roundRobin" },
    clients: { timeout: 10_000 },
    replica: { overload, pool: 8 },
    replicas,
    seed,
    sharedCores: cores,
    work: (random) => ({
      // The handler computes before the query; half of what the framework does comes after it.
      after: (process - millis) / 2,
      cpu: (process + millis) / 2,
      query: { cpu: backend, wait: Random.draw(wait, random) }
    })
  })
  world.clients.closedLoop(connections, 0, end)
  world.simulation.runUntil(end + 5000)
  const { goodput, p50, p99 } = world.recorder.between(3000, end)
  return { p50, p99, rate: goodput }
}
