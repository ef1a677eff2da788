/** Gathers the metrics of all workers for the one that is asked for them. */
import * as MetricTotals from "../../../Plugin/MetricTotals.ts"
import type { Child } from "./Child.ts"
import type { FromWorker, Snapshots } from "./Messages.ts"

/** How long a worker may take to answer, in milliseconds. */
const patience = 1000

/** The most series that are kept of the workers that have ended. Callers can choose attributes. */
const maxEnded = 20_000

/** One question of a worker for the metrics of all. */
interface Question {
  readonly answered: Set<Child>
  readonly asker: Child
  /** The id by which the asker knows it. */
  readonly id: number
  readonly timer: NodeJS.Timeout
  readonly waiting: Set<Child>
}

/**
 * The totals never fall below what a worker has seen: they contain what the workers that have ended had
 * counted when they were last asked, or when they left.
 */
export class Collector {
  #ended: Snapshots = []
  readonly #isServing: (child: Child) => boolean
  readonly #last = new Map<Child, Snapshots>()
  #next = 0
  readonly #own: () => Snapshots
  readonly #questions = new Map<number, Question>()

  /** `isServing` checks whether a worker has not been replaced. `own` are the supervisor's metrics. */
  constructor(isServing: (child: Child) => boolean, own: () => Snapshots) {
    this.#isServing = isServing
    this.#own = own
  }

  /** Adds a worker that can be asked. */
  add(child: Child): void {
    this.#last.set(child, [])
  }

  onMessage(child: Child, message: FromWorker): void {
    if (message.flange === "collect") this.#ask(child, message.id)
    else if (message.flange === "metrics" && this.#last.has(child)) {
      this.#last.set(child, message.metrics)
      if (message.id !== undefined) this.#settle(message.id, child, true)
    }
  }

  /** Removes a worker that has ended, and keeps what it had counted. */
  remove(child: Child): void {
    const metrics = this.#last.get(child)
    if (metrics === undefined) return
    this.#last.delete(child)
    this.#ended = MetricTotals.merge([
      { metrics: this.#ended, worker: undefined },
      { metrics, worker: undefined }
    ]).slice(0, maxEnded)
    for (const id of this.#questions.keys()) this.#settle(id, child, false)
  }

  #ask(asker: Child, id: number): void {
    const own = this.#next++
    const waiting = new Set(this.#last.keys())
    const timer = setTimeout(() => this.#answer(own), patience)
    this.#questions.set(own, { answered: new Set(), asker, id, timer, waiting })
    for (const child of waiting) child.send({ flange: "metrics", id: own })
    if (waiting.size === 0) this.#answer(own)
  }

  #answer(own: number): void {
    const question = this.#questions.get(own)
    if (question === undefined) return
    const { answered, asker, id, timer } = question
    clearTimeout(timer)
    this.#questions.delete(own)
    const parts = [...this.#last].map(([child, metrics]) => ({
      metrics,
      worker: answered.has(child) && this.#isServing(child) ? child.number : undefined
    }))
    asker.send({
      flange: "collected",
      id,
      parts: [
        ...parts,
        { metrics: this.#ended, worker: undefined },
        { metrics: this.#own(), worker: undefined }
      ]
    })
  }

  #settle(own: number, child: Child, isAnswer: boolean): void {
    const question = this.#questions.get(own)
    if (question === undefined || !question.waiting.delete(child)) return
    if (isAnswer) question.answered.add(child)
    if (question.waiting.size === 0) this.#answer(own)
  }
}
