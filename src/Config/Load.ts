/** Loads a configuration: collects its sources, decodes its sections, reports every problem. */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { ConfigError } from "./ConfigError.ts"
import { Environment } from "./Environment.ts"
import { entriesOf, siblings, unreadKeys, unreadWarning } from "./Report/Entries.ts"
import { checkProblems, type Found, problemsOf } from "./Report/Issues.ts"
import { Scrubber } from "./Report/Render.ts"
import type { Entry, Resolved } from "./Resolved.ts"
import { isSecret, keysOf } from "./SchemaTree.ts"
import { type AnySection, compile, type Compiled } from "./Section.ts"
import { fromValues } from "./Source/Files.ts"
import { chooseEnvironment, loadFile, splitFile } from "./Source/Overlays.ts"
import { fromVariables } from "./Source/Variables.ts"
import { getPath, isPlain, mergeAll, type Source, type Tree, tree } from "./Tree.ts"

/** Default values of a plugin. The configuration of the app overrides them. */
export interface Defaults {
  /** The id of the plugin, which names the source of the values. */
  readonly plugin: string
  /** An object with one key per section, or a function that returns it for an environment. */
  readonly values: ((environment: string) => object) | object
}

/** Where `load` takes the configuration from. */
export interface LoadOptions<Sections extends ReadonlyArray<AnySection>> {
  /** Defaults of plugins, in the order of the plugins: later ones win. Default: none. */
  readonly defaults?: ReadonlyArray<Defaults> | undefined
  /** Where to look for `flange.toml`, `.yaml`, `.yml` or `.json`. Default: the working directory. */
  readonly directory?: string | undefined
  /** The environment. Default: the variable `FLANGE_ENV`, then `env` in the file, then `local`. */
  readonly environment?: string | undefined
  /**
   * The file to read; `directory` is then not searched. A file that does not exist is a problem.
   */
  readonly file?: string | undefined
  /** Values that win over every other source, for code and tests. Default: none. */
  readonly overrides?: object | undefined
  /** The sections to decode. Two different sections with the same name are a problem. */
  readonly sections: Sections
  /** Configuration in code instead of a file: the same shape, with `env` and `environments`. */
  readonly values?: object | undefined
  /** Environment variables, usually `process.env`. Default: none. */
  readonly variables?: Readonly<Record<string, string | undefined>> | undefined
}

type Identifiers<Sections extends ReadonlyArray<AnySection>> =
  unknown extends Sections[number]["Identifier"] ? never : Sections[number]["Identifier"]

/**
 * Loads the configuration and decodes every section, or fails with all problems at once.
 *
 * From the lowest precedence to the highest: defaults of the schemas, defaults of plugins in
 * order, the file (or `values`), its `[environments.<name>]` overlay, short variables,
 * `FLANGE__SECTION__KEY` variables, `overrides`. Objects merge, everything else replaces.
 *
 * The context also has Effect's `ConfigProvider`, so that code with `effect/Config` reads the merged
 * values: each segment of a path is a key.
 *
 * A key that no section reads is reported as a warning. Fails with `ConfigError` if a value is
 * missing or refused by a schema or a check, the environment is unknown, a file cannot be parsed,
 * more than one file is present, two sections share a name, or a key could reach a prototype.
 * Neither warnings nor errors contain secrets.
 *
 * @example
 * ```ts
 * import * as NodeServices from "@effect/platform-node/NodeServices"
 * import * as Effect from "effect/Effect"
 * import * as Config from "flange/Config"
 *
 * const ServerConfig = Config.section("server", { port: Config.Port })
 *
 * const program = Effect.gen(function*() {
 *   const resolved = yield* Config.load({
 *     sections: [ServerConfig],
 *     values: { server: { port: 8080 } },
 *     variables: { FLANGE__SERVER__PORT: "9000" }
 *   })
 *   const server = yield* Effect.provide(ServerConfig, resolved.context)
 *   return server.port
 * })
 *
 * await Effect.runPromise(Effect.provide(program, NodeServices.layer)) // => 9000
 * ```
 */
export const load = Effect.fnUntraced(function* <const Sections extends ReadonlyArray<AnySection>>(
  options: LoadOptions<Sections>
): Effect.fn.Return<
  Resolved<Identifiers<Sections>>,
  ConfigError,
  FileSystem.FileSystem | Path.Path
> {
  const { compiled, problems: sectionProblems } = compile(options.sections)
  const loaded = yield* loadFile(options)
  const file = splitFile(loaded)
  const chosen = chooseEnvironment(options, file)
  // A file that cannot be read may declare the environment that would otherwise be unknown.
  const unreadable = loaded.label === undefined && loaded.problems.length > 0
  const found: Array<Found> = [
    ...sectionProblems,
    ...loaded.problems,
    ...file.problems,
    ...("problem" in chosen && !unreadable ? [chosen.problem] : [])
  ].map((problem) => ({ missing: false, problem }))
  // Without the file or its overlay most keys are missing: reporting them would hide the real
  // problem.
  const incomplete = loaded.problems.length > 0 || file.problems.length > 0 || "problem" in chosen
  const environment = "name" in chosen ? chosen.name : "local"

  const sources: Array<Source> = []
  const add = (label: string, input: unknown): void => {
    const { problems, values } = fromValues(label, input)
    found.push(...problems.map((problem) => ({ missing: false, problem })))
    sources.push({ label, values })
  }
  for (const { plugin, values } of options.defaults ?? []) {
    if (typeof values !== "function") add(`defaults of plugin ${plugin}`, values)
    else if ("name" in chosen) add(`defaults of plugin ${plugin}`, values(environment))
  }
  sources.push(file.base)
  const overlay = file.overlays.get(environment)
  if (overlay !== undefined) sources.push(overlay)

  const given = options.variables ?? {}
  const variables = fromVariables(given, compiled, mergeAll(sources.map(({ values }) => values)))
  found.push(...variables.problems.map((problem) => ({ missing: false, problem })))
  sources.push(...variables.sources)
  add("overrides", options.overrides)

  const merged = mergeAll(sources.map(({ values }) => values))
  const scrubber = new Scrubber()
  for (const { values } of sources)
    for (const section of compiled) collectSecrets(section, values, scrubber)

  const entries: Array<Entry> = []
  const services = new Map<string, unknown>([
    [ConfigProvider.ConfigProvider.key, providerOf(merged, given)],
    [Environment.key, environment]
  ])
  const warnings = unreadSections(merged, sources, compiled)
  for (const one of compiled) {
    const value = merged[one.name]
    const input = value === undefined && keysOf(one.encoded).length > 0 ? tree([]) : value
    const unread = unreadKeys(one, input)
    for (const path of unread) {
      warnings.push(unreadWarning([one.name, ...path], sources, siblings(one, path)))
    }
    const around = { file: loaded.label ?? "flange.toml", given: input, scrubber, sources, unread }
    const result = yield* Effect.result(
      Schema.decodeUnknownEffect(one.codec, { errors: "all" })(input)
    )
    if (Result.isFailure(result)) {
      found.push(...problemsOf(one, result.failure.issue, around))
      continue
    }
    const decoded = result.success
    // Without the file, a check could refuse values that the file would correct.
    if (!incomplete) {
      const issues = one.section.check(decoded, environment)
      found.push(...checkProblems(one, issues, decoded, around))
    }
    services.set(one.section.key, decoded)
    entries.push(...entriesOf(one, sources, input, decoded, scrubber))
  }

  const problems = found
    .filter(({ missing }) => !(missing && incomplete))
    .map(({ problem }) => problem)
  if (problems.length > 0) {
    return yield* new ConfigError({ problems: problems.sort(byKey) })
  }
  return {
    context: Context.makeUnsafe<Identifiers<Sections>>(services),
    entries: entries.sort(byKey),
    environment,
    warnings: warnings.sort()
  }
})

const byKey = (a: { readonly key: string }, b: { readonly key: string }): number =>
  a.key < b.key ? -1 : a.key > b.key ? 1 : 0

/**
 * Creates the provider that `effect/Config` reads. Each segment of a path is a key of the merged
 * values. If the merged values lack the path, it is looked up in the variables by the names that
 * Effect derives from it.
 */
const providerOf = (
  merged: Tree,
  variables: Readonly<Record<string, string | undefined>>
): ConfigProvider.ConfigProvider =>
  ConfigProvider.orElse(ConfigProvider.fromUnknown(merged), ConfigProvider.fromEnvRecord(variables))

const unreadSections = (
  merged: Tree,
  sources: ReadonlyArray<Source>,
  sections: ReadonlyArray<Compiled>
): Array<string> => {
  const names = sections.map(({ name }) => name)
  return Object.keys(merged)
    .filter((key) => !names.includes(key))
    .map((key) => unreadWarning([key], sources, names))
}

const collectSecrets = ({ name, nodes }: Compiled, values: Tree, scrubber: Scrubber): void => {
  const visit = (path: ReadonlyArray<string>): void => {
    const value = getPath(values, [name, ...path])
    if (value === undefined) return
    if (isSecret(nodes, path, value)) scrubber.add(value)
    else if (isPlain(value) || Array.isArray(value)) {
      for (const key of Object.keys(value)) visit([...path, key])
    } else scrubber.addUrl(value)
  }
  visit([])
}
