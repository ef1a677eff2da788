/** The service that changes log levels while the app runs. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { isRoute, type Level } from "./LoggingConfig.ts"
import type { LogRule, LogTarget, Rules } from "./Rules.ts"

/** The most levels that can be set at once. */
const maxRules = 100

/** The longest name of a target. */
const maxName = 512

/** The longest time of a level. */
const maxTime = Duration.days(7)

/** The error of a level that cannot be set. */
export class LogLevelError extends Data.TaggedError("LogLevelError")<{
  readonly message: string
}> {}

/** Changes the log levels of an app. */
export interface LogLevelsShape {
  /** Returns the levels that hold now, with those of the configuration. */
  readonly list: Effect.Effect<ReadonlyArray<LogRule>>
  /** Removes the levels that were set for a target; without one, all that were set. */
  readonly reset: (target?: LogTarget) => Effect.Effect<void>
  /**
   * Sets the level of a target for a time. After it, what held before holds again. Requests that
   * begin later have the level.
   */
  readonly set: (
    target: LogTarget,
    level: Level,
    time: Duration.Input
  ) => Effect.Effect<LogRule, LogLevelError>
}

/**
 * The log levels of modules, routes and callers, changed while the app runs. `Logging.plugin`
 * provides the service. A level that is set expires, and at most 100 are set at once.
 *
 * If several levels are for a request, the least severe one holds. Levels of the configuration are in
 * `logging.levels`.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { App } from "flange"
 * import * as Logging from "flange/Logging"
 * import { TestApp } from "flange/Testing"
 *
 * const test = Effect.gen(function* () {
 *   const app = yield* TestApp.make(App.make("shop", [Logging.plugin]))
 *   const levels = yield* app.run(Logging.LogLevels)
 *   yield* levels.set({ name: "ada", type: "identity" }, "debug", "5 minutes")
 *   return (yield* levels.list).map(({ level, name }) => [name, level])
 * })
 * await Effect.runPromise(Effect.scoped(test)) // => [["ada", "debug"]]
 * ```
 */
export class LogLevels extends Context.Service<LogLevels, LogLevelsShape>()(
  "flange/Logging/LogLevels"
) {}

/** Creates the service over the rules of an app. */
export const make = (rules: Rules): LogLevelsShape => ({
  list: Effect.sync(() => rules.list()),
  reset: (target) =>
    Effect.andThen(
      Effect.sync(() => rules.remove(target)),
      Effect.logInfo(
        target === undefined ? "All log levels were reset" : "A log level was reset"
      ).pipe(Effect.annotateLogs(target === undefined ? {} : { target }))
    ),
  set: Effect.fnUntraced(function* (target, level, time) {
    const duration = Duration.fromInputUnsafe(time)
    const problem = problemOf(rules, target, duration)
    if (problem !== undefined) return yield* new LogLevelError({ message: problem })
    const now = yield* Clock.currentTimeMillis
    const rule = { ...target, expiresAt: now + Duration.toMillis(duration), level }
    rules.add(rule)
    yield* Effect.annotateLogs(Effect.logInfo("A log level was set"), {
      expiresAt: new Date(rule.expiresAt),
      newLevel: level,
      target
    })
    return rule
  })
})

const problemOf = (
  rules: Rules,
  { name, type }: LogTarget,
  time: Duration.Duration
): string | undefined => {
  if (name === "" || name.length > maxName) {
    return `The name of a ${type} has 1 to ${maxName} characters, and this one has ${name.length}.`
  }
  if (type === "route" && !isRoute(name)) {
    return `"${name}" is not a route: write its path template, such as "/v1/items/:id" or "GET /v1/items/:id".`
  }
  if (!Duration.isPositive(time) || Duration.isGreaterThan(time, maxTime)) {
    return `A log level holds for at most 7 days, and not for ${Duration.format(time)}. Write levels that stay into logging.levels.`
  }
  if (rules.size < maxRules) return undefined
  return `${maxRules} log levels are set already. Reset one of them, or wait until one expires.`
}
