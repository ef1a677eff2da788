/** The battery as a plugin. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import { AppRuntime } from "../../Plugin/AppRuntime.ts"
import * as Plugin from "../../Plugin/Plugin.ts"
import { LogOutputs } from "../../Server/Exchange/LogOutputs.ts"
import { LogRules } from "../../Server/Exchange/LogRules.ts"
import { RedactedFields } from "../../Server/Exchange/Redaction.ts"
import { accessLog } from "./AccessLog.ts"
import { CurrentDrops, Drops } from "./Drops.ts"
import * as JsonLogger from "./JsonLogger.ts"
import { routes } from "./LevelRoutes.ts"
import { type Level, LoggingConfig, toEffect } from "./LoggingConfig.ts"
import * as LogLevels from "./LogLevels.ts"
import * as Output from "./Output.ts"
import * as PrettyLogger from "./PrettyLogger.ts"
import { type LogRule, Rules } from "./Rules.ts"

/**
 * The log of the app. The section `logging` sets its level and format, levels of single modules, routes
 * and callers, and where its lines go. Every request but those of bare routes has an access line.
 *
 * It takes the place of Effect's own console logger for everything in the app:
 * plugins, requests, and what the boot engine itself reports. Loggers that were
 * installed besides it stay. It stands first, so that no other plugin logs
 * before it. In JSON everything that it writes to stdout is one object a line; a
 * boot that fails is reported in words on stderr. If stdout closes, the app serves
 * on and stderr says once that lines are lost.
 *
 * @example
 * ```ts
 * import { App } from "flange"
 * import * as Logging from "flange/Logging"
 *
 * const app = App.make("shop", [Logging.plugin])
 * App.describe(app).plugins[0]!.config // => ["logging"]
 * ```
 */
export const plugin = Plugin.make("flange:logging", {
  config: [LoggingConfig],
  contributes: routes,
  drain: Effect.logInfo("Stopping: no new requests are taken, and those in flight finish"),
  layer: Layer.effectContext(
    Effect.gen(function* () {
      const { buffer, file, format, full, level, levels, redact, security } = yield* LoggingConfig
      const { environment, name, version } = yield* AppRuntime
      const isPretty = format === "pretty" || (format === "auto" && environment === "local")
      const json = JsonLogger.format({ environment, service: name, version })
      const drops = new Drops()
      const main = file ?? "stdout"
      const output = yield* Output.make(
        { main, security: security === main ? undefined : security },
        {
          main: isPretty ? PrettyLogger.format(file === undefined && hasColors()) : json,
          security: json
        },
        // A person sees lines in the order in which they are written.
        { delay: isPretty ? 0 : maxDelay, drops, full, limit: buffer }
      )
      const loggers = new Set(yield* Logger.CurrentLoggers)
      loggers.delete(Logger.defaultLogger)
      loggers.add(output.logger)
      const clock = yield* Clock.Clock
      const rules = new Rules(toEffect(level), rulesOf(levels), () =>
        clock.currentTimeMillisUnsafe()
      )
      return Context.make(LogLevels.LogLevels, LogLevels.make(rules)).pipe(
        Context.add(LogRules, rules),
        Context.add(Logger.CurrentLoggers, loggers),
        Context.add(CurrentDrops, drops),
        Context.add(LogOutputs, [...(yield* LogOutputs), output]),
        Context.add(RedactedFields, [...(yield* RedactedFields), ...redact]),
        Context.add(References.MinimumLogLevel, toEffect(level))
      )
    })
  ),
  middleware: [accessLog],
  order: { first: true },
  provides: [LogLevels.LogLevels],
  ready: () =>
    Effect.contextWith((services: Context.Context<never>) =>
      Effect.sync(() => Context.get(services, CurrentDrops)?.connect(services))
    )
})

/** How long a line may wait for others, in milliseconds. */
const maxDelay = 10

/** Checks whether stdout is a terminal that shows colours; `NO_COLOR` and `FORCE_COLOR` are respected. */
const hasColors = () => globalThis.process?.stdout?.hasColors?.() ?? false

/** Returns the rules of the configuration. */
const rulesOf = ({
  identities = {},
  modules = {},
  routes = {}
}: Readonly<Record<string, Readonly<Record<string, Level>>>>): ReadonlyArray<LogRule> =>
  Object.entries({ identity: identities, module: modules, route: routes } as const).flatMap(
    ([type, levels]) =>
      Object.entries(levels).map(([name, level]) => ({
        expiresAt: undefined,
        level,
        name,
        // The keys of the object above.
        type: type as LogRule["type"]
      }))
  )
