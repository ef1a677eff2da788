/** Processor cores, which processes share, and the event loop of a Node process. */
import { Queue, type Simulation } from "./Simulation.ts"

/** The cores of a machine. Who finds none free waits in line. */
export class Cores {
  /** Milliseconds of all cores in which they computed. */
  busy = 0
  #free: number
  readonly #simulation: Simulation
  readonly #waiting = new Queue<() => void>()

  constructor(simulation: Simulation, count: number) {
    this.#simulation = simulation
    this.#free = count
  }

  acquire(run: () => void): void {
    if (this.#free === 0) return this.#waiting.push(run)
    this.#free--
    run()
  }

  release(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free++
    else next()
  }

  /** Computes so long on one core, then continues. */
  compute(millis: number, then: () => void): void {
    this.acquire(() => {
      this.busy += millis
      this.#simulation.after(millis, () => {
        this.release()
        then()
      })
    })
  }
}

/**
 * The event loop of a process: one task at a time, in the order of their arrival. While a task computes,
 * the clock of the loop moves on, and what arrives meanwhile waits.
 */
export class Loop {
  readonly #cores: Cores
  #clock = 0
  #isRunning = false
  readonly #simulation: Simulation
  /** How many times as long as usual everything takes here. */
  slowness = 1
  readonly #tasks = new Queue<() => void>()
  #isBusy = false

  constructor(simulation: Simulation, cores: Cores) {
    this.#cores = cores
    this.#simulation = simulation
  }

  /** The time as code in this process reads it. */
  get now(): number {
    return this.#isRunning ? this.#clock : this.#simulation.now
  }

  /** Computes, in a task. */
  compute(millis: number): void {
    this.#clock += millis * this.slowness
  }

  /** Adds a task, from outside of the process. */
  post(task: () => void): void {
    this.#tasks.push(task)
    if (this.#isBusy) return
    this.#isBusy = true
    this.#cores.acquire(this.#run)
  }

  /** Adds a task, from a task: at once it is `setImmediate`, so what has arrived until then comes first. */
  after(millis: number, task: () => void): void {
    this.#simulation.at(this.now + millis, () => this.post(task))
  }

  readonly #run = (): void => {
    const start = this.#simulation.now
    const task = this.#tasks.shift()!
    this.#clock = start
    this.#isRunning = true
    task()
    this.#isRunning = false
    this.#cores.busy += this.#clock - start
    this.#simulation.at(this.#clock, this.#end)
  }

  readonly #end = (): void => {
    this.#cores.release()
    if (this.#tasks.size === 0) this.#isBusy = false
    else this.#cores.acquire(this.#run)
  }
}
