/**
 * The engine: `PersistedQueueStore` of `effect/persistence` over a store of this battery. `PersistedQueue.make`
 * and `DurableQueue` of `effect/workflow` run on it.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { PersistedQueueError, PersistedQueueStore } from "effect/persistence/PersistedQueue"
import * as Scope from "effect/Scope"
import * as Envelope from "./Envelope.ts"
import * as Failure from "./Failure.ts"
import { type Held, Line, type Times } from "./Line.ts"
import * as Outcomes from "./Outcomes.ts"
import type { QueueStoreError, Store } from "./QueueStore.ts"

/** How failed attempts of a queue are tried again. */
export interface Retrying {
  readonly maxAttempts: number
  /** Returns the delay after an attempt, which is counted from 1. */
  readonly retryDelay: (attempts: number) => Effect.Effect<Duration.Duration>
}

/** The engine of a process. */
export interface Engine {
  /** Returns the line of a queue, and begins to claim its items when one is taken. */
  readonly line: (queue: string, maxAttempts: number) => Effect.Effect<Line>
  readonly persisted: PersistedQueueStore["Service"]
  /** Settles the claim of an item with the exit of its attempt. Logs that it is dead if it cannot be decoded. */
  readonly settle: (
    line: Line,
    held: Held,
    exit: Exit.Exit<unknown, unknown>,
    retrying: Retrying
  ) => Effect.Effect<void>
  /** Stops claiming items of all queues, and releases those that no worker has begun. */
  readonly stop: Effect.Effect<void>
}

/** The delay after a schedule that throws. */
const fallback = Duration.minutes(1)

const failed = (cause: QueueStoreError) =>
  new PersistedQueueError({ cause, message: cause.message })

/** Creates the engine. It claims nothing before something is taken from a queue. */
export const make = (store: Store, times: Times): Effect.Effect<Engine, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const lines = new Map<string, Line>()
    let isStopped = false

    const lineOf: Engine["line"] = (name, maxAttempts) =>
      Effect.suspend(() => {
        const found = lines.get(name)
        const line = found ?? new Line(name, store, times)
        line.maxAttempts = maxAttempts
        if (found !== undefined) return Effect.succeed(found)
        lines.set(name, line)
        if (isStopped) return Effect.as(line.stop, line)
        return Effect.as(Effect.forkIn(line.run, scope), line)
      })

    const stop = Effect.suspend(() => {
      isStopped = true
      return Effect.forEach([...lines.values()], (line) => line.stop, {
        concurrency: "unbounded",
        discard: true
      })
    })
    yield* Effect.addFinalizer(() => stop)
    yield* store.onWake((queue) => {
      if (queue === undefined) for (const line of lines.values()) line.wake()
      else lines.get(queue)?.wake()
    })
    yield* Effect.sleep(Math.max(1, times.lease / 3)).pipe(
      Effect.andThen(
        Effect.suspend(() =>
          Effect.forEach([...lines.values()], (line) => line.renew, {
            concurrency: "unbounded",
            discard: true
          })
        )
      ),
      Effect.forever,
      Effect.forkScoped
    )

    const settle: Engine["settle"] = (line, held, exit, { maxAttempts, retryDelay }) => {
      const { attempts, id } = held.claimed
      const decision = Outcomes.decide(held.exit(exit), attempts, maxAttempts)
      if (decision._tag === "Completed" || decision._tag === "Released") {
        return line.settle(held, decision)
      }
      const failure = Failure.encode(decision.failure)
      if (decision._tag === "Dead") {
        const settled = line.settle(held, { _tag: "Dead", failure })
        if (decision.failure.kind !== "undecodable") return settled
        return Effect.logError(
          `An item of the queue "${line.name}" cannot be decoded. It is dead`,
          decision.failure.message
        ).pipe(Effect.annotateLogs({ itemId: id, queue: line.name }), Effect.andThen(settled))
      }
      return retryDelay(attempts).pipe(
        Effect.catchCause((cause) =>
          Effect.as(
            Effect.logError(
              `The schedule \`retry\` of the queue "${line.name}" failed. The item is tried again after a minute`,
              cause
            ),
            fallback
          )
        ),
        Effect.flatMap((delay) => {
          // A schedule may return an infinite delay, which no store can add to a time.
          const millis = Math.min(Duration.toMillis(delay), maxDelay)
          return line.settle(held, { _tag: "Retry", delay: Math.max(0, millis), failure })
        })
      )
    }

    const take = (
      line: Line,
      retrying: Retrying
    ): ReturnType<PersistedQueueStore["Service"]["take"]> =>
      Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(restore(line.take), (held) => {
          const { attempts, element, id } = held.claimed
          const parsed = Envelope.parse(element)
          if (parsed._tag === "Failure") {
            const exit = Exit.fail(Outcomes.undecodable(parsed.cause))
            return Effect.andThen(settle(line, held, exit, retrying), restore(take(line, retrying)))
          }
          // `Effect.addFinalizer` would copy all services of the fiber for each item.
          return Effect.flatMap(Effect.scope, (own) =>
            Effect.as(
              Scope.addFinalizerExit(own, (exit) => settle(line, held, exit, retrying)),
              { attempts, element: parsed.value, id }
            )
          )
        })
      )

    const persisted = PersistedQueueStore.of({
      cleanup: ({ failedTimeToLive, timeToLive }) =>
        store
          .cleanup({
            completed: Duration.toMillis(timeToLive),
            dead:
              failedTimeToLive === undefined ? maxDelay * 100 : Duration.toMillis(failedTimeToLive)
          })
          .pipe(
            Effect.mapError(failed),
            Effect.repeat({ while: (isMore) => isMore }),
            Effect.asVoid
          ),
      offer: ({ delay, element, id, isCustomId, name }) =>
        store
          .offer(name, [
            {
              delay: delay === undefined ? 0 : Math.min(Duration.toMillis(delay), maxDelay),
              element: JSON.stringify(element),
              id,
              keep: isCustomId,
              priority: 0,
              tenant: ""
            }
          ])
          .pipe(Effect.mapError(failed), Effect.asVoid),
      take: (options) =>
        Effect.flatMap(lineOf(options.name, options.maxAttempts), (line) => take(line, options))
    })

    return { line: lineOf, persisted, settle, stop }
  })

/** The longest delay, in milliseconds: ten years. */
export const maxDelay = 315_360_000_000
