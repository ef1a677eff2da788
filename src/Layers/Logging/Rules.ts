/** The rules of log levels: those of the configuration, and those that were set since. */
import type { LogLevel } from "effect/LogLevel"
import { type LogRulesShape, lower } from "../../Server/Exchange/LogRules.ts"
import type { RouteName } from "../../Server/Exchange/ServerSpan.ts"
import { type Level, toEffect } from "./LoggingConfig.ts"

/** The kinds of rules. */
export const types = ["identity", "module", "route"] as const

/** What a log level is for. */
export interface LogTarget {
  /**
   * The subject of a caller; a module, such as the id of a plugin or its first parts; or a path
   * template, such as `/v1/items/:id`, with or without a method before it.
   */
  readonly name: string
  readonly type: (typeof types)[number]
}

/** The level of a target. */
export interface LogRule extends LogTarget {
  /** Unix milliseconds; undefined for a rule of the configuration. */
  readonly expiresAt: number | undefined
  readonly level: Level
}

const keyOf = ({ name, type }: LogTarget): string => `${type} ${name}`

/** Returns the position of the last separator in the name of a module; 0 if it has none. */
const lastSeparator = (name: string): number =>
  Math.max(0, ...[":", ".", "/"].map((separator) => name.lastIndexOf(separator)))

/** Holds the rules of an app, and finds the levels of targets. */
export class Rules implements LogRulesShape {
  readonly base: LogLevel
  isEmpty = true
  readonly #configured: ReadonlyArray<LogRule>
  /** The rules that hold now, by their targets. */
  #current = new Map<string, LogRule>()
  /** When the next rule expires. */
  #next = Infinity
  readonly #now: () => number
  /** The rules that were set, the latest last. */
  #set: ReadonlyArray<LogRule> = []

  constructor(base: LogLevel, configured: ReadonlyArray<LogRule>, now: () => number) {
    this.base = base
    this.#configured = configured
    this.#now = now
    this.#renew([])
  }

  /** The number of rules that were set and have not expired. */
  get size(): number {
    this.#expire()
    return this.#set.length
  }

  add(rule: LogRule): void {
    this.#expire()
    this.#renew([...this.#set, rule])
  }

  /** Removes the rules that were set for a target, or all of them. */
  remove(target: LogTarget | undefined): void {
    const key = target && keyOf(target)
    this.#renew(key === undefined ? [] : this.#set.filter((rule) => keyOf(rule) !== key))
  }

  /** Returns the rules that hold now, by type and name. */
  list(): ReadonlyArray<LogRule> {
    this.#expire()
    return [...this.#current.keys()].toSorted().map((key) => this.#current.get(key)!)
  }

  readonly forIdentity = (subject: string): LogLevel | undefined =>
    this.#find({ name: subject, type: "identity" })

  readonly forModule = (name: string): LogLevel | undefined => {
    for (let part = name; part !== ""; part = part.slice(0, lastSeparator(part))) {
      const level = this.#find({ name: part, type: "module" })
      if (level !== undefined) return level
    }
    return this.#find({ name: "*", type: "module" })
  }

  readonly forRoute = ({ method, path }: RouteName, plugin: string): LogLevel | undefined => {
    const route =
      this.#find({ name: `${method} ${path}`, type: "route" }) ??
      this.#find({ name: path, type: "route" })
    return lower(route, this.forModule(plugin))
  }

  #find(target: LogTarget): LogLevel | undefined {
    this.#expire()
    const rule = this.#current.get(keyOf(target))
    return rule && toEffect(rule.level)
  }

  #expire(): void {
    const now = this.#now()
    if (now < this.#next) return
    this.#renew(this.#set.filter(({ expiresAt = Infinity }) => expiresAt > now))
  }

  #renew(set: ReadonlyArray<LogRule>): void {
    this.#set = set
    this.#current = new Map([...this.#configured, ...set].map((rule) => [keyOf(rule), rule]))
    this.#next = Math.min(...set.map(({ expiresAt = Infinity }) => expiresAt))
    this.isEmpty = this.#current.size === 0
  }
}
