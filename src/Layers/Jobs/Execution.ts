/** Runs one claimed run to its end: span, log, timeout, metrics, and the record of its end. */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as CauseText from "../../Plugin/CauseText.ts"
import type * as Contribution from "../../Plugin/Contribution.ts"
import * as Metering from "../../Plugin/Metering.ts"
import { Warning } from "../../Plugin/Warning.ts"
import type { Description } from "./Job.ts"
import { JobStoreError } from "./JobsErrors.ts"
import * as OwnFiber from "./OwnFiber.ts"
import type { Ending, Run, RunStore } from "./RunStore.ts"

/** A job of a running app. */
export type BoundJob = Contribution.Contributed<Description, Effect.Effect<unknown, unknown>>

/** What an execution knows of its run. */
export type Started = Pick<Run, "attempt" | "dueAt" | "id" | "trigger">

/** The most characters of an error that are kept. */
const mostError = 2000

const lost = new JobStoreError({
  cause: "another process has taken the run over",
  operation: "transaction"
})

/** Creates the function that runs a run. `isStopping`: the process drains. */
export const make = ({
  context,
  isShared,
  isStopping,
  now: clock,
  stop,
  store
}: {
  readonly context: Context.Context<never>
  readonly isShared: boolean
  readonly isStopping: () => boolean
  /** The time by which jobs are due. */
  readonly now: Effect.Effect<number>
  /** Ends when the process drains. */
  readonly stop: Effect.Effect<void>
  readonly store: RunStore
}) => {
  const counter = Metering.counter(context, "flange.jobs.runs", "Runs of jobs that have ended")
  const duration = Metering.duration(context, "flange.jobs.duration", "How long runs of jobs take")
  const lateness = Metering.duration(
    context,
    "flange.jobs.lateness",
    "How long after their due time runs of jobs start"
  )

  const newSeries = (job: string) => ({
    cancelled: counter({ job, outcome: "cancelled" }),
    duration: duration({ job }),
    failed: counter({ job, outcome: "failed" }),
    lateness: lateness({ job }),
    released: counter({ job, outcome: "released" }),
    succeeded: counter({ job, outcome: "succeeded" })
  })
  const made = new Map<string, ReturnType<typeof newSeries>>()
  /** The series of a job. */
  const seriesOf = (job: string) => {
    const series = made.get(job) ?? newSeries(job)
    made.set(job, series)
    return series
  }

  const unrecorded = new Warning()
  const record = (id: string, ending: Ending) =>
    store.end(id, ending).pipe(
      Effect.tapCause((cause) =>
        unrecorded.log("The end of a run is not recorded yet. It is tried again", cause)
      ),
      Effect.retry({ schedule: Schedule.spaced("500 millis"), while: () => !isStopping() }),
      Effect.catch((error) =>
        Effect.as(Effect.logWarning("The end of a run was not recorded", error), false)
      )
    )

  return ({ data, name, value }: BoundJob, { attempt, dueAt, id, trigger }: Started) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const isDelayed = data.jitter > 0 && trigger === "schedule"
        if (isDelayed) {
          const share = yield* Random.next
          yield* Effect.exit(restore(Effect.raceFirst(Effect.sleep(share * data.jitter), stop)))
        }
        const isTooLate = isDelayed && isStopping()
        const began = yield* clock
        if (trigger === "schedule" && !isTooLate) seriesOf(name).lateness((began - dueAt) / 1000)
        const own = OwnFiber.run(value)
        const limited =
          data.timeout === undefined
            ? own
            : Effect.timeoutOrElse(own, {
                duration: data.timeout,
                orElse: () =>
                  Effect.fail(new Cause.TimeoutError(`Not done within ${data.timeout} ms`))
              })
        const succeed = Effect.flatMap(clock, (now) =>
          store.end(id, { error: undefined, now, status: "succeeded" })
        )
        const isTransaction = data.transaction && store.transaction !== undefined
        const work: Effect.Effect<unknown, unknown> =
          data.transaction && store.transaction !== undefined
            ? store.transaction(
                Effect.andThen(
                  limited,
                  Effect.filterOrFail(
                    succeed,
                    (isOwn) => isOwn,
                    () => lost
                  )
                )
              )
            : limited
        const exit = yield* Effect.exit(
          restore(
            Effect.withSpan(
              Effect.suspend(() => (isTooLate ? Effect.interrupt : work)),
              `job ${name}`,
              {
                attributes: {
                  "flange.job.attempt": attempt,
                  "flange.job.due_at": new Date(dueAt).toISOString(),
                  "flange.job.name": name,
                  "flange.job.run_id": id,
                  "flange.job.trigger": trigger
                },
                root: true
              }
            )
          )
        )
        const now = yield* clock
        const isInterrupted = Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)
        const status = Exit.isSuccess(exit)
          ? "succeeded"
          : isTooLate || (isInterrupted && isStopping() && isShared)
            ? "released"
            : "failed"
        const error = Exit.isSuccess(exit)
          ? undefined
          : isInterrupted
            ? "interrupted"
            : CauseText.storable(CauseText.of(exit.cause), mostError)
        const isOwn =
          isTransaction && status === "succeeded" ? true : yield* record(id, { error, now, status })
        seriesOf(name)[isOwn ? status : "cancelled"]()
        seriesOf(name).duration((now - began) / 1000)
        if (!isOwn) {
          yield* Effect.logWarning(
            `Job ${name} was cancelled: a newer run, or another process, has its place`
          )
        } else if (Exit.isSuccess(exit)) {
          yield* Effect.logInfo(`Job ${name} succeeded`)
        } else if (status === "released") {
          yield* Effect.logInfo(
            `Job ${name} ${isTooLate ? "did not begin before" : "was interrupted by"} the stop of its process.${isShared ? " Another one runs it" : ""}`
          )
        } else {
          yield* Effect.logError(`Job ${name} failed`, exit.cause)
        }
        yield* Effect.ignore(store.prune(name, now))
      })
    ).pipe(Effect.annotateLogs({ job: name, runId: id }))
}
