/** The outputs of a command: stdout has its result and nothing else. */
import { Console as NodeConsole } from "node:console"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"

/** Runs an effect whose output, such as the log of an app, goes to stderr. */
export const diverted = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const { write } = process.stdout
      process.stdout.write = process.stderr.write.bind(process.stderr) as typeof write
      return write
    }),
    // The log of an app writes to the descriptor of stdout, unless it has another console.
    () => Effect.provideService(effect, Console.Console, new NodeConsole(process.stderr)),
    (write) =>
      Effect.sync(() => {
        process.stdout.write = write
      })
  )

/** Prints data as JSON. */
export const json = (data: unknown): Effect.Effect<void> =>
  Console.log(JSON.stringify(data, undefined, 2))

/** Prints lines. */
export const lines = (all: ReadonlyArray<string>): Effect.Effect<void> =>
  Console.log(all.join("\n"))
