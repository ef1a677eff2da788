/** Clients: how requests arrive, how long they are waited for, and how they are repeated. */
import type { Random } from "./Random.ts"
import type { Recorder } from "./Recorder.ts"
import type { Outcome, Work } from "./Replica.ts"
import type { Simulation } from "./Simulation.ts"

export interface Retry {
  /** How often a request is sent at most. */
  readonly attempts: number
  /** Milliseconds before the second attempt; the wait doubles with each one. */
  readonly backoff: number
  /** Repeated requests, as a share of the first ones. Infinity is no budget. */
  readonly budget: number
  /** Whether the wait is a random part of `backoff`. */
  readonly jitter: boolean
}

export const once: Retry = { attempts: 1, backoff: 0, budget: 0, jitter: false }

export interface Options {
  readonly retry: Retry
  /** Milliseconds after which an attempt is given up. The server goes on with it. */
  readonly timeout: number
}

export class Clients {
  /** Attempts that were sent. */
  attempts = 0
  readonly #options: Options
  readonly #random: Random
  readonly #recorder: Recorder
  readonly #send: (work: Work, reply: (outcome: Outcome) => void) => void
  readonly #simulation: Simulation
  #tokens = 10
  readonly #work: (random: Random) => Work

  constructor(
    simulation: Simulation,
    random: Random,
    recorder: Recorder,
    send: (work: Work, reply: (outcome: Outcome) => void) => void,
    work: (random: Random) => Work,
    options: Options
  ) {
    this.#options = options
    this.#random = random
    this.#recorder = recorder
    this.#send = send
    this.#simulation = simulation
    this.#work = work
  }

  /** Sends requests at these rates (per second), whether earlier ones are answered or not. */
  openLoop(rate: (now: number) => number, until: number): void {
    const next = () => {
      const wait = this.#random.exponential(1000 / rate(this.#simulation.now))
      if (this.#simulation.now + wait > until) return
      this.#simulation.after(wait, () => {
        this.request(() => {})
        next()
      })
    }
    next()
  }

  /** Users of whom each sends the next request when it has the reply and has thought. */
  closedLoop(users: number, think: number, until: number): void {
    const user = () => {
      if (this.#simulation.now >= until) return
      this.request(() => {
        if (think === 0) user()
        else this.#simulation.after(this.#random.exponential(think), user)
      })
    }
    for (let i = 0; i < users; i++) this.#simulation.after(this.#random.next() * (think + 1), user)
  }

  /** Sends one request, and repeats it as the options allow. */
  request(then: () => void): void {
    const { retry } = this.#options
    const since = this.#simulation.now
    this.#tokens = Math.min(100, this.#tokens + retry.budget)
    const attempt = (count: number) => {
      this.#attempt((outcome) => {
        const mayRepeat = outcome !== "ok" && count < retry.attempts
        if (mayRepeat && (retry.budget === Infinity || this.#tokens >= 1)) {
          if (retry.budget !== Infinity) this.#tokens--
          const most = retry.backoff * 2 ** (count - 1)
          const wait = retry.jitter ? this.#random.next() * most : most
          this.#simulation.after(wait, () => attempt(count + 1))
          return
        }
        this.#recorder.record(since, this.#simulation.now, outcome)
        then()
      })
    }
    attempt(1)
  }

  #attempt(then: (outcome: Outcome) => void): void {
    this.attempts++
    let isOver = false
    const end = (outcome: Outcome) => {
      if (isOver) return
      isOver = true
      timer.run = undefined
      then(outcome)
    }
    const timer = this.#simulation.after(this.#options.timeout, () => end("failed"))
    this.#send(this.#work(this.#random), end)
  }
}
