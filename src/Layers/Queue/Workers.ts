/** Runs the workers of an app: takes items, calls handlers, and stops in order. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import type * as Scope from "effect/Scope"
import * as Background from "../../Plugin/Background.ts"
import * as CauseText from "../../Plugin/CauseText.ts"
import type * as Contribution from "../../Plugin/Contribution.ts"
import * as Metering from "../../Plugin/Metering.ts"
import { Deadlines } from "./Deadlines.ts"
import type { Engine, Retrying } from "./Engine.ts"
import type { Opened } from "./Envelope.ts"
import type { Held, Line } from "./Line.ts"
import * as Outcomes from "./Outcomes.ts"
import type { Definition, Handle } from "./Queue.ts"
import * as RetryDelay from "./RetryDelay.ts"
import * as Spans from "./Spans.ts"

/** A worker in a running app. */
export type Contributed = Contribution.Contributed<Definition, Handle>

/** The workers of a process. */
export interface WorkersShape {
  /**
   * Stops taking items and waits for the handlers that run. When it is interrupted, it interrupts them, and
   * their items are requeued.
   */
  readonly drain: Effect.Effect<void>
  /** Handles the items of the queue until the app drains. */
  readonly start: (worker: Contributed) => Effect.Effect<void>
}

/** Workers that a test runs itself. */
export interface Turns extends WorkersShape {
  /** Returns an effect that waits for one item of the queue and handles it. */
  readonly turns: (worker: Contributed) => Effect.Effect<Effect.Effect<void>>
}

/** The function that makes effects interruptible again. */
type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/** Runs the workers. The plugins of this battery provide it. */
export class Workers extends Context.Service<Workers, WorkersShape>()("flange/Queue/Workers") {}

/**
 * Returns an effect that waits until one more item may begin, or `undefined` if there is no limit. Times are
 * those of the monotonic clock: a step of the other one would stop the queue for as long.
 */
const pace = ({ rateLimit }: Definition): Effect.Effect<void> | undefined => {
  if (rateLimit === undefined) return undefined
  const { limit, per } = rateLimit
  /** When the last items began, or will begin. */
  const starts: Array<number> = []
  return Effect.flatMap(Clock.monotonicTimeNanos, (nanos) => {
    const now = Number(nanos / 1_000_000n)
    const first = starts.length < limit ? now : Math.max(now, starts.shift()! + per)
    starts.push(first)
    return first > now ? Effect.sleep(first - now) : Effect.void
  })
}

/** Creates the workers. They end with the scope. */
export const make = (engine: Engine): Effect.Effect<Turns, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const context = yield* Effect.context<never>()
    const attemptsOf = Metering.counter(
      context,
      "flange.queue.attempts",
      "Attempts of items by queue and outcome"
    )
    const durationOf = Metering.duration(
      context,
      "flange.queue.duration",
      "Durations of attempts by queue"
    )
    const waitOf = Metering.duration(
      context,
      "flange.queue.wait",
      "How long items have waited since they were due, by queue"
    )
    const fibers = new Set<Fiber.Fiber<unknown, unknown>>()
    /** How many handlers run, by queue. */
    const active = new Map<string, number>()
    yield* Background.register(() =>
      [...active].flatMap(([name, count]) =>
        count === 0 ? [] : [`queue "${name}" (${count} ${count === 1 ? "handler" : "handlers"})`]
      )
    )
    const idle = Latch.makeUnsafe(true)
    let running = 0

    /** Returns the effect that handles one item of a line. It needs the services of the handler. */
    const turnOf = ({ data, value: handler }: Contributed, line: Line) => {
      const { maxAttempts, name } = data
      const deadlines = new Deadlines(data.timeout, scope)
      const paced = pace(data)
      const retrying: Retrying = {
        maxAttempts,
        retryDelay: (attempt) => Effect.suspend(() => RetryDelay.after(data.retry, attempt))
      }
      const count = {
        completed: attemptsOf({ outcome: "completed", queue: name }),
        dead: attemptsOf({ outcome: "dead", queue: name }),
        failed: attemptsOf({ outcome: "failed", queue: name }),
        interrupted: attemptsOf({ outcome: "interrupted", queue: name })
      }
      const duration = durationOf({ queue: name })
      const wait = waitOf({ queue: name })

      /** Logs the failure of an attempt. */
      const logged = (held: Held, { failure: { kind, message } }: Outcomes.Attempted) => {
        const { attempts } = held.claimed
        const which = attempts >= maxAttempts ? `${attempts}, the last one,` : attempts
        const what = `Attempt ${which} of an item of the queue "${name}" ended with a ${kind === "lost" ? "lost lease" : kind}`
        if (attempts < maxAttempts) {
          return Effect.logWarning(`${what}. It is tried again`, message)
        }
        // The process that ends the lease logs the death.
        return kind === "lost"
          ? Effect.logWarning(what, message)
          : Effect.logError(`${what}. The item is dead`, message)
      }

      /** Returns what the log says of an attempt. */
      const annotations = ({ claimed: { attempts, id } }: Held) => ({
        attempt: attempts,
        itemId: id,
        queue: name
      })

      /** Measures an attempt that has ended, if its handler had begun. */
      const finish = (held: Held, exit: Exit.Exit<unknown, unknown>): void => {
        if (held.begunAt === undefined) return
        const millis = performance.now() - held.begunAt
        held.begunAt = undefined
        deadlines.remove(held)
        active.set(name, active.get(name)! - 1)
        if (--running === 0) idle.openUnsafe()
        duration(millis / 1000)
        line.took(millis)
        if (exit._tag === "Success") count.completed()
        else if (Cause.hasInterruptsOnly(exit.cause)) count.interrupted()
        else if (held.claimed.attempts >= maxAttempts) count.dead()
        else count.failed()
      }

      /** Runs the handler, and logs its failure. `restore` makes the handler interruptible. */
      const handled = (
        opened: Opened<unknown>,
        held: Held,
        fiber: Fiber.Fiber<unknown, unknown>,
        restore: Restore
      ): Effect.Effect<unknown, Outcomes.Attempted> => {
        const { attempts, id } = held.claimed
        const ended = Effect.flatMap(
          Effect.exit(restore(handler.run(opened, { attempts, id }))),
          (own) => {
            const exit = held.exit(own)
            return Exit.isSuccess(exit)
              ? exit
              : Effect.tapError(exit, (failure) => logged(held, failure))
          }
        )
        return opened.trace === undefined && !Spans.hasTracer(fiber)
          ? ended
          : Spans.within(`queue ${name} process`, {
              attributes: {
                "messaging.destination.name": name,
                "messaging.message.id": id,
                "messaging.operation.type": "process",
                "queue.attempt": attempts
              },
              kind: "consumer",
              // One trace has the request and its job: a link would leave the reader of one without the other.
              ...(opened.trace === undefined ? { root: true } : { parent: opened.trace })
            })(ended)
      }

      /** Handles an opened item within the time of the queue, and measures it. */
      const measured = (
        opened: Opened<unknown>,
        held: Held,
        fiber: Fiber.Fiber<unknown, unknown>,
        restore: Restore
      ): Effect.Effect<unknown, Outcomes.Attempted> => {
        const annotated = Effect.annotateLogs(handled(opened, held, fiber, restore), {
          ...annotations(held),
          ...(opened.requestId === undefined ? {} : { requestId: opened.requestId })
        })
        held.begunAt = performance.now()
        wait(held.claimed.age / 1000)
        running++
        active.set(name, (active.get(name) ?? 0) + 1)
        idle.closeUnsafe()
        const watch = deadlines.add(held, fiber.getRef(Clock.Clock))
        return Effect.onExit(
          watch === undefined ? annotated : Effect.andThen(watch, annotated),
          (exit) => {
            finish(held, exit)
            return Effect.void
          }
        )
      }

      /** Opens an item and handles it when the limit of the queue lets it begin. */
      const attempt = (held: Held, restore: Restore): Effect.Effect<unknown, Outcomes.Attempted> =>
        Effect.withFiber((fiber) => {
          held.fiber = fiber
          // The claim was lost before a fiber had it.
          if (held.ended !== undefined) return Exit.fail(held.ended)
          return Effect.matchCauseEffect(restore(data.open(held.claimed.element)), {
            onFailure: (cause) =>
              Cause.hasInterruptsOnly(cause)
                ? Effect.interrupt
                : Effect.fail(Outcomes.undecodable(cause)),
            onSuccess: (opened) =>
              paced === undefined
                ? measured(opened, held, fiber, restore)
                : // A claim that is lost in this wait is not begun: its fiber is interrupted.
                  Effect.flatMap(restore(paced), () => measured(opened, held, fiber, restore))
          })
        })

      const turn = Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(restore(line.take), (held) =>
          Effect.flatMap(Effect.exit(attempt(held, restore)), (exit) =>
            engine.settle(line, held, exit, retrying)
          )
        )
      )

      /** Settles the item of a fiber that met a value which is not an Effect: it ended without its finalizers. */
      const broken = (
        fiber: Fiber.Fiber<unknown, unknown>,
        cause: Cause.Cause<unknown>
      ): Effect.Effect<void> => {
        const held = line.heldBy(fiber)
        if (held === undefined) return Effect.void
        const failure =
          held.ended ?? new Outcomes.Attempted({ kind: "defect", message: CauseText.of(cause) })
        const exit = Exit.fail(failure)
        finish(held, exit)
        return Effect.uninterruptible(
          Effect.andThen(
            Effect.annotateLogs(logged(held, failure), annotations(held)),
            engine.settle(line, held, exit, retrying)
          )
        )
      }

      // A fiber of its own is interrupted to end an attempt.
      return Effect.flatMap(Effect.forkChild(turn, { startImmediately: true }), (fiber) =>
        Effect.flatMap(Fiber.await(fiber), (exit) =>
          exit._tag === "Success" ? Effect.void : broken(fiber, exit.cause)
        )
      )
    }

    /** Returns the effect that handles one item. */
    const turning = (contributed: Contributed): Effect.Effect<Effect.Effect<void>> =>
      Effect.map(engine.line(contributed.data.name, contributed.data.maxAttempts), (line) =>
        turnOf(contributed, line)
      )

    const end = Effect.suspend(() => Fiber.interruptAll(fibers))
    yield* Effect.addFinalizer(() => Effect.andThen(engine.stop, end))

    return {
      drain: engine.stop.pipe(
        Effect.andThen(idle.await),
        Effect.onInterrupt(() => end),
        Effect.andThen(end)
      ),
      start: (contributed) =>
        Effect.flatMap(turning(contributed), (turn) =>
          Effect.forEach(
            Array.from({ length: contributed.data.concurrency }),
            () =>
              Effect.map(Effect.forkIn(Effect.forever(turn), scope), (fiber) => {
                fibers.add(fiber)
              }),
            { discard: true }
          ).pipe(Effect.provideContext(contributed.value.services))
        ),
      turns: (contributed) =>
        Effect.map(turning(contributed), Effect.provideContext(contributed.value.services))
    }
  })
