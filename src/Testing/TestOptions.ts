/** The options with which a test boots an app, and their checks. */
import { isPlain, mergeAll, type Tree } from "../Config/Tree.ts"
import type * as AppDefinition from "../Plugin/AppDefinition.ts"
import type { ConfigSource } from "../Plugin/ConfigSource.ts"
import type { Replacement } from "./Replacements.ts"
import * as Replacements from "./Replacements.ts"
import { TestOptionsError } from "./TestOptionsError.ts"

/**
 * The options with which a test boots an app. Files and variables of the process are read only if an
 * option names them.
 */
export interface Options {
  /** Configuration that wins over everything: `{ server: { bodyLimit: "1 KiB" } }`. Default: none. */
  readonly config?: Readonly<Record<string, unknown>> | undefined
  /** A folder whose `flange.toml`, `.yaml`, `.yml` or `.json` is read. Default: none. */
  readonly directory?: string | undefined
  /** The environment. Default: the one that `variables` or `values` name, or else `test`. */
  readonly environment?: string | undefined
  /** A configuration file to read. Default: none. */
  readonly file?: string | undefined
  /**
   * Whether the app's own loggers still write. The log is collected in any case. Default: false.
   */
  readonly printLogs?: boolean | undefined
  /** Plugins, or their services, to replace. */
  readonly replace?: ReadonlyArray<Replacement> | undefined
  /** Configuration instead of a file. Default: the `values` of the app. */
  readonly values?: Readonly<Record<string, unknown>> | undefined
  /** Environment variables, such as `process.env`. Default: none. */
  readonly variables?: Readonly<Record<string, string | undefined>> | undefined
}

const asTree = (value: object | undefined): Tree => (isPlain(value) ? value : {})

const leaves = (value: object, path = ""): ReadonlyArray<string> =>
  Object.entries(value).flatMap(([key, below]) =>
    isPlain(below) ? leaves(below, `${path}${key}.`) : [`${path}${key}`]
  )

/** Returns every reason why the options contradict each other or the app. */
const problems = (app: AppDefinition.Any, options: Options): ReadonlyArray<string> => {
  const found: Array<string> = []
  const both = (a: string, b: string, advice: string) =>
    found.push(`${a} and ${b} are both given: ${advice}`)
  const { directory, environment, file, values, variables } = options
  const source = file === undefined ? (directory === undefined ? undefined : "directory") : "file"
  if (file !== undefined && directory !== undefined) {
    both("`file`", "`directory`", "a file is searched in `directory`, so keep one of the two.")
  }
  if (source !== undefined && values !== undefined) {
    both(`\`${source}\``, "`values`", "`values` replaces the file; use `config` to override it.")
  }
  if (environment !== undefined && variables?.["FLANGE_ENV"] !== undefined) {
    both("`environment`", "`variables.FLANGE_ENV`", "name the environment once.")
  }
  if (environment !== undefined && asTree(values)["env"] !== undefined) {
    both("`environment`", "`values.env`", "name the environment once.")
  }
  const given = new Set(leaves(asTree(values)))
  for (const key of leaves(asTree(options.config))) {
    if (given.has(key)) both(`\`config.${key}\``, `\`values.${key}\``, "keep one of the two.")
  }
  return [...found, ...Replacements.problems(app.plugins, options.replace ?? [])]
}

/** Returns the error of options that contradict each other or the app, if they do. */
export const check = (app: AppDefinition.Any, options: Options): TestOptionsError | undefined => {
  const found = problems(app, options)
  return found.length === 0 ? undefined : new TestOptionsError({ app: app.id, problems: found })
}

/**
 * Returns the configuration source of an app in a test. `defaults` is configuration for the
 * listener.
 */
export const source = (
  app: AppDefinition.Any,
  options: Options,
  defaults: object
): Required<ConfigSource> => {
  const { directory, file, values, variables = {} } = options
  const named = variables["FLANGE_ENV"] ?? asTree(values)["env"]
  return {
    directory,
    envFiles: false,
    environment: options.environment ?? (named === undefined ? "test" : undefined),
    file,
    overrides: mergeAll([asTree(defaults), asTree(app.config.overrides), asTree(options.config)]),
    values:
      directory === undefined && file === undefined
        ? (values ?? app.config.values ?? {})
        : undefined,
    variables
  }
}
