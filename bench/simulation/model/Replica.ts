/**
 * A process of Flange: its event loop, its limiter, its pool and its life from boot to drain. The limiter
 * is not a model: it is the gate of `flange/Overload` itself, on the clock of the loop.
 */
import { Concurrency, type Flight, RouteLatency } from "../../../src/Layers/Overload/Concurrency.ts"
import { Gate } from "../../../src/Layers/Overload/Gate.ts"
import { Waiting } from "../../../src/Layers/Overload/Waiting.ts"
import { type Cores, Loop } from "./Cores.ts"
import type { Database, Query } from "./Database.ts"
import { Pool } from "./Pool.ts"
import type { Simulation } from "./Simulation.ts"

/** How a request ended. `refused` is 503 of the limiter, `unreachable` a connection that failed. */
export type Outcome = "failed" | "ok" | "refused" | "unreachable"

/** The work of a request. Times are in milliseconds. */
export interface Work {
  /** The time on a core after the query. */
  readonly after?: number
  /** The time on a core before the query, and in all if there is none. */
  readonly cpu: number
  /** Called in the process instead of the query; `then` continues the request. */
  readonly instead?: (replica: Replica, then: (isDone: boolean) => void) => void
  readonly query?: Query
}

/** Times are in milliseconds. */
export interface Options {
  /** How long a query waits for a connection of the pool. */
  readonly acquireTimeout: number
  /** The time from the start of a process until it is ready. */
  readonly boot: number
  /** Whether /readyz is 503 while the database cannot be reached. */
  readonly checksDatabase: boolean
  readonly drainDelay: number
  readonly drainTimeout: number
  /** Whether it has `Overload.plugin`. */
  readonly overload: boolean
  /** The most connections of the pool. */
  readonly pool: number
  /** The time after which a query that got no answer fails. */
  readonly queryTimeout: number
  /** The time on a core in which the process refuses a request. */
  readonly refusal: number
}

export const defaults: Options = {
  acquireTimeout: 5000,
  boot: 2000,
  checksDatabase: true,
  drainDelay: 0,
  drainTimeout: 20_000,
  overload: true,
  pool: 32,
  queryTimeout: 5000,
  refusal: 0.05
}

export class Replica {
  readonly index: number
  readonly loop: Loop
  /** `draining`: /readyz is 503, and requests are served. `closing`: connections are refused. */
  state: "booting" | "closing" | "draining" | "ready" = "ready"
  /** Whether the database can be reached. */
  reachesDatabase = true
  inFlight = 0
  #concurrency = new Concurrency(8, 1000)
  readonly #database: Database
  #gate: Gate
  #isWatched = false
  #latency = new RouteLatency()
  readonly #options: Options
  #pool: Pool
  readonly #simulation: Simulation

  constructor(
    simulation: Simulation,
    cores: Cores,
    database: Database,
    options: Options,
    index: number
  ) {
    this.#database = database
    this.#options = options
    this.#simulation = simulation
    this.index = index
    this.loop = new Loop(simulation, cores)
    this.#gate = this.#newGate()
    this.#pool = this.#newPool()
  }

  get accepts(): boolean {
    return this.state === "ready" || this.state === "draining"
  }

  /** Whether /readyz answers 200. */
  get isReady(): boolean {
    if (this.state !== "ready") return false
    return !this.#options.checksDatabase || (this.reachesDatabase && this.#database.isUp)
  }

  serve(work: Work, reply: (outcome: Outcome) => void): void {
    if (!this.accepts) return reply("unreachable")
    this.inFlight++
    const end = (outcome: Outcome) => {
      this.inFlight--
      this.#simulation.at(this.loop.now, () => reply(outcome))
    }
    this.loop.post(() => this.#enter(work, end))
  }

  /** Stops as SIGTERM does, and boots again. `then` is called when it is ready. */
  restart(then: () => void): void {
    const { boot, drainDelay, drainTimeout } = this.#options
    this.state = "draining"
    this.#simulation.after(drainDelay, () => {
      this.state = "closing"
      const latest = this.#simulation.now + drainTimeout
      const stop = () => {
        if (this.inFlight > 0 && this.#simulation.now < latest) {
          this.#simulation.after(10, stop)
          return
        }
        this.#pool.close()
        this.state = "booting"
        this.#simulation.after(boot, () => {
          this.#concurrency = new Concurrency(8, 1000)
          this.#latency = new RouteLatency()
          this.#gate = this.#newGate()
          this.#pool = this.#newPool()
          this.state = "ready"
          then()
        })
      }
      stop()
    })
  }

  #newPool(): Pool {
    const { acquireTimeout, pool } = this.#options
    return new Pool(this.#simulation, this.#database, pool, acquireTimeout)
  }

  #newGate(): Gate {
    return new Gate({
      concurrency: this.#concurrency,
      defer: (then) => this.loop.after(0, then),
      maxQueue: 1000,
      maxWait: 1000,
      now: () => this.loop.now
    })
  }

  #enter(work: Work, end: (outcome: Outcome) => void): void {
    if (!this.#options.overload) return this.#handle(work, end)
    const gate = this.#gate
    const refuse = () => {
      this.loop.compute(this.#options.refusal)
      end("refused")
    }
    if (gate.isFull("normal")) {
      gate.refuse()
      return refuse()
    }
    const begin = () => {
      const concurrency = this.#concurrency
      const flight: Flight = concurrency.begin(this.#latency, this.loop.now)
      this.#handle(work, (outcome) => {
        concurrency.end(flight, this.loop.now, true)
        gate.advance()
        end(outcome)
      })
    }
    if (gate.tryEnter()) return begin()
    gate.wait(new Waiting((refused) => (refused === undefined ? begin() : refuse())), "normal")
    this.#watch(gate)
  }

  /** Looks at the requests that wait, as `Guarded` does. */
  #watch(gate: Gate): void {
    if (this.#isWatched) return
    this.#isWatched = true
    this.loop.after(Math.min(50, gate.patience), () => {
      gate.sweep()
      this.#isWatched = false
      if (gate.queued > 0) this.#watch(gate)
    })
  }

  #handle(work: Work, end: (outcome: Outcome) => void): void {
    this.loop.compute(work.cpu)
    const finish = (isDone: boolean) => {
      this.loop.compute(work.after ?? 0)
      end(isDone ? "ok" : "failed")
    }
    if (work.instead !== undefined) return work.instead(this, finish)
    if (work.query === undefined) return finish(true)
    this.query(work.query, finish)
  }

  /** Runs a query on a connection of the pool. Call it in a task of the loop; `then` runs in another one. */
  query(query: Query, then: (isDone: boolean) => void): void {
    const pool = this.#pool
    this.#simulation.at(this.loop.now, () => this.#acquire(pool, query, then))
  }

  #acquire(pool: Pool, query: Query, then: (isDone: boolean) => void): void {
    const resume = (isDone: boolean) => this.loop.post(() => then(isDone))
    pool.acquire((result) => {
      if (result !== "acquired") return resume(false)
      if (!this.reachesDatabase) {
        this.#simulation.after(this.#options.queryTimeout, () => {
          pool.release()
          resume(false)
        })
        return
      }
      this.#database.run(query, (isDone) => {
        // The connection is free once the process has read the reply.
        this.loop.post(() => {
          pool.release()
          then(isDone)
        })
      })
    })
  }
}
