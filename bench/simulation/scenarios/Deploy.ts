// A rolling deploy: one replica after the other drains and boots. The balancer notices a /readyz of 503
// after two failed checks, a second apart.
import * as World from "../model/World.ts"
import { claim, figures, of, type Scenario } from "../Scenario.ts"

const end = 60_000

const variants = [
  { attempts: 1, drainDelay: 0, name: "drainDelay 0" },
  { attempts: 1, drainDelay: 1000, name: "drainDelay 1 s" },
  { attempts: 1, drainDelay: 2500, name: "drainDelay 2.5 s" },
  { attempts: 2, drainDelay: 0, name: "drainDelay 0, balancer tries twice" }
]

export const deploy: Scenario = {
  about: "a rolling deploy at 40% load; readiness every 1 s, two failures",
  name: "deploy",
  run: ({ replicas = 3, seed }) => {
    let events = 0
    const rows = variants.map(({ attempts, drainDelay, name }) => {
      const world = World.make({
        balancer: { attempts },
        replica: { drainDelay },
        replicas,
        seed,
        work: () => ({ after: 1, cpu: 1, query: { cpu: 0.2 } })
      })
      world.clients.openLoop(() => (0.4 * replicas * 1000) / 2, end)
      let took = 0
      const next = (index: number) => {
        if (index === replicas) return void (took = world.simulation.now - 10_000)
        // The orchestrator waits longer than the balancer needs to use the new process.
        world.replicas[index]!.restart(() => world.simulation.after(3000, () => next(index + 1)))
      }
      world.simulation.at(10_000, () => next(0))
      world.simulation.runUntil(end + 2000)
      events += world.simulation.events
      const all = world.recorder.between(0, end)
      return { figures: { ...figures(world, all), "deploy takes, s": took / 1000 }, name }
    })
    return {
      claims: [
        claim(
          "drainDelay above interval x failures: no error",
          of(rows, "drainDelay 2.5 s", "errors") === 0
        ),
        claim("drainDelay 0: requests fail", of(rows, "drainDelay 0", "errors") > 0),
        claim(
          "drainDelay 1 s: fewer fail than without",
          of(rows, "drainDelay 1 s", "errors") < of(rows, "drainDelay 0", "errors")
        ),
        claim(
          "a balancer that tries a second replica hides a refused connection",
          of(rows, "drainDelay 0, balancer tries twice", "errors") === 0
        )
      ],
      events,
      rows
    }
  }
}
