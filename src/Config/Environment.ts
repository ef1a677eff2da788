/** The environment that a configuration is loaded for, and the names it may have. */
import * as Context from "effect/Context"
import type { Problem } from "./ConfigError.ts"
import { nearest } from "./Nearest.ts"

/**
 * The name of the environment that the configuration was loaded for, `local` if nothing was loaded.
 * `Config.load` puts it into the context that it returns.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Config from "flange/Config"
 *
 * export const isProduction = Effect.gen(function*() {
 *   return (yield* Config.Environment) === "production"
 * })
 * ```
 */
export const Environment: Context.Reference<string> = Context.Reference<string>(
  "flange/Config/Environment",
  { defaultValue: () => "local" }
)

const aliases: ReadonlyMap<string, string> = new Map([
  ["dev", "development"],
  ["prod", "production"]
])

const builtIn: ReadonlyArray<string> = [
  "dev-private",
  "development",
  "local",
  "production",
  "staging",
  "test"
]

/** Returns the full name of an environment: `production` for its alias `prod`. */
export const canonical = (name: string): string => aliases.get(name) ?? name

/** Returns the environment for a given name, or the problem with the name. */
export const resolveEnvironment = (
  given: { readonly name: string; readonly source: string },
  declared: ReadonlyArray<string>
): { readonly name: string } | { readonly problem: Problem } => {
  const known = [...new Set([...builtIn, ...declared.map(canonical)])].sort()
  const name = canonical(given.name)
  if (known.includes(name)) return { name }
  const listed = known
    .map((one) => {
      const alias = [...aliases].find(([, full]) => full === one)?.[0]
      return alias === undefined ? one : `${one} (alias ${alias})`
    })
    .join(", ")
  const close = nearest(given.name, [...known, ...aliases.keys()])
  return {
    problem: {
      expected: `one of ${listed}`,
      key: "env",
      message:
        `${JSON.stringify(given.name)} from ${given.source} is not a known environment: ` +
        `write one of ${listed}, or declare [environments.${given.name}] in the file.`,
      nearest: close,
      received: JSON.stringify(given.name),
      source: given.source
    }
  }
}
