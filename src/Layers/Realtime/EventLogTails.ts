/** The tails of the topics that have clients in this process. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import type { Backend, EventLogError } from "./EventLogBackend.ts"
import { Tail } from "./EventLogTail.ts"

/** How long a tail without clients stays open, in milliseconds: clients may be about to come back. */
const lingering = 30_000

/** The most tails without clients. A caller who chooses topics would fill the memory. */
const mostIdle = 1000

interface Open {
  /** When it was found to be idle, as a reading of the clock of `sweep`. */
  idleSince: number | undefined
  readonly opened: Deferred.Deferred<Tail, EventLogError>
  readonly scope: Scope.Closeable
  readonly tail: Tail
}

/** The tails of a process. */
export interface Tails {
  /** Returns the tail of a topic. */
  readonly open: (topic: string) => Effect.Effect<Tail, EventLogError>
  /** Closes tails that had no client for a while. `now` is in milliseconds. */
  readonly sweep: (now: number) => Effect.Effect<void>
}

/** Creates the tails. Closing the scope closes all of them. */
export const make = (backend: Backend): Effect.Effect<Tails, never, Scope.Scope> =>
  Effect.gen(function* () {
    const all = new Map<string, Open>()
    const scope = yield* Effect.scope
    const context = yield* Effect.context<never>()
    const fibers = new Set<Fiber.Fiber<unknown>>()
    yield* Effect.addFinalizer(() => Effect.suspend(() => Fiber.interruptAll(fibers)))

    const opening = ({ opened, scope, tail }: Open) =>
      Effect.andThen(tail.watched, tail.opened).pipe(
        Effect.andThen(Effect.forkScoped(tail.run)),
        Effect.provideService(Scope.Scope, scope),
        Effect.onExit((exit) => {
          if (Exit.isSuccess(exit)) {
            // Events that came while it was opened.
            tail.wake()
            return Effect.void
          }
          all.delete(tail.topic)
          return Scope.close(scope, exit)
        }),
        Effect.as(tail),
        Effect.exit,
        Effect.flatMap((exit) => Deferred.done(opened, exit))
      )

    const open = (topic: string): Effect.Effect<Tail, EventLogError> =>
      Effect.suspend(() => {
        const found = all.get(topic)
        if (found !== undefined) {
          found.idleSince = undefined
          return Deferred.await(found.opened)
        }
        const made: Open = {
          idleSince: undefined,
          opened: Deferred.makeUnsafe(),
          scope: Scope.forkUnsafe(scope),
          tail: new Tail(backend, topic)
        }
        all.set(topic, made)
        // Not in the transaction of the caller, and not interrupted with it.
        const fiber = Effect.runForkWith(context)(opening(made))
        fibers.add(fiber)
        fiber.addObserver(() => void fibers.delete(fiber))
        return Deferred.await(made.opened)
      })

    return {
      open,
      sweep: (now) =>
        Effect.suspend(() => {
          const open = [...all.values()]
          // The first of them are the oldest.
          let excess = open.filter(({ tail }) => tail.isIdle).length - mostIdle
          return Effect.forEach(
            open,
            (one) => {
              if (!one.tail.isIdle) one.idleSince = undefined
              else {
                one.idleSince ??= now
                if (excess-- > 0 || now - one.idleSince >= lingering) {
                  all.delete(one.tail.topic)
                  one.tail.isClosed = true
                  return Scope.close(one.scope, Exit.void)
                }
              }
              return Effect.void
            },
            { discard: true }
          )
        })
    }
  })
