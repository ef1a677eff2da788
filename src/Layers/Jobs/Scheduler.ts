/**
 * Starts jobs when they are due. With a shared store, the scheduler of each process wakes at each due time,
 * and the claim of the store lets one of them run it: there is no leader that would have to be replaced.
 */
import { randomUUID } from "node:crypto"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Background from "../../Plugin/Background.ts"
import * as MonotonicClock from "../../Plugin/MonotonicClock.ts"
import * as DueTimes from "./DueTimes.ts"
import * as Execution from "./Execution.ts"
import type { Description } from "./Job.ts"
import type { JobStoreError } from "./JobsErrors.ts"
import { type Claim, lease, renewal, type Run, type RunStore } from "./RunStore.ts"
import * as StoreClock from "./StoreClock.ts"

/** A due time that is older, in milliseconds, counts as missed. */
const grace = 5000

/** The longest sleep, in milliseconds, after which a step of the clock is noticed. */
const longestSleep = 10_000

/** Milliseconds until a store that failed is asked again. */
const retryPause = 500

/** The longest pause, in milliseconds, between two looks whether a queued run can start. */
const longestWait = 1000

/**
 * How many claims of a process are made at once. Many jobs are due at the full minute, and the requests of the
 * app need connections too.
 */
const claimsAtOnce = 4

/** The most due times, the newest, that wait for a run with the policy `queue`. */
const mostQueued = 10_000

/** Milliseconds between two looks for runs of processes that went away. */
const takeOverPause = 1000

/** A run that was started. */
export interface Started {
  readonly fiber: Fiber.Fiber<void>
  readonly id: string
}

/** The running runs of this process, and the loops that start them. */
export interface Scheduler {
  /** Stops starting runs, waits for those that run, and interrupts them when it is interrupted. */
  readonly drain: Effect.Effect<void>
  /** The time by which jobs are due. */
  readonly now: Effect.Effect<number>
  /** Starts the loops of the jobs. */
  readonly startLoops: (jobs: ReadonlyArray<Execution.BoundJob>) => Effect.Effect<void>
  /** Claims and starts a run that is not of the schedule. Its value is undefined if another run runs. */
  readonly startNow: (job: Execution.BoundJob) => Effect.Effect<Started | undefined, JobStoreError>
}

/**
 * Returns the due times until now that run, oldest first, without those that are handled. Those from `onTimeFrom`
 * on are not missed.
 */
export const select = (
  { missed, missedLimit, overlap, schedule }: Description,
  cursor: number,
  now: number,
  onTimeFrom: number,
  isHandled: (due: number) => boolean
): ReadonlyArray<number> => {
  const limit = Math.max(missedLimit + grace / 100, overlap === "queue" ? mostQueued : 0)
  const all = DueTimes.between(schedule, cursor, now, limit)
  const dues = all.filter((due) => !isHandled(due))
  const isOnTime = (due: number) => due >= Math.min(now - grace, onTimeFrom)
  const onTime = dues.filter(isOnTime)
  const late = dues.filter((due) => !isOnTime(due))
  if (missed === "all") return [...late.slice(-missedLimit), ...onTime]
  return missed === "once" && onTime.length === 0 ? late.slice(-1) : onTime
}

/** No due times that are found together. */
const none = { first: Number.NEGATIVE_INFINITY, until: Number.NEGATIVE_INFINITY }

/** Returns the policy of runs that are found together, the first of them or another one. */
const together = ({ missed, overlap }: Description, isFirst: boolean): Description["overlap"] =>
  overlap === "skip" || (missed === "all" && !isFirst) ? "queue" : overlap

/** Creates the scheduler of a process. `isShared`: other processes use the same store. */
export const make = (
  store: RunStore,
  isShared: boolean
): Effect.Effect<Scheduler, never, Scope.Scope> =>
  Effect.gen(function* () {
    const context = yield* Effect.context<never>()
    const scope = yield* Effect.scope
    const running = new Map<string, { readonly fiber: Fiber.Fiber<void>; readonly job: string }>()
    yield* Background.register(() => [...running.values()].map(({ job }) => `job "${job}"`))
    const loops: Array<Fiber.Fiber<unknown, unknown>> = []
    let stopping = false
    const stop = Latch.makeUnsafe(false)
    const clock = StoreClock.make(store)
    const { now: time } = clock
    const execute = Execution.make({
      context,
      isShared,
      isStopping: () => stopping,
      now: time,
      stop: stop.await,
      store
    })
    const claims = Semaphore.makeUnsafe(claimsAtOnce)

    const start = (job: Execution.BoundJob, run: Execution.Started) =>
      Effect.map(Effect.forkIn(execute(job, run), scope), (fiber): Started => {
        running.set(run.id, { fiber, job: job.name })
        fiber.addObserver(() => running.delete(run.id))
        return { fiber, id: run.id }
      })

    const own = (job: string) => [...running.values()].filter((each) => each.job === job)

    /** Claims a run and starts it. A claim that is interrupted is given back. */
    const claimAndStart = (
      job: Execution.BoundJob,
      dueAt: number,
      trigger: Run["trigger"],
      overlap: Description["overlap"]
    ): Effect.Effect<
      { readonly claim: Claim; readonly id: string; readonly started: Started | undefined },
      JobStoreError
    > =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          const before = own(job.name)
          const id = randomUUID()
          const run = { attempt: 1, dueAt, id, trigger } as const
          const [isReal, now] = [yield* clock.isReal, yield* time]
          const claim = yield* restore(
            claims.withPermits(1)(
              store.claim({ ...run, isEarlyAllowed: !isReal, job: job.name, now, overlap })
            )
          ).pipe(
            Effect.onInterrupt(() =>
              store
                .end(id, { error: undefined, now, status: "released" })
                .pipe(Effect.timeout("1 second"), Effect.ignore)
            )
          )
          if (claim !== "claimed") return { claim, id, started: undefined }
          // With `cancel`, the store has ended them.
          for (const { fiber } of before) fiber.interruptUnsafe()
          return { claim, id, started: yield* start(job, run) }
        })
      )

    /** Starts the run of a due time, as soon as its overlap policy lets it. */
    const startDue = (
      job: Execution.BoundJob,
      dueAt: number,
      overlap: Description["overlap"]
    ): Effect.Effect<"done" | "early" | "waited", JobStoreError> =>
      Effect.gen(function* () {
        for (let pause = 100; ; pause = Math.min(longestWait, pause * 1.5)) {
          const before = own(job.name)
          const { claim, id } = yield* claimAndStart(job, dueAt, "schedule", overlap)
          if (claim === "early") return "early"
          if (claim === "busy" && overlap === "skip") {
            yield* Effect.logWarning(`Job ${job.name} is skipped: another run of it runs`).pipe(
              Effect.annotateLogs({ job: job.name, runId: id })
            )
            // A run that never ends would let the history grow.
            yield* store.prune(job.name, yield* time)
          }
          if (claim !== "busy" || overlap === "skip") return pause === 100 ? "done" : "waited"
          yield* before.length === 0
            ? Effect.sleep(pause)
            : Effect.forEach(before, ({ fiber }) => Fiber.await(fiber), { discard: true })
        }
      })

    const loop = (job: Execution.BoundJob) => {
      const { data, name } = job
      let cursor: number | undefined
      let lookedAt = 0
      let onTimeFrom = Number.POSITIVE_INFINITY
      let found = none
      /** The time of the first round since which the store has failed. */
      let failingSince: number | undefined
      const handled = new DueTimes.Handled(data.schedule)
      const round = Effect.gen(function* () {
        const [now, monotonic] = [yield* time, yield* MonotonicClock.millis]
        cursor ??= (yield* store.lastDue(name)) ?? now
        // The clock was set back after the last look. A shared store refuses due times before the newest.
        if (!isShared && now < cursor) cursor = now - Math.ceil(monotonic - lookedAt)
        lookedAt = monotonic
        // What became due while the store was away is missed.
        if (failingSince !== undefined && monotonic - failingSince > grace) {
          onTimeFrom = Number.POSITIVE_INFINITY
        }
        const dues = select(data, cursor, now, onTimeFrom, (due) => handled.has(due))
        if (dues.length === 0) {
          onTimeFrom = Number.POSITIVE_INFINITY
          found = none
          // Those that were missed and do not run.
          cursor = Math.max(cursor, DueTimes.between(data.schedule, cursor, now, 1)[0] ?? cursor)
          const due = DueTimes.next(data.schedule, Math.max(cursor, now))
          return yield* Effect.sleep(Math.min(due - now, longestSleep))
        }
        // Several that are found together run one after the other. Those that become due meanwhile have their policy.
        if (dues.length > 1 && onTimeFrom === Number.POSITIVE_INFINITY) {
          found = { first: dues[0]!, until: now }
        }
        for (const due of dues) {
          const overlap = due <= found.until ? together(data, due === found.first) : data.overlap
          const from = yield* time
          const outcome = yield* startDue(job, due, overlap)
          if (outcome === "early") {
            yield* clock.measure
            return yield* Effect.sleep(retryPause)
          }
          if (outcome === "waited" || dues.length > 1) onTimeFrom = Math.min(onTimeFrom, from)
          cursor = due
          if (!isShared) handled.add(due)
        }
        failingSince = undefined
      })
      const guarded = Effect.catchCauseIf(
        round,
        (cause) => !Cause.hasInterruptsOnly(cause),
        (cause) => {
          failingSince ??= lookedAt
          return Effect.andThen(
            Effect.logWarning(`Job ${name} waits for its store`, cause),
            Effect.sleep(retryPause)
          )
        }
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
        const now = yield* time
        // After an outage the processes that are alive need time to renew their leases.
        const isExpired = answersSince !== undefined && now - answersSince >= lease
        const names = jobs.map(({ name }) => name)
        const runs: ReadonlyArray<Run> = yield* Effect.onError(
          Effect.andThen(
            clock.measure,
            Effect.suspend(() => store.takeOver(names, isExpired, [...running.keys()]))
          ),
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
        stop.openUnsafe()
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
      now: time,
      startLoops: (jobs) =>
        Effect.gen(function* () {
          yield* Effect.ignore(clock.measure)
          if (jobs.length > 0) {
            const prune = Effect.flatMap(time, (now) =>
              store.pruneOthers(
                jobs.map(({ name }) => name),
                now
              )
            )
            loops.push(yield* Effect.forkIn(Effect.ignore(prune), scope))
          }
          for (const job of jobs) loops.push(yield* Effect.forkIn(loop(job), scope))
          if (isShared && jobs.length > 0) {
            loops.push(yield* Effect.forkIn(regularly(takeOverPause, takeOver(jobs)), scope))
          }
        }),
      startNow: (job) =>
        Effect.flatMap(time, (now) =>
          Effect.map(claimAndStart(job, now, "manual", job.data.overlap), ({ started }) => started)
        )
    }
  })
