/** Where lines go: collected, and written off the request path. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import type * as Scope from "effect/Scope"
import type { LogOutput } from "../../Server/Exchange/LogOutputs.ts"
import { lines as accessLines } from "./JsonAccess.ts"
import { json, type Origin } from "./JsonLogger.ts"

/** An output that stops with its scope. */
interface Stoppable extends LogOutput {
  /** Writes what waits. Later lines are written at once. */
  readonly stop: () => void
}

/** Lines that are written at once when so many wait; a burst does not grow the buffer further. */
const maxLines = 1024

/** How long a line may wait for others, in milliseconds. */
const maxDelay = 10

/** The outputs of this process. One listener serves all: Node warns of more than ten. */
const waiting = new Set<() => void>()

const flushAll = (): void => {
  for (const flush of waiting) flush()
}

/**
 * An output whose lines leave the process with those of the next ten milliseconds,
 * in one write. What still waits is written when the scope closes and
 * when the process exits. Later lines are written at once.
 */
export const make = (origin: Origin): Effect.Effect<LogOutput, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.map(Console.Console, (console) => {
      if (console !== globalThis.console) {
        // Somebody put another console in the place of the process's own.
        return made(
          origin,
          (line) => console.log(line),
          () => {}
        )
      }
      const lines: Array<string> = []
      let isClosed = false
      let scheduled = false
      const flush = () => {
        scheduled = false
        if (lines.length === 0) return
        const text = `${lines.join("\n")}\n`
        lines.length = 0
        try {
          process.stdout.write(text)
        } catch (error) {
          // A file is written at once, and its disk may be full.
          lost(error)
        }
      }
      if (waiting.size === 0) process.on("exit", flushAll)
      waiting.add(flush)
      const stop = () => {
        waiting.delete(flush)
        if (waiting.size === 0) process.removeListener("exit", flushAll)
        isClosed = true
        flush()
      }
      const write = (line: string) => {
        if (lines.push(line) >= maxLines || isClosed) return flush()
        if (scheduled) return
        scheduled = true
        setTimeout(flush, maxDelay)
      }
      return made(origin, write, stop)
    }),
    ({ stop }) => Effect.sync(stop)
  )

let isGuarded = false
let isLost = false

/**
 * Keeps the process running when stdout fails, such as with EPIPE when its reader has gone.
 * The listener stays: other code of the process may still write there.
 */
export const guardStdout = (): void => {
  if (isGuarded || globalThis.process?.stdout?.on === undefined) return
  isGuarded = true
  process.stdout.on("error", lost)
}

/** Says on stderr, once in the life of the process, that lines are lost. */
const lost = (error: unknown): void => {
  if (isLost) return
  isLost = true
  try {
    // stderr may have the same reader.
    process.stderr.on("error", () => {})
    process.stderr.write(
      `Log lines are lost: stdout cannot be written (${error instanceof Error ? error.message : String(error)}).\n`
    )
  } catch {
    // Nobody can be told.
  }
}

const made = (origin: Origin, write: (line: string) => void, stop: () => void): Stoppable => ({
  access: (route) => {
    const line = accessLines(origin, route)
    return (record) => write(line(record))
  },
  logger: Logger.map(json(origin), write),
  stop
})
