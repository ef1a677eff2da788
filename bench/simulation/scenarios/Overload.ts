// Twice the load that the replicas bear. Without a limiter, clients give up before their requests are
// answered, and the servers work in vain.
import * as World from "../model/World.ts"
import { claim, figures, of, type Scenario } from "../Scenario.ts"

const seconds = 30

export const overload: Scenario = {
  about: "twice the bearable load of 2 ms computing, clients give up after 2 s",
  name: "overload",
  run: ({ replicas = 3, seed }) => {
    let events = 0
    const capacity = (replicas * 1000) / 2
    const rows = [true, false].map((isOn) => {
      const world = World.make({
        replica: { overload: isOn },
        replicas,
        seed,
        work: () => ({ cpu: 2 })
      })
      world.clients.openLoop(() => 2 * capacity, seconds * 1000)
      world.simulation.runUntil(seconds * 1000 + 2000)
      events += world.simulation.events
      return {
        figures: figures(world, world.recorder.between(10_000, seconds * 1000)),
        name: isOn ? "with Overload" : "without"
      }
    })
    return {
      claims: [
        claim(
          "with Overload, goodput is at least 80% of the capacity",
          of(rows, "with Overload", "goodput/s") > 0.8 * capacity
        ),
        claim("with Overload, p99 is below 50 ms", of(rows, "with Overload", "p99 ms") < 50),
        claim(
          "without, goodput falls below 5% of the capacity",
          of(rows, "without", "goodput/s") < 0.05 * capacity
        )
      ],
      events,
      rows
    }
  }
}
