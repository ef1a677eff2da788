// The database is away for five seconds, at 80% load. Clients repeat what fails. Without a limit of
// repetitions the load after the outage stays above what the replicas bear.
import type { Retry } from "../model/Clients.ts"
import * as World from "../model/World.ts"
import { claim, figures, of, type Scenario } from "../Scenario.ts"

const from = 10_000
const outage = 5000
const end = 40_000

const policies: Readonly<Record<string, Retry>> = {
  "no retries": { attempts: 1, backoff: 0, budget: 0, jitter: false },
  "5 attempts": { attempts: 5, backoff: 100, budget: Infinity, jitter: false },
  "5 attempts, budget 10%": { attempts: 5, backoff: 100, budget: 0.1, jitter: true }
}

export const retries: Scenario = {
  about: "an outage of the database for 5 s at 80% load; clients give up an attempt after 500 ms",
  name: "retries",
  run: ({ replicas = 3, seed }) => {
    let events = 0
    const rows = Object.entries(policies).flatMap(([name, retry]) =>
      [true, false].map((isOn) => {
        const world = World.make({
          clients: { retry, timeout: 500 },
          // The database is away for every replica: a balancer that then has none left changes nothing.
          replica: { checksDatabase: false, overload: isOn, queryTimeout: 1000 },
          replicas,
          seed,
          work: () => ({ after: 1, cpu: 1, query: { cpu: 0.2 } })
        })
        const { clients, database, recorder, simulation } = world
        clients.openLoop(() => (0.8 * replicas * 1000) / 2, end)
        simulation.at(from, () => (database.isUp = false))
        simulation.at(from + outage, () => (database.isUp = true))
        simulation.runUntil(end + 2000)
        events += simulation.events
        const { attempts } = clients
        const after = recorder.between(from + outage, end)
        return {
          figures: {
            ...figures(world, after),
            "attempts per request": attempts / recorder.between(0, end).offered / (end / 1000),
            "recovers after, s": recorder.recovery(from + outage, end, 500)
          },
          name: `${name}, ${isOn ? "with" : "without"} Overload`
        }
      })
    )
    const recovery = (name: string) =>
      rows.find((row) => row.name === name)!.figures["recovers after, s"]
    return {
      claims: [
        claim(
          "with 5 attempts and neither budget nor Overload, the service does not recover in 25 s",
          recovery("5 attempts, without Overload") === undefined
        ),
        claim(
          "with a budget it recovers within 3 s, with Overload and without",
          [true, false].every(
            (isOn) =>
              (recovery(`5 attempts, budget 10%, ${isOn ? "with" : "without"} Overload`) ??
                Infinity) <= 3
          )
        ),
        claim(
          "with 5 attempts, Overload alone serves more than the service without it",
          of(rows, "5 attempts, with Overload", "goodput/s") >
            of(rows, "5 attempts, without Overload", "goodput/s")
        )
      ],
      events,
      rows
    }
  }
}
