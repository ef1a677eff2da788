/** A database: connections up to a limit, cores, and locks of rows. */
import type { Cores } from "./Cores.ts"
import { Queue, type Simulation } from "./Simulation.ts"

/** What a query needs. Times are in milliseconds. */
export interface Query {
  /** The time on a core of the database. */
  readonly cpu: number
  /** The row that it locks until it ends. */
  readonly row?: string
  /** The time in which it only waits, such as for a disk. */
  readonly wait?: number
}

export class Database {
  readonly cores: Cores
  connections = 0
  /** The most connections that were open at the same time. */
  peak = 0
  /** Connections that were refused: "too many clients already". */
  refused = 0
  /** Queries that have ended. */
  queries = 0
  isUp = true
  readonly #locks = new Map<string, Queue<() => void>>()
  readonly #max: number
  readonly #simulation: Simulation

  constructor(simulation: Simulation, cores: Cores, maxConnections: number) {
    this.cores = cores
    this.#max = maxConnections
    this.#simulation = simulation
  }

  connect(): boolean {
    if (!this.isUp || this.connections >= this.#max) {
      this.refused++
      return false
    }
    this.connections++
    this.peak = Math.max(this.peak, this.connections)
    return true
  }

  disconnect(): void {
    this.connections--
  }

  /** Runs a query; `then` is told whether it has succeeded. */
  run(query: Query, then: (isDone: boolean) => void): void {
    if (!this.isUp) return then(false)
    const work = (unlock: () => void) => {
      const compute = () =>
        this.cores.compute(query.cpu, () => {
          unlock()
          this.queries++
          then(this.isUp)
        })
      if (query.wait === undefined || query.wait === 0) compute()
      else this.#simulation.after(query.wait, compute)
    }
    if (query.row === undefined) work(() => {})
    else this.#lock(query.row, work)
  }

  #lock(row: string, work: (unlock: () => void) => void): void {
    const unlock = () => {
      const next = this.#locks.get(row)!.shift()
      if (next === undefined) this.#locks.delete(row)
      else next()
    }
    const waiting = this.#locks.get(row)
    if (waiting !== undefined) return waiting.push(() => work(unlock))
    this.#locks.set(row, new Queue())
    work(unlock)
  }
}
