/** The connections of `reserve`. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Redis from "effect/persistence/Redis"
import * as Scope from "effect/Scope"
import type * as Commands from "./Commands.ts"
import * as Restricted from "./Restricted.ts"
import * as Session from "./Session.ts"

/** Stands for a command that is not sent. It fails if the connection must not be lent any more. */
const check = "check the connection"

/**
 * Lends connections of a pool. The pool closes a connection on which a command failed, so `check` fails
 * at the end for one that the borrower changed or left in a transaction of Redis, and at the beginning for
 * one that the server has closed. Another is lent in its place.
 */
export const lend = (
  reserve: Redis.Redis["Service"]["reserve"]
): Redis.Redis["Service"]["reserve"] =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    for (;;) {
      const own = yield* Scope.fork(scope)
      const connection = yield* Scope.provide(reserve, own)
      const checked = yield* Effect.exit(connection.send(check))
      if (Exit.isSuccess(checked)) {
        yield* Scope.addFinalizer(own, Effect.ignore(connection.send(check)))
        return connection
      }
      yield* Scope.close(own, checked)
    }
  })

/** Opens connections that no other caller shares. Their set loses those that were closed. */
export const open = (
  options: Session.Options,
  observe: Commands.Observe,
  all: Set<Session.Session>
) =>
  Session.open(options).pipe(
    Effect.mapError(({ reason }) => Session.unavailable(options.target, "disconnected", reason)),
    Effect.map((session) => {
      all.add(session)
      const traces = new Restricted.Traces()
      const close = Effect.sync(() => {
        all.delete(session)
        session.end("the connection was closed")
      })
      return {
        close,
        send: <A = unknown>(
          ...args: [string, ...ReadonlyArray<string>]
        ): Effect.Effect<A, Redis.RedisError> => {
          if (args[0] === check) {
            return session.hasEnded || !traces.areNone
              ? Effect.fail(
                  Session.unavailable(options.target, "disconnected", "it was changed or closed")
                )
              : Effect.succeed(undefined as A) // nobody reads it
          }
          const refused = Restricted.refuse(args)
          if (refused !== undefined) return Effect.fail(refused)
          return observe(
            args[0],
            Effect.suspend(() => {
              traces.note(args)
              return session.send<A>(args, true)
            })
          )
        }
      }
    })
  )
