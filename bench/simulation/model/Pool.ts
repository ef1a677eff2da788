/** The pool of connections that a process has to the database. */
import type { Database } from "./Database.ts"
import { Queue, type Simulation } from "./Simulation.ts"

export type Acquired = "acquired" | "refused" | "timeout"

interface Waiter {
  isOver: boolean
  readonly resume: (result: Acquired) => void
}

/** Opens connections when they are needed, up to `max`; the first to wait is the first to get one. */
export class Pool {
  readonly #acquireTimeout: number
  readonly #database: Database
  #idle = 0
  readonly #max: number
  #open = 0
  #isClosed = false
  readonly #simulation: Simulation
  readonly #waiting = new Queue<Waiter>()

  constructor(simulation: Simulation, database: Database, max: number, acquireTimeout: number) {
    this.#acquireTimeout = acquireTimeout
    this.#database = database
    this.#max = max
    this.#simulation = simulation
  }

  acquire(then: (result: Acquired) => void): void {
    if (this.#idle > 0) {
      this.#idle--
      return then("acquired")
    }
    if (this.#open < this.#max) {
      if (!this.#database.connect()) return then("refused")
      this.#open++
      return then("acquired")
    }
    const waiter: Waiter = { isOver: false, resume: then }
    this.#waiting.push(waiter)
    this.#simulation.after(this.#acquireTimeout, () => {
      if (waiter.isOver) return
      waiter.isOver = true
      then("timeout")
    })
  }

  release(): void {
    for (;;) {
      const next = this.#waiting.shift()
      if (next === undefined) break
      if (next.isOver) continue
      next.isOver = true
      return next.resume("acquired")
    }
    if (this.#isClosed) this.#disconnect()
    else this.#idle++
  }

  /** Closes what is idle now, and the others once they are released. */
  close(): void {
    this.#isClosed = true
    for (; this.#idle > 0; this.#idle--) this.#disconnect()
  }

  #disconnect(): void {
    this.#open--
    this.#database.disconnect()
  }
}
