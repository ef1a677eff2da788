/** How many lines of the log were lost. */
import * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import * as Metering from "../../Plugin/Metering.ts"

/** Why a line was lost: its buffer was full, or it could not be written. */
export type Reason = "failed" | "full"

const metricOf = (reason: Reason) =>
  Metric.counter("flange.log.dropped", {
    attributes: { reason },
    description: "Lines of the log that were lost: the buffer was full, or a write failed",
    incremental: true
  })

/** Counts lost lines, and updates the metric once the registry of the app is known. */
export class Drops {
  readonly #counts: Record<Reason, number> = { failed: 0, full: 0 }
  readonly #metrics = { failed: metricOf("failed"), full: metricOf("full") }
  #services: Context.Context<never> | undefined

  add(reason: Reason, count: number): void {
    if (this.#services === undefined) this.#counts[reason] += count
    else this.#metrics[reason].updateUnsafe(count, this.#services)
  }

  /** Sets the services with the registry. If the app keeps metrics, both reasons are in them from now on. */
  connect(services: Context.Context<never>): void {
    if (!Metering.isMetered(services)) return
    this.#services = services
    this.add("failed", this.#counts.failed)
    this.add("full", this.#counts.full)
  }
}

/** The lost lines of an app. */
export const CurrentDrops: Context.Reference<Drops | undefined> = Context.Reference<
  Drops | undefined
>("flange/Logging/Drops", { defaultValue: () => undefined })
