/** How an app is booted for a test. */
import { isPlain, mergeAll, type Tree } from "../Config/Tree.ts"
import type * as AppDefinition from "../Plugin/AppDefinition.ts"
import type { ConfigSource } from "../Plugin/ConfigSource.ts"
import type { Replacement } from "./Replacements.ts"
import * as Replacements from "./Replacements.ts"
import { TestOptionsError } from "./TestOptionsError.ts"

/** How an app is booted for a test. Nothing outside the test is read unless an option says so. */
export interface Options {
  /** Configuration that wins over everything: `{ server: { bodyLimit: "1 KiB" } }`. Default: none. */
  readonly config?: Readonly<Record<string, unknown>> | undefined
  /** A folder whose `flange.toml`, `.yaml`, `.yml` or `.json` is read. Default: none is. */
  readonly directory?: string | undefined
  /**
   * The environment. Default: what `variables` or `values` name, where they are
   * given and do; else `test`.
   */
  readonly environment?: string | undefined
  /** A configuration file to read. Default: none. */
  readonly file?: string | undefined
  /** Whether the app's own loggers go on writing; its log is collected anyway. Default: false. */
  readonly printLogs?: boolean | undefined
  /** Plugins, or their services, to replace. */
  readonly replace?: ReadonlyArray<Replacement> | undefined
  /** Configuration instead of a file's; default: what the app has in code. */
  readonly values?: Readonly<Record<string, unknown>> | undefined
  /** Environment variables, such as `process.env`. Default: none. */
  readonly variables?: Readonly<Record<string, string | undefined>> | undefined
}

const asTree = (value: object | undefined): Tree => (isPlain(value) ? value : {})

const leaves = (value: object, path = ""): ReadonlyArray<string> =>
  Object.entries(value).flatMap(([key, below]) =>
    isPlain(below) ? leaves(below, `${path}${key}.`) : [`${path}${key}`]
  )

/** Every reason why the options contradict each other or the app. */
const problems = (app: AppDefinition.Any, options: Options): ReadonlyArray<string> => {
  const found: Array<string> = []
  const both = (a: string, b: string, advice: string) =>
    found.push(`${a} and ${b} are both given: ${advice}`)
  const { directory, environment, file, values, variables } = options
  const source = file === undefined ? (directory === undefined ? undefined : "directory") : "file"
  if (file !== undefined && directory !== undefined) {
    both("`file`", "`directory`", "`directory` looks for a file, so name one or let it look.")
  }
  if (source !== undefined && values !== undefined) {
    both(`\`${source}\``, "`values`", "`values` stands in for a file; use `config` to override it.")
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

/** What is wrong with the options, if anything. */
export const check = (app: AppDefinition.Any, options: Options): TestOptionsError | undefined => {
  const found = problems(app, options)
  return found.length === 0 ? undefined : new TestOptionsError({ app: app.id, problems: found })
}

/** Where the app takes its configuration from in a test; `defaults` are what the listener wants. */
export const source = (
  app: AppDefinition.Any,
  options: Options,
  defaults: object
): Required<ConfigSource> => {
  const { directory, file, values, variables = {} } = options
  const named = variables["FLANGE_ENV"] ?? asTree(values)["env"]
  return {
    directory,
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
