/** The work in the background that runs in this process. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** Returns the names of what runs, such as `job "orders:expire"`. */
type List = () => ReadonlyArray<string>

const lists = new Set<List>()

/** Adds the work of a plugin until the scope closes: a stop that takes too long names what runs. */
export const register = (list: List): Effect.Effect<void, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => void lists.add(list)),
    () => Effect.sync(() => lists.delete(list))
  )

/** Returns the names of all work that runs. */
export const current = (): ReadonlyArray<string> => [...lists].flatMap((list) => list())
