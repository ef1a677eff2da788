/**
 * Processes that outlive the app while it is being written. `flange dev` keeps them over the restarts
 * of the app; without it there are none.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/**
 * What the program of a companion sends to its parent process, once, and again for each message of
 * its parent. It ends instead if what it has reported is of no use any more.
 */
export type Report = { readonly error: unknown } | { readonly value: string }

/**
 * Runs a program with one argument in a process of its own, unless it runs already. Returns the value
 * that it has reported, or fails with its error. Only one start of the app uses companions: the
 * effect waits until the app that this one replaces has ended. The program has to end when its parent
 * process disconnects.
 */
export type Companion = (program: string, argument: string) => Effect.Effect<string, unknown>

/** Runs companions; undefined if the app runs on its own. */
export const Companion: Context.Reference<Companion | undefined> = Context.Reference<
  Companion | undefined
>("flange/Companion", { defaultValue: () => undefined })
