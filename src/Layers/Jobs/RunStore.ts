/** Where runs are kept. A store lets each due time of a job run once. */
import type * as Effect from "effect/Effect"
import type { JobStoreError } from "./JobsErrors.ts"

/**
 * - `cancelled`: a newer run took its place
 * - `failed`: its effect failed, died or exceeded its timeout
 * - `released`: the process stopped before its end; another one runs it again
 * - `skipped`: another run of the job was running when it was due
 */
export type RunStatus = "cancelled" | "failed" | "released" | "running" | "skipped" | "succeeded"

/** A run of a job. Times are Unix milliseconds. */
export interface Run {
  /** 1, and one more each time another process has taken it over. */
  readonly attempt: number
  readonly dueAt: number
  readonly endedAt: number | undefined
  /** Why it failed. */
  readonly error: string | undefined
  readonly id: string
  readonly job: string
  /** The process that runs it, or ran it last. */
  readonly owner: string
  readonly startedAt: number
  readonly status: RunStatus
  /** `manual` for a run of `runNow`. */
  readonly trigger: "manual" | "schedule"
}

/** A run that a process wants to start. */
export interface Wanted {
  readonly dueAt: number
  readonly id: string
  /** Whether a due time may be later than the clock of the store: the process has the clock of a test. */
  readonly isEarlyAllowed: boolean
  readonly job: string
  readonly now: number
  readonly overlap: "cancel" | "queue" | "skip"
  readonly trigger: Run["trigger"]
}

/**
 * - `busy`: another run of the job runs; with `skip`, the due time is recorded as skipped
 * - `claimed`: the run is this process's
 * - `early`: it is not due by the clock of the store
 * - `taken`: this due time or a later one was claimed before
 */
export type Claim = "busy" | "claimed" | "early" | "taken"

/** The end of a run. */
export interface Ending {
  readonly error: string | undefined
  readonly now: number
  readonly status: "failed" | "released" | "succeeded"
}

/** Keeps runs. All of a process belong to its `owner`. */
export interface RunStore {
  readonly claim: (wanted: Wanted) => Effect.Effect<Claim, JobStoreError>
  /** Ends a run. Returns whether it was still this process's. To end it twice is to end it once. */
  readonly end: (id: string, ending: Ending) => Effect.Effect<boolean, JobStoreError>
  readonly history: (job: string, limit: number) => Effect.Effect<ReadonlyArray<Run>, JobStoreError>
  /** Returns the newest due time of the schedule that was claimed. */
  readonly lastDue: (job: string) => Effect.Effect<number | undefined, JobStoreError>
  /** Removes old runs, and never the newest of a job. */
  readonly prune: (job: string, now: number) => Effect.Effect<void, JobStoreError>
  /** Removes runs of jobs that the app does not have any more, when they are old. */
  readonly pruneOthers: (
    jobs: ReadonlyArray<string>,
    now: number
  ) => Effect.Effect<void, JobStoreError>
  /** Returns the last runs of each of these jobs by their due time, newest first. */
  readonly recent: (
    jobs: ReadonlyArray<string>,
    limit: number
  ) => Effect.Effect<ReadonlyArray<Run>, JobStoreError>
  /** Renews the leases of the runs. Returns the ids of those that are still this process's. */
  readonly renew: (
    ids: ReadonlyArray<string>
  ) => Effect.Effect<ReadonlyArray<string>, JobStoreError>
  /**
   * Takes over runs of other processes that released them and, with `isExpired`, runs whose lease has ended.
   * These may be this process's, if it did not get the answer to a claim; `running` are those it knows of.
   */
  readonly takeOver: (
    jobs: ReadonlyArray<string>,
    isExpired: boolean,
    running: ReadonlyArray<string>
  ) => Effect.Effect<ReadonlyArray<Run>, JobStoreError>
  /** Returns the time of the store in Unix milliseconds. `undefined` if it is that of the process. */
  readonly time: Effect.Effect<number, JobStoreError> | undefined
  /** Commits an effect and the end of its run together. `undefined` without a database. */
  readonly transaction:
    | (<A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | JobStoreError, R>)
    | undefined
}

/** How long a run of a killed process stays its own, in milliseconds. It is renewed each two seconds. */
export const lease = 8000

/** Milliseconds between two renewals. */
export const renewal = 2000

/** How much history a job has. */
export interface Keep {
  readonly age: number
  readonly count: number
}
