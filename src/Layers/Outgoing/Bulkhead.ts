/** The bound of the attempts to one upstream that run and wait at the same time. */
import * as Effect from "effect/Effect"

/** One attempt in a bulkhead. */
interface Ticket {
  /** Ends the attempt, or its wait. Calling it again has no effect. */
  readonly leave: () => void
  /** Succeeds when the attempt may run. */
  readonly turn: Effect.Effect<void>
}

/** Bounds how many attempts run at the same time, and how many wait for their turn. */
export class Bulkhead {
  readonly #maxRunning: number
  readonly #maxWaiting: number
  #running = 0
  /** The attempts that wait, in their order. */
  readonly #waiting = new Set<() => void>()

  constructor(maxRunning: number, maxWaiting: number) {
    this.#maxRunning = maxRunning
    this.#maxWaiting = maxWaiting
  }

  /** How many attempts run now. */
  get running(): number {
    return this.#running
  }

  /** How many attempts wait now. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** Returns the ticket of a new attempt; undefined if too many run and wait. */
  enter(): Ticket | undefined {
    if (this.#running < this.#maxRunning) {
      this.#running++
      return { leave: this.#leaveOnce(), turn: Effect.void }
    }
    if (this.#waiting.size >= this.#maxWaiting) return undefined
    let resume: (() => void) | undefined
    let isRunning = false
    const start = () => {
      isRunning = true
      resume?.()
    }
    this.#waiting.add(start)
    const leaveRunning = this.#leaveOnce()
    return {
      leave: () => {
        if (isRunning) leaveRunning()
        else this.#waiting.delete(start)
      },
      turn: Effect.callback<void>((done) => {
        if (isRunning) done(Effect.void)
        else resume = () => done(Effect.void)
      })
    }
  }

  #leaveOnce(): () => void {
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      const [next] = this.#waiting
      if (next === undefined) {
        this.#running--
        return
      }
      // The place goes to the next attempt.
      this.#waiting.delete(next)
      next()
    }
  }
}
