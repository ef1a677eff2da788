/** The log levels of single routes, modules and callers, beside the level of the app. */
import * as Context from "effect/Context"
import * as LogLevel from "effect/LogLevel"
import type { RouteName } from "./ServerSpan.ts"

/** The rules of an app. They may change while it runs. */
export interface LogRulesShape {
  /** The level of everything that no rule is for. */
  readonly base: LogLevel.LogLevel
  /** Returns the level for a caller; undefined if no rule is for the caller. */
  readonly forIdentity: (subject: string) => LogLevel.LogLevel | undefined
  /** Returns the level for a module, such as a plugin; undefined if no rule is for the module. */
  readonly forModule: (name: string) => LogLevel.LogLevel | undefined
  /** Returns the level for a route; undefined if no rule is for the route or for its plugin. */
  readonly forRoute: (route: RouteName, plugin: string) => LogLevel.LogLevel | undefined
  /** Whether there is no rule. A request without rules then costs nothing. */
  readonly isEmpty: boolean
}

/** The rules of an app. By default there is none. */
export const LogRules: Context.Reference<LogRulesShape> = Context.Reference("flange/LogRules", {
  defaultValue: (): LogRulesShape => ({
    base: "Info",
    forIdentity: () => undefined,
    forModule: () => undefined,
    forRoute: () => undefined,
    isEmpty: true
  })
})

/** Returns the less severe of two levels, of which either may be missing. */
export const lower = (
  one: LogLevel.LogLevel | undefined,
  other: LogLevel.LogLevel | undefined
): LogLevel.LogLevel | undefined =>
  one === undefined || (other !== undefined && LogLevel.isLessThan(other, one)) ? other : one

/**
 * Returns the level of code for which a rule has `level`. If another rule holds already, the less
 * severe level of both wins: a caller whose requests are at debug is so in every module.
 */
export const combined = (
  { base }: LogRulesShape,
  current: LogLevel.LogLevel,
  level: LogLevel.LogLevel
): LogLevel.LogLevel => (current === base || LogLevel.isLessThan(level, current) ? level : current)
