// A popular value expires every ten seconds. It takes 200 ms of the database to compute.
import { Redis } from "../model/Redis.ts"
import type { Replica } from "../model/Replica.ts"
import * as World from "../model/World.ts"
import { claim, figures, of, type Scenario } from "../Scenario.ts"

const end = 60_000
const ttl = 10_000
const load = { cpu: 200 }

const kinds = ["no single flight", "single flight per process", "stale while revalidate"] as const

export const cacheExpiry: Scenario = {
  about:
    "a value in Redis that expires every 10 s and takes 200 ms of the database, 300 requests/s per replica",
  name: "cache-expiry",
  run: ({ replicas = 3, seed }) => {
    let events = 0
    const rows = kinds.map((kind) => {
      let freshUntil = 0
      let hasValue = false
      let loads = 0
      const flights = new Map<number, Array<(isDone: boolean) => void>>()
      let world: World.World | undefined

      const compute = (replica: Replica, then: (isDone: boolean) => void) => {
        loads++
        replica.query(load, (isDone) => {
          if (isDone) {
            hasValue = true
            freshUntil = world!.simulation.now + ttl
          }
          then(isDone)
        })
      }
      const shared = (replica: Replica, then: (isDone: boolean) => void) => {
        const flight = flights.get(replica.index)
        if (flight !== undefined) return void flight.push(then)
        const all = [then]
        flights.set(replica.index, all)
        compute(replica, (isDone) => {
          flights.delete(replica.index)
          for (const each of all) each(isDone)
        })
      }
      const read = (replica: Replica, then: (isDone: boolean) => void) => {
        redis.run(0.01, () =>
          replica.loop.post(() => {
            if (world!.simulation.now < freshUntil) return then(true)
            if (kind === "no single flight") return compute(replica, then)
            if (kind === "stale while revalidate" && hasValue) {
              if (!flights.has(replica.index)) shared(replica, () => {})
              return then(true)
            }
            shared(replica, then)
          })
        )
      }
      world = World.make({
        databaseCores: 4,
        replicas,
        seed,
        work: () => ({ cpu: 0.2, instead: read })
      })
      const redis = new Redis(world.simulation, 0.2)
      world.clients.openLoop(() => 300 * replicas, end)
      world.simulation.runUntil(end + 3000)
      events += world.simulation.events
      const all = world.recorder.between(5000, end)
      return { figures: { ...figures(world, all), loads }, name: kind }
    })
    const loads = (name: (typeof kinds)[number]) => of(rows, name, "loads")
    return {
      claims: [
        claim(
          "single flight: at most one load per process and expiry",
          loads("single flight per process") <= 7 * replicas &&
            loads("stale while revalidate") <= 7 * replicas
        ),
        claim(
          "without it, at least 10 times as many",
          loads("no single flight") > 10 * loads("single flight per process")
        ),
        claim(
          "only stale while revalidate keeps p99 below 10 ms",
          of(rows, "stale while revalidate", "p99 ms") < 10 &&
            of(rows, "single flight per process", "p99 ms") > 50
        )
      ],
      events,
      rows
    }
  }
}
