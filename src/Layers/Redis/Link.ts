/** A connection that is opened again whenever it is lost. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { RedisError } from "effect/persistence/Redis"
import type * as Scope from "effect/Scope"
import type * as Outage from "./Outage.ts"
import { clock } from "./RealTime.ts"
import * as Session from "./Session.ts"

/** What happens to a link. */
export interface Events {
  /** Called when a connection is lost. */
  readonly onDown?: (reason: string) => void
  /** Called with each connection but the one that the link begins with. */
  readonly onUp?: (session: Session.Session) => void
}

/** A connection that is opened again whenever it is lost. */
export interface Link {
  /** Sends a command. It fails at once while there is no connection. */
  readonly send: <A>(args: ReadonlyArray<string>) => Effect.Effect<A, RedisError>
  /** Returns the connection, or undefined while there is none. */
  readonly session: () => Session.Session | undefined
}

/** The shortest and the longest wait before an attempt to connect, in milliseconds. */
const waits = { longest: 2000, shortest: 50 }

/** Returns the wait before the attempt with a number from 0. The replicas of an app wait differently. */
export const delayOf = (attempt: number): number => {
  const most = Math.min(waits.shortest * 2 ** attempt, waits.longest)
  return most * (0.5 + Math.random() / 2)
}

/**
 * Keeps a connection open until the scope closes. Without `first` the connection is opened in the
 * background. Attempts go on until one succeeds.
 */
export const make = (
  options: Session.Options,
  outage: Outage.Outage,
  events: Events,
  first?: Session.Session
): Effect.Effect<Link, never, Scope.Scope> =>
  Effect.gen(function* () {
    let attempt = 0
    let current = first
    let down = "it is not connected yet"

    /** Waits until the connection is lost. One that is lost soon counts as a failed attempt. */
    const lost = Effect.fnUntraced(function* (session: Session.Session) {
      const since = performance.now()
      down = yield* session.ended
      current = undefined
      if (performance.now() - since > waits.longest) attempt = 0
      events.onDown?.(down)
      yield* outage.lost(options, down)
      yield* Effect.sleep(delayOf(attempt++))
    })

    const open = Effect.uninterruptibleMask((restore) =>
      Effect.matchEffect(restore(Session.open(options)), {
        onFailure: ({ reason }) => {
          down = reason
          return Effect.andThen(
            outage.lost(options, reason),
            restore(Effect.sleep(delayOf(attempt++)))
          )
        },
        onSuccess: (session) => {
          current = session
          events.onUp?.(session)
          return outage.back(options)
        }
      })
    )

    yield* Effect.addFinalizer(() => {
      const last = current
      current = undefined
      down = "the app has stopped"
      return last === undefined ? Effect.void : last.close
    })
    yield* Effect.suspend(() => (current === undefined ? open : lost(current))).pipe(
      Effect.forever,
      Effect.provideService(Clock.Clock, clock),
      Effect.forkScoped
    )
    return {
      send: (args) =>
        Effect.suspend(() =>
          current === undefined
            ? Effect.fail(Session.unavailable(options.target, "disconnected", down))
            : current.send(args)
        ),
      session: () => current
    }
  })
