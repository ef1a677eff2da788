/** Collects the sources of a configuration, from the lowest precedence to the highest. */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import type { Problem } from "../ConfigError.ts"
import type { LoadOptions } from "../LoadOptions.ts"
import type { AnySection, Compiled } from "../Section.ts"
import { mergeAll, type Source, type Tree } from "../Tree.ts"
import { applyChange, difference } from "./Changes.ts"
import { readEnvFiles } from "./EnvFiles.ts"
import { fromValues } from "./Files.ts"
import { normalize } from "./Normalize.ts"
import { chooseEnvironment, loadFile, splitFile } from "./Overlays.ts"
import { resolveFiles } from "./SecretFiles.ts"
import { fromVariables, type Values } from "./Variables.ts"

/** The sources of a configuration, and what was found while they were read. */
export interface Collected {
  readonly environment: string
  /** The name of the file for reports. */
  readonly file: string
  /**
   * Whether a source is missing or unreadable. Then most keys are missing too: reporting them would
   * hide the real problem.
   */
  readonly incomplete: boolean
  /** The values of all sources together. */
  readonly merged: Tree
  readonly problems: ReadonlyArray<Problem>
  /** The lowest precedence first. */
  readonly sources: ReadonlyArray<Source>
  /** The variables of all layers by name. */
  readonly variables: Values
}

/** Reads all sources. */
export const collect = Effect.fnUntraced(function* (
  options: LoadOptions<ReadonlyArray<AnySection>>,
  compiled: ReadonlyArray<Compiled>
): Effect.fn.Return<Collected, never, FileSystem.FileSystem | Path.Path> {
  const loaded = yield* loadFile(options)
  const file = splitFile(loaded)
  const chosen = chooseEnvironment(options, file)
  const environment = "name" in chosen ? chosen.name : "local"
  // A file that cannot be read may declare the environment that would otherwise be unknown.
  const unreadable = loaded.label === undefined && loaded.problems.length > 0
  const problems: Array<Problem> = [
    ...loaded.problems,
    ...file.problems,
    ...("problem" in chosen && !unreadable ? [chosen.problem] : [])
  ]
  let incomplete = loaded.problems.length > 0 || file.problems.length > 0 || "problem" in chosen

  const directory = options.directory ?? "."
  const sources: Array<Source> = []
  const merged = (): Tree => mergeAll(sources.map(({ values }) => values))
  const add = Effect.fnUntraced(function* (source: Source) {
    const resolved = yield* resolveFiles(source, compiled, directory)
    problems.push(...resolved.problems)
    incomplete ||= resolved.problems.length > 0
    sources.push(
      ...resolved.sources.map((one) => ({ ...one, values: normalize(one.values, compiled) }))
    )
  })
  const addValues = (label: string, input: unknown) => {
    const { problems: refused, values } = fromValues(label, input)
    problems.push(...refused)
    return add({ label, values })
  }

  for (const { plugin, values } of options.defaults ?? []) {
    const label = `defaults of plugin ${plugin}`
    if (typeof values !== "function") yield* addValues(label, values)
    else if ("name" in chosen) yield* addValues(label, values(environment))
  }
  yield* add(file.base)
  const overlay = file.overlays.get(environment)
  if (overlay !== undefined) yield* add(overlay)

  const envFiles = yield* readEnvFiles(
    options.envFiles === true ? directory : undefined,
    environment
  )
  problems.push(...envFiles.problems)
  const layers = [...envFiles.layers, { values: options.variables ?? {}, where: "" }]
  for (const { values, where } of layers) {
    const read = fromVariables(values, compiled, merged(), where)
    problems.push(...read.problems)
    yield* Effect.forEach(read.sources, add, { discard: true })
  }
  let values = merged()
  for (const change of incomplete ? [] : (options.configure ?? [])) {
    const next = applyChange(change, values, environment)
    const resolved = yield* resolveFiles(
      { label: next.label, values: next.values },
      compiled,
      directory
    )
    problems.push(...next.problems, ...resolved.problems)
    const after = normalize(mergeAll(resolved.sources.map((one) => one.values)), compiled)
    sources.push(difference(next.label, values, after))
    values = after
  }
  const below = sources.length
  yield* addValues("overrides", options.overrides)
  return {
    environment,
    file: loaded.label ?? "flange.toml",
    incomplete,
    merged: mergeAll([values, ...sources.slice(below).map((source) => source.values)]),
    problems,
    sources,
    variables: Object.assign({}, ...layers.map(({ values }) => values))
  }
})
