// All requests update the same row, and hold its lock until they commit.
import * as World from "../model/World.ts"
import { claim, figures, of, type Scenario } from "../Scenario.ts"

const end = 20_000
const hold = 5

export const hotRow: Scenario = {
  about: `every request holds the lock of one row for ${hold} ms; 64 clients`,
  name: "hot-row",
  run: ({ replicas, seed }) => {
    let events = 0
    const counts = replicas === undefined ? [1, 3, 12] : [replicas]
    const rows = counts.map((count) => {
      const world = World.make({
        clients: { timeout: 10_000 },
        maxConnections: 1000,
        replica: { overload: false },
        replicas: count,
        seed,
        work: () => ({ cpu: 0.2, query: { cpu: 0.2, row: "counter", wait: hold - 0.2 } })
      })
      world.clients.closedLoop(64, 0, end)
      world.simulation.runUntil(end + 2000)
      events += world.simulation.events
      return {
        figures: figures(world, world.recorder.between(2000, end - 1000)),
        name: `${count} replicas`
      }
    })
    return {
      claims: [
        claim(
          `more replicas do not help: all serve 1000 / ${hold} = ${1000 / hold}/s, within 2%`,
          rows.every(({ name }) => Math.abs(of(rows, name, "goodput/s") / (1000 / hold) - 1) < 0.02)
        )
      ],
      events,
      rows
    }
  }
}
