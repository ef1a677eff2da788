/** The worker of `server.workers` that a process is, for the plugins of its app. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Metric from "effect/Metric"
import { AppConfig } from "./AppConfig.ts"

/** A worker, as its supervisor last reported it. */
export interface WorkerStatus {
  /** From 1 on. A worker that takes the place of another one has the same number. */
  readonly number: number
  readonly pid: number | undefined
  /** How often a crash was the reason to start it again. */
  readonly restarts: number
  /** `waiting` until the next attempt to start it. */
  readonly status: "serving" | "starting" | "waiting"
}

/** This worker, and what it knows of the others. */
export interface WorkerShape {
  /**
   * Waits until this worker has seen every connection that its supervisor had handed to it. After it has stopped to
   * listen, such connections go to other workers. A worker that ended before would leave them without an answer.
   */
  readonly handedOver: Effect.Effect<void>
  /**
   * The metrics of all workers: sums of counters and histograms, and the gauges of each worker with the
   * attribute `flange.worker`. A worker that does not answer within a second is counted as it answered
   * last.
   */
  readonly metrics: Effect.Effect<ReadonlyArray<Metric.Metric.Snapshot>>
  readonly number: number
  /** The number of workers. */
  readonly of: number
  /** Sets the function that reads the metrics of this worker. */
  readonly offerMetrics: (read: () => ReadonlyArray<Metric.Metric.Snapshot>) => void
  /** All workers by number. */
  readonly workers: () => ReadonlyArray<WorkerStatus>
}

/** This worker; undefined in a process without a supervisor. */
export const CurrentWorker: Context.Reference<WorkerShape | undefined> = Context.Reference<
  WorkerShape | undefined
>("flange/CurrentWorker", { defaultValue: () => undefined })

/** The number of processes that serve this app at the same time: `app.replicas` times `server.workers`. */
export const processes: Effect.Effect<number> = Effect.contextWith(
  (services: Context.Context<never>) => {
    // Every app has this section. A service of a battery that a test builds alone has none.
    const { replicas = 1 } = Context.getOrUndefined(services, AppConfig) ?? {}
    return Effect.succeed(replicas * (Context.get(services, CurrentWorker)?.of ?? 1))
  }
)

/** Logs a warning that `text` writes if several processes serve this app. */
export const warnIfSeveral = (text: (processes: number) => string): Effect.Effect<void> =>
  Effect.flatMap(processes, (count) => (count > 1 ? Effect.logWarning(text(count)) : Effect.void))
