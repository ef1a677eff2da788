// The model against queueing theory: with Poisson arrivals and exponential times one replica is an M/M/1
// queue, so the mean rate and the quantiles of its latency are known.
import { draw, exponential } from "../model/Random.ts"
import * as World from "../model/World.ts"
import { claim, figures, of, type Scenario } from "../Scenario.ts"

const mean = 5
const load = 0.6
const seconds = 600

/** The quantile of the time in an M/M/1 queue, in milliseconds. */
const theory = (share: number) => (-mean / (1 - load)) * Math.log(1 - share)

export const steady: Scenario = {
  about: "60% of the load that the replicas bear, 5 ms of computing per request, no limiter",
  name: "steady",
  run: ({ replicas, seed }) => {
    let events = 0
    const rows = (replicas === undefined ? [1, 3] : [replicas]).map((count) => {
      const world = World.make({
        balancer: { latency: 0 },
        replica: { overload: false },
        replicas: count,
        seed,
        work: (random) => ({ cpu: draw(exponential(mean), random) })
      })
      world.clients.openLoop(() => (count * load * 1000) / mean, seconds * 1000)
      world.simulation.runUntil(seconds * 1000 + 2000)
      events += world.simulation.events
      return {
        figures: figures(world, world.recorder.between(10_000, seconds * 1000)),
        name: `${count} replicas`
      }
    })
    const near = (value: number, expected: number, share: number) =>
      Math.abs(value / expected - 1) < share
    return {
      claims:
        replicas === undefined
          ? [
              claim(
                `one replica: p50 within 8% of M/M/1 (${theory(0.5).toFixed(1)} ms)`,
                near(of(rows, "1 replicas", "p50 ms"), theory(0.5), 0.08)
              ),
              claim(
                `one replica: p99 within 10% of M/M/1 (${theory(0.99).toFixed(1)} ms)`,
                near(of(rows, "1 replicas", "p99 ms"), theory(0.99), 0.1)
              ),
              claim(
                "three replicas serve three times as much, within 2%",
                near(
                  of(rows, "3 replicas", "goodput/s"),
                  3 * of(rows, "1 replicas", "goodput/s"),
                  0.02
                )
              ),
              claim(
                "round robin makes arrivals regular: p99 of three is below that of one",
                of(rows, "3 replicas", "p99 ms") < of(rows, "1 replicas", "p99 ms")
              )
            ]
          : [],
      events,
      rows
    }
  }
}
