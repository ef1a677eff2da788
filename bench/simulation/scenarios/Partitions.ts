// For ten seconds one replica cannot reach the database, or the balancer cannot reach one replica.
import * as World from "../model/World.ts"
import { claim, figures, of, type Scenario } from "../Scenario.ts"

const end = 40_000

const variants = [
  { attempts: 1, interval: 1000, name: "replica to database, check every 1 s" },
  { attempts: 1, interval: 5000, name: "replica to database, check every 5 s" },
  { attempts: 1, interval: 1000, name: "balancer to replica, one attempt" },
  { attempts: 2, interval: 1000, name: "balancer to replica, two attempts" }
]

export const partitions: Scenario = {
  about: "one replica is cut off for 10 s, at 40% load",
  name: "partitions",
  run: ({ replicas = 3, seed }) => {
    let events = 0
    const rows = variants.map(({ attempts, interval, name }) => {
      const world = World.make({
        balancer: { attempts, interval },
        replicas,
        seed,
        work: () => ({ after: 1, cpu: 1, query: { cpu: 0.2 } })
      })
      const { balancer, clients, recorder, simulation } = world
      const cut = (isCut: boolean) => {
        if (name.startsWith("replica")) world.replicas[0]!.reachesDatabase = !isCut
        else balancer.cut(0, isCut)
      }
      clients.openLoop(() => (0.4 * replicas * 1000) / 2, end)
      simulation.at(10_000, () => cut(true))
      simulation.at(20_000, () => cut(false))
      simulation.runUntil(end + 6000)
      events += simulation.events
      return {
        figures: {
          ...figures(world, recorder.between(0, end)),
          "recovers after, s": recorder.recovery(10_000, end, 500)
        },
        name
      }
    })
    const errors = (name: string) => of(rows, name, "errors")
    return {
      claims: [
        claim(
          "checks every second lose fewer requests than checks every five",
          errors("replica to database, check every 1 s") <
            errors("replica to database, check every 5 s")
        ),
        claim(
          "with checks every second, service is back within 3 s, while the cut lasts",
          rows
            .filter(({ name }) => !name.endsWith("every 5 s"))
            .every(({ figures }) => (figures["recovers after, s"] ?? Infinity) <= 3)
        ),
        claim(
          "two attempts lose no request to a replica that is not reached",
          errors("balancer to replica, two attempts") === 0
        )
      ],
      events,
      rows
    }
  }
}
