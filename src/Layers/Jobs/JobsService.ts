/** The methods of the service `Jobs`, and the health of the jobs. */
import { randomUUID } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { AppRuntimeShape } from "../../Plugin/AppRuntime.ts"
import * as HealthCheck from "../../Plugin/HealthCheck.ts"
import * as DueTimes from "./DueTimes.ts"
import type { BoundJob } from "./Execution.ts"
import * as Job from "./Job.ts"
import type { JobsShape } from "./Jobs.ts"
import { JobBusy, JobStoreError, JobUnknown } from "./JobsErrors.ts"
import type { RunStore } from "./RunStore.ts"
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
    const now = yield* Clock.currentTimeMillis
    const jobs = runtime.contributions(Job.kind).toSorted((a, b) => (a.name < b.name ? -1 : 1))
    return yield* Effect.forEach(jobs, ({ data, name, plugin }) =>
      Effect.map(store.history(name, 1), ([last]) => ({
        last,
        name,
        next: DueTimes.next(data.schedule, now),
        plugin,
        schedule: data.schedule.text
      }))
    )
  }),
  runNow: (name) =>
    Effect.gen(function* () {
      const job = yield* find(runtime, name)
      const id = randomUUID()
      const now = yield* Clock.currentTimeMillis
      const run = { attempt: 1, dueAt: now, id, trigger: "manual" } as const
      const claim = yield* store.claim({ ...run, job: name, now, overlap: job.data.overlap })
      if (claim !== "claimed") return yield* new JobBusy({ job: name })
      yield* Fiber.await(yield* scheduler.start(job, run))
      const ended = (yield* store.history(name, 1000)).find((each) => each.id === id)
      return (
        ended ??
        (yield* new JobStoreError({ cause: "the run is not in the history", operation: "runNow" }))
      )
    })
})

const problemOf = (store: RunStore, startedAt: number, { data, name }: BoundJob) =>
  Effect.gen(function* () {
    const runs = yield* store.history(name, 10)
    const ended = runs.filter(({ status }) => status === "failed" || status === "succeeded")
    if (
      ended.length >= failures &&
      ended.slice(0, failures).every((run) => run.status === "failed")
    ) {
      return [`${name} failed ${failures} times in a row`]
    }
    const due = DueTimes.next(data.schedule, (yield* store.lastDue(name)) ?? startedAt)
    return due < (yield* Clock.currentTimeMillis) - tooLate
      ? [`${name} was due at ${new Date(due).toISOString()} and has not started`]
      : []
  })

/** The check of all jobs: degraded if one fails again and again, or does not start in time. */
export const health = (runtime: AppRuntimeShape, store: RunStore) =>
  Effect.map(
    Effect.forEach(runtime.contributions(Job.kind), (job) =>
      problemOf(store, runtime.startedAt, job)
    ),
    (problems) =>
      problems.flat().length === 0 ? undefined : HealthCheck.degraded(problems.flat().join("; "))
  )
