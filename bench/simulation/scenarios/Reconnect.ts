// A replica with many event streams ends. Its clients connect again to the others, each with a check of its
// token and a read of the events that it has missed.
import * as World from "../model/World.ts"
import { claim, figures, of, type Scenario } from "../Scenario.ts"

const end = 55_000
const lost = 20_000

export const reconnect: Scenario = {
  about: `${lost} streams of an ended replica connect again; API requests at 30% load beside them`,
  name: "reconnect",
  run: ({ replicas = 3, seed }) => {
    let events = 0
    const rows = [0, 1000, 30_000].map((spread) => {
      const world = World.make({
        clients: { timeout: 1000 },
        maxConnections: 200,
        replicas,
        seed,
        work: () => ({ after: 1, cpu: 1, query: { cpu: 0.2 } })
      })
      const { balancer, clients, random, recorder, simulation } = world
      clients.openLoop(() => (0.3 * replicas * 1000) / 2, end)
      const own = random.fork()
      let connected = 0
      let attempts = 0
      let lastAt = 0
      const connect = () => {
        attempts++
        balancer.send({ after: 0.2, cpu: 0.3, query: { cpu: 0.2 } }, (outcome) => {
          if (outcome === "ok") {
            connected++
            lastAt = simulation.now
          } else simulation.after(1000 + own.next() * spread, connect)
        })
      }
      simulation.at(10_000, () => {
        world.replicas[0]!.restart(() => {})
        for (let i = 0; i < lost; i++) simulation.after(own.next() * spread, connect)
      })
      simulation.runUntil(end + 2000)
      events += simulation.events
      return {
        figures: {
          ...figures(world, recorder.between(10_000, 50_000)),
          "attempts to connect": attempts,
          "all back after, s": connected === lost ? (lastAt - 10_000) / 1000 : undefined
        },
        name: spread === 0 ? "at once" : `within ${spread / 1000} s, at random`
      }
    })
    const spread = "within 30 s, at random"
    return {
      claims: [
        claim("spread over 30 s, every stream is back", of(rows, spread, "all back after, s") < 45),
        claim(
          "spread over 30 s, API requests fail less often than with a storm",
          of(rows, spread, "errors") < 0.5 * of(rows, "at once", "errors")
        ),
        claim(
          "at once, the streams need at least twice as many attempts",
          of(rows, "at once", "attempts to connect") > 2 * of(rows, spread, "attempts to connect")
        )
      ],
      events,
      rows
    }
  }
}
