// One of the replicas takes three times as long, as on a machine with a noisy neighbour.
import { draw, exponential } from "../model/Random.ts"
import * as World from "../model/World.ts"
import { claim, figures, of, type Scenario } from "../Scenario.ts"

const end = 60_000

export const balancing: Scenario = {
  about: "one replica takes three times as long, at half of the load that all bear when well",
  name: "balancing",
  run: ({ replicas = 3, seed }) => {
    let events = 0
    const rows = (["roundRobin", "leastConnections"] as const).map((policy) => {
      const world = World.make({
        balancer: { policy },
        replica: { overload: false },
        replicas,
        seed,
        work: (random) => ({ cpu: draw(exponential(2), random) })
      })
      world.replicas[0]!.loop.slowness = 3
      world.clients.openLoop(() => (0.5 * replicas * 1000) / 2, end)
      world.simulation.runUntil(end + 2000)
      events += world.simulation.events
      return { figures: figures(world, world.recorder.between(10_000, end)), name: policy }
    })
    return {
      claims: [
        claim("least connections: no request fails", of(rows, "leastConnections", "errors") === 0),
        claim(
          "round robin: the slow replica gets a third of the requests and cannot serve them; over 20% fail",
          of(rows, "roundRobin", "goodput/s") < 0.8 * of(rows, "roundRobin", "offered/s")
        )
      ],
      events,
      rows
    }
  }
}
