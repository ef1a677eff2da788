/** The messages between the supervisor and its workers. */
import type * as Metric from "effect/Metric"
import type { Part } from "../../../Plugin/MetricTotals.ts"
import type { WorkerStatus } from "../../../Plugin/Worker.ts"

/** The variable of a worker: its number and the number of workers, as in `2/4`. */
export const variable = "FLANGE_WORKER"

export type Snapshots = ReadonlyArray<Metric.Metric.Snapshot>

/** A message of a worker. */
export type FromWorker =
  /** It wants the metrics of all workers. */
  | { readonly flange: "collect"; readonly id: number }
  /** To answer with the same message: all that the supervisor has sent before has come by then. */
  | { readonly flange: "echo"; readonly id: number }
  /** Its metrics: `id` is that of the question, or undefined for the last ones before its end. */
  | { readonly flange: "metrics"; readonly id: number | undefined; readonly metrics: Snapshots }
  /** Its app has started and serves. */
  | { readonly flange: "ready" }
  /** A plugin wants the whole app to stop. */
  | { readonly flange: "shutdown" }

/** A message of the supervisor. */
export type ToWorker =
  /** The metrics for which it asked with this id. */
  | { readonly flange: "collected"; readonly id: number; readonly parts: ReadonlyArray<Part> }
  /** The answer to its message with this id. */
  | { readonly flange: "echo"; readonly id: number }
  /** To stop at once. */
  | { readonly flange: "halt" }
  /** A line for the log of the app. */
  | { readonly flange: "log"; readonly isWarning: boolean; readonly text: string }
  /** A question for its metrics. */
  | { readonly flange: "metrics"; readonly id: number }
  /** To drain, release and exit. */
  | { readonly flange: "stop" }
  /** The state of all workers has changed. */
  | { readonly flange: "workers"; readonly workers: ReadonlyArray<WorkerStatus> }

/** Checks whether a message is one of these. Code of the app may send others. */
export const isMessage = (message: unknown): message is { readonly flange: string } =>
  typeof message === "object" &&
  message !== null &&
  "flange" in message &&
  typeof message.flange === "string"
