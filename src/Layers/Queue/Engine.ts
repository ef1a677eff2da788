/**
 * The engine: `PersistedQueueStore` of `effect/persistence` over a store of this battery. `PersistedQueue.make`
 * and `DurableQueue` of `effect/workflow` run on it.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { PersistedQueueError, PersistedQueueStore } from "effect/persistence/PersistedQueue"
import * as Scope from "effect/Scope"
import * as Failure from "./Failure.ts"
import { type Held, Line, type Times } from "./Line.ts"
import * as Outcomes from "./Outcomes.ts"
import type { QueueStoreError, Store } from "./QueueStore.ts"

/** The engine of a process. */
export interface Engine {
  /** Returns the claim of an item that a worker of this process has. */
  readonly held: (queue: string, id: string) => Held | undefined
  readonly persisted: PersistedQueueStore["Service"]
  /** Stops to claim items of all queues, and releases those that no worker has begun. */
  readonly stop: Effect.Effect<void>
  /** Records how long a handler took, in milliseconds: quick ones get their items in advance. */
  readonly took: (queue: string, millis: number) => void
}

/** The delay after a schedule that throws. */
const fallback = Duration.minutes(1)

const failed = (cause: QueueStoreError) =>
  new PersistedQueueError({ cause, message: cause.message })

/** Logs that an item is dead which no handler has got. */
const undecodable = (queue: string, itemId: string, failure: string): Effect.Effect<void> =>
  Effect.annotateLogs(
    Effect.logError(
      `An item of the queue "${queue}" cannot be decoded. It is dead`,
      Failure.decode(failure).message
    ),
    { itemId, queue }
  )

const parse = (text: string): { readonly value: unknown } | undefined => {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

/** Creates the engine. It claims nothing before something is taken from a queue. */
export const make = (store: Store, times: Times): Effect.Effect<Engine, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const lines = new Map<string, Line>()
    let isStopped = false

    const lineOf = (name: string): Effect.Effect<Line> =>
      Effect.suspend(() => {
        const found = lines.get(name)
        if (found !== undefined) return Effect.succeed(found)
        const line = new Line(name, store, times)
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

    type TakeOptions = Parameters<PersistedQueueStore["Service"]["take"]>[0]

    const settle = (line: Line, held: Held, options: TakeOptions) => {
      const end = (exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> => {
        const { claimed } = held
        const decision = Outcomes.decide(
          held.ended === undefined ? exit : Exit.fail(held.ended),
          claimed.attempts,
          options.maxAttempts
        )
        if (decision._tag === "Dead" && Outcomes.isUndecodable(exit)) {
          return Effect.andThen(
            undecodable(line.name, claimed.id, decision.failure),
            line.settle(held, decision)
          )
        }
        if (decision._tag !== "Retry") return line.settle(held, decision)
        return options.retryDelay(claimed.attempts).pipe(
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
            return line.settle(held, { ...decision, delay: Math.max(0, millis) })
          })
        )
      }
      // `Effect.addFinalizer` would copy all services of the fiber for each item.
      return Effect.flatMap(Effect.scope, (own) => Scope.addFinalizerExit(own, end))
    }

    const take = (line: Line, options: TakeOptions): ReturnType<typeof persisted.take> =>
      Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(restore(line.take), (held) => {
          const { claimed } = held
          const parsed = parse(claimed.element)
          if (parsed === undefined) {
            const failure = Failure.encode({
              kind: "undecodable",
              message: "The stored text of the item is not JSON"
            })
            return undecodable(line.name, claimed.id, failure).pipe(
              Effect.andThen(line.settle(held, { _tag: "Dead", failure })),
              Effect.andThen(restore(take(line, options)))
            )
          }
          const { attempts, id } = claimed
          return Effect.as(settle(line, held, options), { attempts, element: parsed.value, id })
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
        Effect.flatMap(lineOf(options.name), (line) => {
          line.maxAttempts = options.maxAttempts
          return take(line, options)
        })
    })

    return {
      held: (queue, id) => lines.get(queue)?.held(id),
      persisted,
      stop,
      took: (queue, millis) => lines.get(queue)?.took(millis)
    }
  })

/** The longest delay, in milliseconds: ten years. */
export const maxDelay = 315_360_000_000
