// Replicas times pool against max_connections, during a peak in which every pool is full.
import * as World from "../model/World.ts"
import { claim, figures, of, type Scenario } from "../Scenario.ts"

const end = 10_000

export const connections: Scenario = {
  about: "a database with 97 usable connections and 4 cores; queries wait 20 ms",
  name: "connections",
  run: ({ replicas = 4, seed }) => {
    let events = 0
    const rows = [4, 8, 24, 32].map((pool) => {
      const world = World.make({
        databaseCores: 4,
        maxConnections: 97,
        replica: { overload: false, pool },
        replicas,
        seed,
        work: () => ({ after: 0.1, cpu: 0.1, query: { cpu: 0.5, wait: 20 } })
      })
      world.clients.closedLoop(40 * replicas, 10, end)
      world.simulation.runUntil(end + 2000)
      events += world.simulation.events
      return {
        figures: {
          ...figures(world, world.recorder.between(2000, end)),
          "refused connections": world.database.refused
        },
        name: `pool of ${pool}`
      }
    })
    const isUsual = replicas === 4
    return {
      claims: isUsual
        ? [
            claim(
              "4 x 32 is above 97: connections are refused and requests fail",
              of(rows, "pool of 32", "errors") > 0
            ),
            claim("4 x 24 is below 97: no request fails", of(rows, "pool of 24", "errors") === 0),
            claim(
              "a pool of 24 serves more than a pool of 8, and that more than a pool of 4",
              of(rows, "pool of 24", "goodput/s") > of(rows, "pool of 8", "goodput/s") &&
                of(rows, "pool of 8", "goodput/s") > of(rows, "pool of 4", "goodput/s")
            )
          ]
        : [],
      events,
      rows
    }
  }
}
