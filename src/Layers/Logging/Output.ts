/** The output of the log: a format, and where its lines go. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import type * as Scope from "effect/Scope"
import type * as Config from "../../Config/index.ts"
import type { LogOutput } from "../../Server/Exchange/LogOutputs.ts"
import type { Format } from "./Format.ts"
import { Sink, type SinkOptions } from "./Sink.ts"
import * as Target from "./Target.ts"

/** The sinks of this process. One listener serves all: Node warns of more than ten. */
const sinks = new Set<Sink>()

const endAll = (): void => {
  for (const sink of sinks) sink.end()
}

const reopenAll = (): void => {
  for (const sink of sinks) sink.reopen()
}

/** What happens to the sinks at the signals and at the end of the process. */
const listeners = { SIGUSR2: reopenAll, exit: endAll } as const

type Event = keyof typeof listeners

/** Creates a sink. What still waits is written when the scope closes and when the process exits. */
const sink = (
  target: Target.Target,
  options: SinkOptions
): Effect.Effect<Sink, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      if (sinks.size === 0) {
        for (const event of Object.keys(listeners)) process.on(event, listeners[event as Event])
      }
      const made = new Sink(target, options)
      sinks.add(made)
      return made
    }),
    (made) =>
      Effect.sync(() => {
        made.close()
        sinks.delete(made)
        if (sinks.size > 0) return
        for (const event of Object.keys(listeners)) process.off(event, listeners[event as Event])
      })
  )

/** Returns the target of a setting: a stream by its name, or a file by its path. */
const targetOf = (
  name: string,
  key: string
): Effect.Effect<Target.Target | undefined, Config.ConfigError> =>
  name === "stdout" || name === "stderr"
    ? Effect.sync(() => Target.stream(name))
    : Target.file(name, key)

/** Where lines go. */
export interface Places {
  /** The stream or the file of the log. */
  readonly main: string
  /** The stream or the file that has security events too; undefined if none has. */
  readonly security: string | undefined
}

/** The format of the log, and that of security events. */
export interface Formats {
  readonly main: Format
  readonly security: Format
}

/** Creates the output of the log. */
export const make = (
  { main, security }: Places,
  formats: Formats,
  options: Omit<SinkOptions, "notice">
): Effect.Effect<LogOutput, Config.ConfigError, Scope.Scope> =>
  Effect.gen(function* () {
    const console = yield* Console.Console
    const writing = (name: string, key: string, { notice }: Format) =>
      Effect.gen(function* () {
        // Somebody may have put another console in the place of the process's own.
        const isReplaced = console !== globalThis.console && name === "stdout"
        const target = isReplaced ? undefined : yield* targetOf(name, key)
        if (target === undefined) return (line: string) => console.log(line)
        const warning = (lost: number, reason: string) =>
          notice("Log lines were lost", { lost, reason })
        return (yield* sink(target, { ...options, notice: warning })).write
      })
    const write = yield* writing(main, "file", formats.main)
    const access: LogOutput["access"] = (route) => {
      const line = formats.main.access(route)
      return (record) => write(line(record))
    }
    const { logger } = formats.main
    if (security === undefined) return { access, logger: Logger.map(logger, write) }
    const copy = yield* writing(security, "security", formats.security)
    return {
      access,
      logger: Logger.make((entry) => {
        write(logger.log(entry))
        if (entry.fiber.getRef(References.CurrentLogAnnotations)["tag"] === "security") {
          copy(formats.security.logger.log(entry))
        }
      })
    }
  })
