/** The connections of `reserve`. */
import * as Effect from "effect/Effect"
import type * as Redis from "effect/persistence/Redis"
import type * as Scope from "effect/Scope"
import * as Commands from "./Commands.ts"
import * as Session from "./Session.ts"

/** The commands after which a connection is no longer as it was opened. */
const changing =
  /^(?:ASKING|AUTH|CLIENT (?:CACHING|NO-|SET|TRACKING$)|HELLO|QUIT|READONLY|READWRITE|RESET|SELECT)/

/** Stands for a command when the scope of a borrower closes. It is not sent. */
const release = "release the connection"

/** Makes a pool close the connections that a borrower changed. */
export const closingChanged = <E, R>(
  reserve: Effect.Effect<Redis.Connection, E, R>
): Effect.Effect<Redis.Connection, E, R | Scope.Scope> =>
  Effect.tap(reserve, ({ send }) => Effect.addFinalizer(() => Effect.ignore(send(release))))

/**
 * Opens connections that no other caller shares. Their set loses those that were closed.
 *
 * The pool lends a connection again after its scope has closed. One that a borrower changed, or left in a
 * transaction of Redis, is closed instead: `send` fails for `release`, which the pool takes for a broken
 * connection.
 */
export const open = (
  options: Session.Options,
  observe: Commands.Observe,
  all: Set<Session.Session>
) =>
  Session.open(options).pipe(
    Effect.mapError(({ reason }) => Session.unavailable(options.target, "disconnected", reason)),
    Effect.map((session) => {
      all.add(session)
      let isChanged = false
      let isInTransaction = false
      const close = Effect.sync(() => {
        all.delete(session)
        session.end("the connection was closed")
      })
      const noted = (args: readonly [string, ...ReadonlyArray<string>]) => {
        const name = Commands.nameOf(args)
        isChanged ||= changing.test(name)
        if (name === "MULTI" || name === "WATCH") isInTransaction = true
        if (name === "EXEC" || name === "DISCARD") isInTransaction = false
      }
      return {
        close,
        send: <A = unknown>(
          ...args: [string, ...ReadonlyArray<string>]
        ): Effect.Effect<A, Redis.RedisError> => {
          if (args[0] === release) {
            return isChanged || isInTransaction
              ? Effect.fail(Session.unavailable(options.target, "disconnected", "it was changed"))
              : Effect.succeed(undefined as A) // nobody reads it
          }
          const refused = Commands.refuse(args)
          if (refused !== undefined) return Effect.fail(refused)
          return observe(
            args[0],
            Effect.suspend(() => {
              noted(args)
              return session.send<A>(args, true)
            })
          )
        }
      }
    })
  )
