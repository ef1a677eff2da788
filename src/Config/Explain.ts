import type { Entry, Resolved } from "./Resolved.ts"

/**
 * Where every value of a loaded configuration comes from and what it replaced, one row for each
 * key that a section reads, sorted by key. Values are text: JSON, or `<redacted>` for secrets.
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
