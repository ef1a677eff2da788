/** A loaded configuration, and where its values come from. */
import type * as Context from "effect/Context"

/** A value that a source with higher precedence replaced. */
export interface Overridden {
  readonly source: string
  /** The value as text, `<redacted>` for a secret. */
  readonly value: string
}

/** One value of the configuration and where it comes from. */
export interface Entry {
  /** The dotted key, such as `server.port`. */
  readonly key: string
  /** The values that it replaced, the highest precedence first. */
  readonly overridden: ReadonlyArray<Overridden>
  /** Where the value is, such as `variable PORT`, or `schema default`. */
  readonly source: string
  /** The value as text, `<redacted>` for a secret. */
  readonly value: string
}

/** A loaded configuration. */
export interface Resolved<R = never> {
  /**
   * The decoded sections, each under its own key; also `Environment`, `Published` and Effect's
   * `ConfigProvider`.
   */
  readonly context: Context.Context<R>
  /** Where every value comes from; read it with `Config.explain`. */
  readonly entries: ReadonlyArray<Entry>
  /** The full name of the environment. */
  readonly environment: string
  /** The dotted keys whose values name secrets, each with the name of its secret. */
  readonly secretNames: ReadonlyMap<string, string>
  /** One sentence for each key that nothing reads, sorted. */
  readonly warnings: ReadonlyArray<string>
}

/**
 * Returns where every value of a loaded configuration comes from and what it replaced: one row for
 * each key that a section reads, sorted by key. Values are text: JSON, or `<redacted>` for secrets.
 *
 * @example
 * ```ts
 * import * as Config from "flange/Config"
 *
 * export const print = (resolved: Config.Resolved) =>
 *   Config.explain(resolved).map((row) => `${row.key} = ${row.value} (${row.source})`).join("\n")
 * ```
 */
export const explain = <R>(resolved: Resolved<R>): ReadonlyArray<Entry> =>
  [...resolved.entries].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
