/** The service `Jobs`: the jobs of the app, their history, and run now. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { JobBusy, JobStoreError, JobUnknown } from "./JobsErrors.ts"
import type { Run } from "./RunStore.ts"

/** A job of the app, with its last run. */
export interface JobStatus {
  /** The run that started last, in any process; undefined before the first one. */
  readonly last: Run | undefined
  readonly name: string
  /** The next due time, in Unix milliseconds. */
  readonly next: number
  readonly plugin: string
  /** Its schedule, such as `every 1m` or `0 6 * * 1 Europe/Berlin`. */
  readonly schedule: string
}

/** The methods of `Jobs`. */
export interface JobsShape {
  /** Returns the last runs of a job, newest first. Default: 20. */
  readonly history: (
    name: string,
    limit?: number
  ) => Effect.Effect<ReadonlyArray<Run>, JobStoreError | JobUnknown>
  /** Returns all jobs by name. */
  readonly list: Effect.Effect<ReadonlyArray<JobStatus>, JobStoreError>
  /**
   * Runs a job now, in this process whatever its role, and waits for its end. A failure of the job is in the
   * run that it returns. Fails with `JobBusy` if a run of the job runs and its overlap policy is not
   * `cancel`.
   */
  readonly runNow: (name: string) => Effect.Effect<Run, JobBusy | JobStoreError | JobUnknown>
}

/** The jobs of the app. `Jobs.plugin` and `Jobs.withCluster` provide it. */
export class Jobs extends Context.Service<Jobs, JobsShape>()("flange/Jobs") {}
