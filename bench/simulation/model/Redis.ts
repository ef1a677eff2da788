/** Redis: one thread, which runs commands one after the other. */
import type { Simulation } from "./Simulation.ts"

export class Redis {
  commands = 0
  /** When the thread will have run all commands that were sent. */
  #freeAt = 0
  readonly #latency: number
  readonly #simulation: Simulation

  constructor(simulation: Simulation, latency: number) {
    this.#latency = latency
    this.#simulation = simulation
  }

  /** Runs a command that takes so long on the thread. */
  run(millis: number, then: () => void): void {
    this.commands++
    const start = Math.max(this.#simulation.now + this.#latency, this.#freeAt)
    this.#freeAt = start + millis
    this.#simulation.at(this.#freeAt + this.#latency, then)
  }
}
