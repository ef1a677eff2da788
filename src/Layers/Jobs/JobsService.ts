/** The methods of the service `Jobs`, and the health of the jobs. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { AppRuntimeShape } from "../../Plugin/AppRuntime.ts"
import * as HealthCheck from "../../Plugin/HealthCheck.ts"
import * as DueTimes from "./DueTimes.ts"
import type { BoundJob } from "./Execution.ts"
import * as Job from "./Job.ts"
import type { JobsShape } from "./Jobs.ts"
import { JobBusy, JobStoreError, JobUnknown } from "./JobsErrors.ts"
import type { Run, RunStore } from "./RunStore.ts"
import type { Scheduler } from "./Scheduler.ts"

/** How many failures in a row make the app degraded. */
const failures = 3

/** After how many milliseconds a job that did not start at its due time makes the app degraded. */
const tooLate = 60_000

const find = (runtime: AppRuntimeShape, job: string) =>
  Effect.suspend(() => {
    const jobs = runtime.contributions(Job.kind)
    const found = jobs.find(({ name }) => name === job)
    return found === undefined
      ? Effect.fail(new JobUnknown({ job, jobs: jobs.map(({ name }) => name) }))
      : Effect.succeed(found)
  })

/** Creates the service. */
export const make = (
  runtime: AppRuntimeShape,
  store: RunStore,
  scheduler: Scheduler
): JobsShape => ({
  history: (name, limit = 20) =>
    Effect.andThen(
      find(runtime, name),
      store.history(name, Math.min(1000, Math.max(1, Math.trunc(limit) || 1)))
    ),
  list: Effect.gen(function* () {
    const now = yield* scheduler.now
    const jobs = runtime.contributions(Job.kind).toSorted((a, b) => (a.name < b.name ? -1 : 1))
    const runs = yield* recent(store, jobs, 1)
    return jobs.map(({ data, name, plugin }) => ({
      last: runs.get(name)?.[0],
      name,
      next: DueTimes.next(data.schedule, now),
      plugin,
      schedule: data.schedule.text
    }))
  }),
  runNow: (name) =>
    Effect.gen(function* () {
      const started = yield* scheduler.startNow(yield* find(runtime, name))
      if (started === undefined) return yield* new JobBusy({ job: name })
      yield* Fiber.await(started.fiber)
      const ended = (yield* store.history(name, 1000)).find(({ id }) => id === started.id)
      return (
        ended ??
        (yield* new JobStoreError({ cause: "the run is not in the history", operation: "runNow" }))
      )
    })
})

/** Returns the last runs of each job, newest first. */
const recent = (store: RunStore, jobs: ReadonlyArray<BoundJob>, limit: number) =>
  Effect.map(
    store.recent(
      jobs.map(({ name }) => name),
      limit
    ),
    (runs) => Map.groupBy(runs, ({ job }) => job)
  )

const failing = ({ name }: BoundJob, runs: ReadonlyArray<Run>): ReadonlyArray<string> => {
  const ended = runs.filter(({ status }) => status === "failed" || status === "succeeded")
  return ended.length >= failures &&
    ended.slice(0, failures).every((run) => run.status === "failed")
    ? [`${name} failed ${failures} times in a row`]
    : []
}

/** `last` is the newest due time that has run, if there is one. */
const late = (
  { data, name }: BoundJob,
  last: number | undefined,
  startedAt: number,
  now: number
): ReadonlyArray<string> => {
  if (last !== undefined && last > now + tooLate) {
    return [
      `${name} has run for ${new Date(last).toISOString()}, a time to come, and waits until then: a clock was wrong`
    ]
  }
  const due = DueTimes.next(data.schedule, last ?? startedAt)
  return due < now - tooLate
    ? [`${name} was due at ${new Date(due).toISOString()} and has not started`]
    : []
}

/** How many runs of each job the check reads. */
const read = 10

/**
 * The check of all jobs: degraded if one fails again and again, or does not start in time. `isScheduled`: the store
 * has the runs of a process that starts them.
 */
export const health = (
  runtime: AppRuntimeShape,
  store: RunStore,
  scheduler: Scheduler,
  isScheduled: boolean
) =>
  Effect.gen(function* () {
    const jobs = runtime.contributions(Job.kind)
    const all = yield* recent(store, jobs, read)
    const now = yield* scheduler.now
    const problems: Array<string> = []
    for (const job of jobs) {
      const runs = all.get(job.name) ?? []
      const found = failing(job, runs)
      if (found.length === 0 && isScheduled) {
        const last = runs.find(({ trigger }) => trigger === "schedule")?.dueAt
        // All that were read may be runs of `runNow`.
        const isKnown = last !== undefined || runs.length < read
        const newest = isKnown ? last : yield* store.lastDue(job.name)
        problems.push(...late(job, newest, runtime.startedAt, now))
      }
      problems.push(...found)
    }
    return problems.length === 0 ? undefined : HealthCheck.degraded(problems.join("; "))
  })
