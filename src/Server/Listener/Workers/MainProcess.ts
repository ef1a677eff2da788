/** The main program of a process, as far as workers change it. */
import * as Context from "effect/Context"

/** A process that `App.run` has started and that no supervisor has. */
export interface MainProcess {
  /** Called for SIGHUP, unless its terminal has ended. Undefined: it stops the program. */
  onHangup: (() => void) | undefined
  /** Called for a second signal; the process exits when it is done. */
  onUrgent: (() => Promise<unknown>) | undefined
  /** Stops the program, as SIGTERM does. */
  readonly stop: () => void
}

/**
 * The part that a process has in `server.workers`:
 *
 * - `alone`: it does not read the setting: tests, `flange dev`
 * - `main`: it becomes the supervisor if there are workers
 * - `refused`: something else started the app, and workers would start that too
 * - `worker`: it is a worker
 */
export type Part = "alone" | MainProcess | "refused" | "worker"

/** The part of this process. */
export const CurrentPart: Context.Reference<Part> = Context.Reference<Part>("flange/WorkersPart", {
  defaultValue: () => "alone"
})
