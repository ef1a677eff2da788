/**
 * Starts jobs when they are due. With a shared store, the scheduler of each process wakes at each due time,
 * and the claim of the store lets one of them run it: there is no leader that would have to be replaced.
 */
import { randomUUID } from "node:crypto"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as DueTimes from "./DueTimes.ts"
import * as Execution from "./Execution.ts"
import type { Description } from "./Job.ts"
import type { JobStoreError } from "./JobsErrors.ts"
import { lease, renewal, type Run, type RunStore } from "./RunStore.ts"

/** A due time that is older, in milliseconds, counts as missed. */
const grace = 5000

/** The longest sleep, in milliseconds, after which a step of the clock is noticed. */
const longestSleep = 10_000

/** Milliseconds until a store that failed is asked again. */
const retryPause = 500

/** Milliseconds between two looks for runs of processes that went away. */
const takeOverPause = 1000

/** The running runs of this process, and the loops that start them. */
export interface Scheduler {
  /** Stops starting runs, waits for those that run, and interrupts them when it is interrupted. */
  readonly drain: Effect.Effect<void>
  /** Starts a claimed run. */
  readonly start: (
    job: Execution.BoundJob,
    run: Execution.Started
  ) => Effect.Effect<Fiber.Fiber<void>>
  /** Starts the loops of the jobs. */
  readonly startLoops: (jobs: ReadonlyArray<Execution.BoundJob>) => Effect.Effect<void>
}

/** Returns the due times until now that run, oldest first. Those from `onTimeFrom` on are not missed. */
export const select = (
  { missed, missedLimit, schedule }: Description,
  cursor: number,
  now: number,
  onTimeFrom: number
): ReadonlyArray<number> => {
  const dues = DueTimes.between(schedule, cursor, now, missedLimit + grace / 100)
  const isOnTime = (due: number) => due >= Math.min(now - grace, onTimeFrom)
  const onTime = dues.filter(isOnTime)
  const late = dues.filter((due) => !isOnTime(due))
  if (missed === "all") return [...late.slice(-missedLimit), ...onTime]
  return missed === "once" && onTime.length === 0 ? late.slice(-1) : onTime
}

/** Creates the scheduler of a process. `isShared`: other processes use the same store. */
export const make = (
  store: RunStore,
  isShared: boolean
): Effect.Effect<Scheduler, never, Scope.Scope> =>
  Effect.gen(function* () {
    const context = yield* Effect.context<never>()
    const scope = yield* Effect.scope
    const running = new Map<string, { readonly fiber: Fiber.Fiber<void>; readonly job: string }>()
    const loops: Array<Fiber.Fiber<unknown, unknown>> = []
    let stopping = false
    const execute = Execution.make({ context, isShared, isStopping: () => stopping, store })

    const start: Scheduler["start"] = (job, run) =>
      Effect.map(Effect.forkIn(execute(job, run), scope), (fiber) => {
        running.set(run.id, { fiber, job: job.name })
        fiber.addObserver(() => running.delete(run.id))
        return fiber
      })

    const own = (job: string) => [...running.values()].filter((each) => each.job === job)

    /** Starts the run of a due time, as soon as its overlap policy lets it. */
    const startDue = (
      job: Execution.BoundJob,
      dueAt: number,
      overlap: Description["overlap"]
    ): Effect.Effect<boolean, JobStoreError> =>
      Effect.gen(function* () {
        const before = own(job.name)
        const id = randomUUID()
        const now = yield* Clock.currentTimeMillis
        const run = { attempt: 1, dueAt, id, trigger: "schedule" } as const
        const claim = yield* store.claim({ ...run, job: job.name, now, overlap })
        if (claim === "taken") return false
        if (claim === "busy") {
          if (overlap === "skip") {
            yield* Effect.logWarning(`Job ${job.name} is skipped: another run of it runs`).pipe(
              Effect.annotateLogs({ job: job.name, runId: id })
            )
            return false
          }
          yield* isShared
            ? Effect.sleep(100)
            : Effect.forEach(before, ({ fiber }) => Fiber.await(fiber), { discard: true })
          yield* startDue(job, dueAt, overlap)
          return true
        }
        // With `cancel`, the store has ended them.
        for (const { fiber } of before) fiber.interruptUnsafe()
        yield* start(job, run)
        return false
      })

    const loop = (job: Execution.BoundJob) => {
      const { data, name } = job
      let cursor: number | undefined
      let onTimeFrom = Number.POSITIVE_INFINITY
      const round = Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        cursor ??= (yield* store.lastDue(name)) ?? now
        const dues = select(data, cursor, now, onTimeFrom)
        if (dues.length === 0) {
          onTimeFrom = Number.POSITIVE_INFINITY
          // Those that were missed and do not run.
          cursor = Math.max(cursor, DueTimes.between(data.schedule, cursor, now, 1)[0] ?? cursor)
          const due = DueTimes.next(data.schedule, Math.max(cursor, now))
          return yield* Effect.sleep(Math.min(due - now, longestSleep))
        }
        for (const due of dues) {
          // Several that are due at the same time run one after the other, so none is skipped.
          const overlap = dues.length > 1 && data.overlap === "skip" ? "queue" : data.overlap
          const from = yield* Clock.currentTimeMillis
          const hasWaited = yield* startDue(job, due, overlap)
          if (hasWaited || dues.length > 1) onTimeFrom = Math.min(onTimeFrom, from)
          cursor = due
        }
      })
      const guarded = Effect.catchCauseIf(
        round,
        (cause) => !Cause.hasInterruptsOnly(cause),
        (cause) =>
          Effect.andThen(
            Effect.logWarning(`Job ${name} waits for its store`, cause),
            Effect.sleep(retryPause)
          )
      )
      return Effect.forever(guarded)
    }

    const renew = Effect.gen(function* () {
      const ids = [...running.keys()]
      const kept = yield* store.renew(ids)
      for (const id of ids) if (!kept.includes(id)) running.get(id)?.fiber.interruptUnsafe()
    })

    /** Since when the store has answered without a failure. */
    let answersSince: number | undefined
    const takeOver = (jobs: ReadonlyArray<Execution.BoundJob>) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        // After an outage the processes that are alive need time to renew their leases.
        const isExpired = answersSince !== undefined && now - answersSince >= lease
        const names = jobs.map(({ name }) => name)
        const runs: ReadonlyArray<Run> = yield* Effect.onError(
          store.takeOver(names, isExpired),
          () =>
            Effect.sync(() => {
              answersSince = undefined
            })
        )
        answersSince ??= now
        for (const run of runs) {
          const job = jobs.find(({ name }) => name === run.job)
          if (job !== undefined) yield* start(job, run)
        }
      })

    const regularly = (pause: number, work: Effect.Effect<unknown, unknown>) =>
      Effect.forever(Effect.andThen(Effect.ignoreCause(work), Effect.sleep(pause)))

    if (isShared) yield* Effect.forkScoped(regularly(renewal, renew))

    const interruptAll = Effect.suspend(() =>
      Fiber.interruptAll([...running.values()].map(({ fiber }) => fiber))
    )

    return {
      drain: Effect.suspend(() => {
        stopping = true
        return Fiber.interruptAll(loops)
      }).pipe(
        Effect.andThen(
          Effect.suspend(() =>
            Effect.forEach([...running.values()], ({ fiber }) => Fiber.await(fiber), {
              discard: true
            })
          )
        ),
        Effect.onInterrupt(() => interruptAll)
      ),
      start,
      startLoops: (jobs) =>
        Effect.gen(function* () {
          for (const job of jobs) loops.push(yield* Effect.forkIn(loop(job), scope))
          if (isShared && jobs.length > 0) {
            loops.push(yield* Effect.forkIn(regularly(takeOverPause, takeOver(jobs)), scope))
          }
        })
    }
  })
