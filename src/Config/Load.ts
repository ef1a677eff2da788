import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import { ConfigError, type Problem } from "./ConfigError.ts"
import { entriesOf, siblings, unreadKeys, unreadWarning } from "./Entries.ts"
import { canonical, Environment, resolveEnvironment } from "./Environment.ts"
import type { Entry } from "./Explain.ts"
import { fromValues, type Loaded, readFile } from "./Files.ts"
import { type Found, problemsOf } from "./Issues.ts"
import { mergeAll } from "./Merge.ts"
import { Scrubber } from "./Render.ts"
import { isSecret, keysOf } from "./SchemaTree.ts"
import type { AnySection } from "./Section.ts"
import { forbiddenKeys, getPath, isPlain, type Layer, tree, type Tree } from "./Tree.ts"
import { fromVariables, type Known } from "./Variables.ts"

/** Values that a plugin sets below those of the app's owner. */
export interface Defaults {
  /** The id of the plugin, which names the source of the values. */
  readonly plugin: string
  /** One key per section, or a function of the environment that gives them. */
  readonly values: object | ((environment: string) => object)
}

/** Where `load` takes the configuration from. */
export interface LoadOptions<Sections extends ReadonlyArray<AnySection>> {
  /** Defaults of plugins, in the order of the plugins: later ones win. Default: none. */
  readonly defaults?: ReadonlyArray<Defaults> | undefined
  /** Where to look for `flange.toml`, `.yaml`, `.yml` or `.json`. Default: the working directory. */
  readonly directory?: string | undefined
  /** The environment. Default: the variable `FLANGE_ENV`, then `env` in the file, then `local`. */
  readonly environment?: string | undefined
  /** One file to read instead of looking for it. A file that does not exist is a problem. */
  readonly file?: string | undefined
  /** Values that win over every other source, for code and tests. Default: none. */
  readonly overrides?: object | undefined
  /** The sections to decode. Two different ones of one name are a problem. */
  readonly sections: Sections
  /** Configuration in code instead of a file: the same shape, with `env` and `environments`. */
  readonly values?: object | undefined
  /** Environment variables, usually `process.env`. Default: none. */
  readonly variables?: Readonly<Record<string, string | undefined>> | undefined
}

type Identifiers<Sections extends ReadonlyArray<AnySection>> =
  unknown extends Sections[number]["Identifier"] ? never : Sections[number]["Identifier"]

/** A loaded configuration. */
export interface Resolved<R = never> {
  /** The decoded sections, each under its own key, and `Environment`. */
  readonly context: Context.Context<R>
  /** Where every value comes from; read it with `Config.explain`. */
  readonly entries: ReadonlyArray<Entry>
  /** The full name of the environment. */
  readonly environment: string
  /** One sentence for each key that nothing reads, sorted. */
  readonly warnings: ReadonlyArray<string>
}

const reserved: ReadonlySet<string> = new Set([...forbiddenKeys, "env", "environments"])

const codeLabel = "code"

const problemAt = (key: string, source: string, expected: string, message: string): Problem => ({
  expected,
  key,
  message,
  nearest: undefined,
  received: undefined,
  source
})

const uniqueSections = (
  sections: ReadonlyArray<AnySection>
): { readonly problems: ReadonlyArray<Problem>; readonly unique: ReadonlyArray<AnySection> } => {
  const byName = new Map<string, AnySection>()
  const problems: Array<Problem> = []
  for (const section of sections) {
    const name = section.sectionName
    const other = byName.get(name)
    if (reserved.has(name) || !/^[A-Za-z][A-Za-z0-9_-]*$/.test(name)) {
      problems.push(
        problemAt(
          name,
          "sections",
          "a name of letters, digits, - and _ that is not reserved",
          `The section name ${JSON.stringify(name)} is ${reserved.has(name) ? "reserved" : "not a key"}: ` +
            "choose a name of letters, digits, - and _."
        )
      )
    } else if (other === undefined) {
      byName.set(name, section)
    } else if (other !== section) {
      problems.push(
        problemAt(
          name,
          "sections",
          "one section of each name",
          `Two different sections are called ${name}: rename one, or share one declaration.`
        )
      )
    }
  }
  return { problems, unique: [...byName.values()] }
}

interface FileLayers {
  readonly base: Layer
  readonly env: unknown
  readonly overlays: ReadonlyMap<string, Layer>
  readonly problems: ReadonlyArray<Problem>
}

const splitFile = (loaded: Loaded): FileLayers => {
  const label = loaded.label ?? codeLabel
  const { env, environments, ...base } = loaded.values
  const problems: Array<Problem> = []
  const overlays = new Map<string, Layer>()
  if (environments !== undefined && !isPlain(environments)) {
    problems.push(
      problemAt(
        "environments",
        label,
        "an object with one key per environment",
        `environments in ${label} is not an object: write [environments.<name>] with the values.`
      )
    )
  }
  for (const [name, values] of Object.entries(isPlain(environments) ? environments : {})) {
    const source = `${label} [environments.${name}]`
    const full = canonical(name)
    const other = overlays.get(full)
    if (!isPlain(values)) {
      problems.push(
        problemAt(
          `environments.${name}`,
          label,
          "an object with one key per section",
          `environments.${name} in ${label} is not an object: write the sections that differ there.`
        )
      )
    } else if (other !== undefined) {
      problems.push(
        problemAt(
          `environments.${name}`,
          source,
          "one overlay for each environment",
          `${other.source} and ${source} are the same environment: keep one of them.`
        )
      )
    } else overlays.set(full, { source, values })
  }
  return { base: { source: label, values: tree(Object.entries(base)) }, env, overlays, problems }
}

const chooseEnvironment = (
  options: {
    readonly environment?: string | undefined
    readonly variables?: Readonly<Record<string, string | undefined>> | undefined
  },
  file: FileLayers
): ReturnType<typeof resolveEnvironment> => {
  const declared = [...file.overlays.keys()]
  const variable = options.variables?.["FLANGE_ENV"]
  const resolve = (name: string, source: string) => resolveEnvironment({ name, source }, declared)
  if (options.environment !== undefined) return resolve(options.environment, "option environment")
  if (variable !== undefined && variable !== "") return resolve(variable, "variable FLANGE_ENV")
  if (file.env === undefined) return { name: "local" }
  if (typeof file.env === "string") return resolve(file.env, file.base.source)
  return {
    problem: problemAt(
      "env",
      file.base.source,
      "the name of an environment",
      `env in ${file.base.source} is not a string: write the name of an environment.`
    )
  }
}

const loadFile = (
  options: LoadOptions<ReadonlyArray<AnySection>>
): Effect.Effect<Loaded, never, FileSystem.FileSystem | Path.Path> => {
  if (options.values === undefined) return readFile(options)
  const loaded = fromValues(codeLabel, options.values)
  if (options.file === undefined) return Effect.succeed(loaded)
  return Effect.succeed({
    ...loaded,
    problems: [
      ...loaded.problems,
      problemAt(
        "(file)",
        options.file,
        "either file or values",
        `Both values and file ${options.file} are given: pass only one of the two.`
      )
    ]
  })
}

/**
 * Loads the configuration and decodes every section, or fails with all problems at once.
 *
 * From the lowest precedence to the highest: defaults of the schemas, defaults of plugins in
 * order, the file (or `values`), its `[environments.<name>]` overlay, short variables,
 * `FLANGE__SECTION__KEY` variables, `overrides`. Objects merge, everything else replaces.
 *
 * Keys that no section reads are warnings. Fails with `ConfigError` when a value is missing or
 * refused, the environment is unknown, a file cannot be parsed, more than one file is present, two
 * sections share a name, or a key could reach a prototype. Secrets appear in none of it.
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
  const { problems: sectionProblems, unique } = uniqueSections(options.sections)
  const loaded = yield* loadFile(options)
  const file = splitFile(loaded)
  const chosen = chooseEnvironment(options, file)
  const found: Array<Found> = [
    ...sectionProblems,
    ...loaded.problems,
    ...file.problems,
    ...("problem" in chosen ? [chosen.problem] : [])
  ].map((problem) => ({ missing: false, problem }))
  // Without the file or its overlay most keys look missing: saying so would bury the real problem.
  const incomplete = loaded.problems.length > 0 || file.problems.length > 0 || "problem" in chosen
  const environment = "name" in chosen ? chosen.name : "local"

  const layers: Array<Layer> = []
  const add = (source: string, input: unknown): void => {
    const { problems, values } = fromValues(source, input)
    found.push(...problems.map((problem) => ({ missing: false, problem })))
    layers.push({ source, values })
  }
  for (const { plugin, values } of options.defaults ?? []) {
    if (typeof values !== "function") add(`defaults of plugin ${plugin}`, values)
    else if ("name" in chosen) add(`defaults of plugin ${plugin}`, values(environment))
  }
  layers.push(file.base)
  const overlay = file.overlays.get(environment)
  if (overlay !== undefined) layers.push(overlay)

  const sections = unique.map((section) => {
    const codec = Schema.toCodecJson(section.schema)
    const known: Known = {
      encoded: [SchemaAST.toEncoded(codec.ast)],
      name: section.sectionName,
      nodes: [codec.ast],
      variables: section.variables
    }
    return { codec, known, section }
  })
  const knowns = sections.map(({ known }) => known)
  const variables = fromVariables(
    options.variables ?? {},
    knowns,
    mergeAll(layers.map((layer) => layer.values))
  )
  found.push(...variables.problems.map((problem) => ({ missing: false, problem })))
  layers.push(...variables.layers)
  add("overrides", options.overrides)

  const merged = mergeAll(layers.map((layer) => layer.values))
  const scrubber = new Scrubber()
  for (const { values } of layers)
    for (const known of knowns) collectSecrets(known, values, scrubber)

  const entries: Array<Entry> = []
  const services = new Map<string, unknown>([[Environment.key, environment]])
  const warnings = unreadSections(merged, layers, knowns)
  for (const { codec, known, section } of sections) {
    const value = merged[known.name]
    const given = value === undefined && keysOf(known.encoded).length > 0 ? tree([]) : value
    const unread = unreadKeys(known, given)
    for (const path of unread) {
      warnings.push(unreadWarning([known.name, ...path], layers, siblings(known, path)))
    }
    const result = yield* Effect.result(Schema.decodeUnknownEffect(codec, { errors: "all" })(given))
    if (Result.isFailure(result)) {
      found.push(
        ...problemsOf(known, result.failure.issue, {
          declared: [section.schema.ast],
          file: loaded.label ?? "flange.toml",
          given,
          layers,
          scrubber,
          unread
        })
      )
      continue
    }
    services.set(section.key, result.success)
    entries.push(...entriesOf(known, layers, given, result.success, scrubber))
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

const unreadSections = (
  merged: Tree,
  layers: ReadonlyArray<Layer>,
  knowns: ReadonlyArray<Known>
): Array<string> => {
  const names = knowns.map(({ name }) => name)
  return Object.keys(merged)
    .filter((key) => !names.includes(key))
    .map((key) => unreadWarning([key], layers, names))
}

const collectSecrets = (known: Known, values: Tree, scrubber: Scrubber): void => {
  const visit = (path: ReadonlyArray<string>): void => {
    const value = getPath(values, [known.name, ...path])
    if (value === undefined) return
    if (isSecret(known.nodes, path, value)) scrubber.add(value)
    else if (isPlain(value)) for (const key of Object.keys(value)) visit([...path, key])
  }
  visit([])
}
