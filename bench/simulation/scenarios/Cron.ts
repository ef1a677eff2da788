// Four hundred jobs are due in the same second of each minute. They share database and pools with requests.
import * as World from "../model/World.ts"
import { claim, figures, of, type Scenario } from "../Scenario.ts"

const end = 180_000
const jobs = 400

export const cron: Scenario = {
  about: `${jobs} jobs per minute, each 50 ms of the database, beside requests; pools of 8`,
  name: "cron",
  run: ({ replicas = 3, seed }) => {
    let events = 0
    const rows = [0, 30_000].map((jitter) => {
      const world = World.make({
        databaseCores: 4,
        replica: { pool: 8 },
        replicas,
        seed,
        work: () => ({ after: 0.5, cpu: 0.5, query: { cpu: 0.5 } })
      })
      const { random, replicas: all, simulation } = world
      world.clients.openLoop(() => 200 * replicas, end)
      const own = random.fork()
      let done = 0
      simulation.every(60_000, () => {
        if (simulation.now >= end) return
        for (let i = 0; i < jobs; i++) {
          const replica = all[i % replicas]!
          const run = () => replica.query({ cpu: 50 }, (isDone) => void (done += Number(isDone)))
          simulation.after(own.next() * jitter, () => replica.loop.post(run))
        }
      })
      simulation.runUntil(end + 60_000)
      events += simulation.events
      return {
        figures: { ...figures(world, world.recorder.between(10_000, end)), "jobs done": done },
        name: jitter === 0 ? "no jitter" : `jitter ${jitter / 1000} s`
      }
    })
    return {
      claims: [
        claim(
          "without jitter, jobs hold the pools: over 2% of the requests fail",
          of(rows, "no jitter", "goodput/s") < 0.98 * of(rows, "no jitter", "offered/s")
        ),
        claim("with jitter, every job is done", of(rows, "jitter 30 s", "jobs done") === 2 * jobs),
        claim("with jitter, no request fails", of(rows, "jitter 30 s", "errors") === 0)
      ],
      events,
      rows
    }
  }
}
