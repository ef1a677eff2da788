/** Loads a configuration: collects its sources, decodes its sections, reports every problem. */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { ConfigError, type Problem } from "./ConfigError.ts"
import { Environment } from "./Environment.ts"
import type { LoadOptions, ReadSecret } from "./LoadOptions.ts"
import { publish, Published, secretProblems } from "./Public.ts"
import { entriesOf, siblings, sourcesAt, unreadKeys, unreadWarning } from "./Report/Entries.ts"
import { checkProblems, type Found, problemsOf } from "./Report/Issues.ts"
import { Scrubber } from "./Report/Render.ts"
import type { Entry, Resolved } from "./Resolved.ts"
import { isSecret, keysOf } from "./SchemaTree.ts"
import { type AnySection, compile, type Compiled } from "./Section.ts"
import { referencesOf, resolve } from "./Source/SecretNames.ts"
import { collect } from "./Source/Sources.ts"
import { getPath, isPlain, mergeAll, type Source, type Tree, tree } from "./Tree.ts"

type Identifiers<Sections extends ReadonlyArray<AnySection>> =
  unknown extends Sections[number]["Identifier"] ? never : Sections[number]["Identifier"]

/**
 * Loads the configuration and decodes every section, or fails with all problems at once.
 *
 * From the lowest precedence to the highest: defaults of the schemas, defaults of plugins in order,
 * the file (or `values`), its `[environments.<name>]` overlay, `.env` files, short variables,
 * `FLANGE__SECTION__KEY` variables, `configure` of plugins in order, `overrides`. Objects merge,
 * everything else replaces. A variable `FLANGE__SECTION__KEY__ADD` adds to a list. A key of a secret
 * with `File` at its end, or `_FILE` in a variable, names a file that has the secret. A value
 * `secret:<name>` of such a key names a secret that `secret` reads.
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
export const load = <const Sections extends ReadonlyArray<AnySection>>(
  options: LoadOptions<Sections>
): Effect.Effect<Resolved<Identifiers<Sections>>, ConfigError, FileSystem.FileSystem | Path.Path> =>
  Effect.flatMap(
    inspect(options),
    ({ entries, environment, problems, secretNames, services, warnings }) =>
      problems.length > 0
        ? Effect.fail(new ConfigError({ problems }))
        : Effect.succeed({
            context: Context.makeUnsafe<Identifiers<Sections>>(services),
            entries,
            environment,
            secretNames,
            warnings
          })
  )

/** What was read of a configuration, whether it is accepted or refused. */
export interface Inspection {
  readonly compiled: ReadonlyArray<Compiled>
  /** The values of all sections, also of those that are refused, sorted by key. */
  readonly entries: ReadonlyArray<Entry>
  readonly environment: string
  /** The values of all sources together, before they are decoded. They have secrets. */
  readonly merged: Tree
  /** Every reason why the configuration is refused, sorted by key. */
  readonly problems: ReadonlyArray<Problem>
  /** The dotted keys whose values name secrets, each with the name of its secret. */
  readonly secretNames: ReadonlyMap<string, string>
  /** The services of the sections that were decoded. */
  readonly services: ReadonlyMap<string, unknown>
  readonly warnings: ReadonlyArray<string>
}

/** Reads a configuration as `load` does, and returns also what is refused. */
export const inspect = Effect.fnUntraced(function* (
  options: LoadOptions<ReadonlyArray<AnySection>>
): Effect.fn.Return<Inspection, never, FileSystem.FileSystem | Path.Path> {
  const { compiled, problems: sectionProblems } = compile(options.sections)
  const collected = yield* collect(options, compiled)
  const { environment, file, incomplete, problems, variables } = collected
  const references = referencesOf(compiled, collected.merged)
  const secrets = yield* resolve(
    references,
    collected.merged,
    typeof options.secret === "function" ? options.secret : unread,
    (path) => sourcesAt(collected.sources, path)[0]?.label ?? "schema default"
  )
  const { merged } = secrets
  const sources = [...collected.sources, ...secrets.sources]
  const scrubber = new Scrubber()
  for (const { values } of sources)
    for (const section of compiled) collectSecrets(section, values, scrubber)
  const marked = compiled.flatMap(secretProblems)
  const found: Array<Found> = [
    ...sectionProblems,
    ...marked,
    ...problems,
    ...(options.secret === "keep" ? [] : secrets.problems)
  ].map((problem) => ({
    missing: false,
    problem: { ...problem, message: scrubber.clean(problem.message) }
  }))

  const entries: Array<Entry> = []
  const services = new Map<string, unknown>([
    [ConfigProvider.ConfigProvider.key, providerOf(merged, variables)],
    [Environment.key, environment]
  ])
  const published: Array<Tree> = []
  const warnings = unreadSections(merged, sources, compiled)
  for (const one of compiled) {
    const value = merged[one.name]
    const input = value === undefined && keysOf(one.encoded).length > 0 ? tree([]) : value
    const unread = unreadKeys(one, input)
    for (const path of unread) {
      warnings.push(unreadWarning([one.name, ...path], sources, siblings(one, path)))
    }
    const around = { file, given: input, scrubber, sources, unread }
    const result = yield* Effect.result(
      Schema.decodeUnknownEffect(one.codec, { errors: "all" })(input)
    )
    const unresolved = secrets.unresolved.filter(({ section }) => section === one)
    if (Result.isFailure(result)) {
      // The name of a secret need not be what the schema takes.
      const isName = ({ problem }: Found) => unresolved.some(({ key }) => key === problem.key)
      found.push(...problemsOf(one, result.failure.issue, around).filter((each) => !isName(each)))
      entries.push(...entriesOf(one, sources, input, undefined, scrubber))
      continue
    }
    const decoded = result.success
    // Without the file, a check could refuse values that the file would correct.
    if (!incomplete && unresolved.length === 0) {
      const issues = one.section.check(decoded, environment)
      found.push(...checkProblems(one, issues, decoded, around))
    }
    services.set(one.section.key, decoded)
    published.push(publish(one, decoded))
    entries.push(...entriesOf(one, sources, input, decoded, scrubber))
  }

  services.set(Published.key, mergeAll(published))
  const reported = found
    .filter(({ missing }) => !(missing && incomplete))
    .map(({ problem }) => problem)
  return {
    compiled,
    entries: entries.sort(byKey),
    environment,
    merged,
    problems: reported.sort(byKey),
    secretNames: new Map(references.map(({ key, name }) => [key, name])),
    services,
    warnings: warnings.sort()
  }
})

const unread: ReadSecret = () =>
  Effect.fail({
    message:
      "Nothing reads secrets here: list Secrets.plugin of flange/Secrets in the app, or write the value itself."
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
