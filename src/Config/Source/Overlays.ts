/** Splits a file into its base and the overlays of environments, and chooses the environment. */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import { type Problem, problemAt } from "../ConfigError.ts"
import { canonical, resolveEnvironment } from "../Environment.ts"
import { isPlain, type Source, tree } from "../Tree.ts"
import { fromValues, type Loaded, readFile } from "./Files.ts"

const codeLabel = "code"

/** The file, or the values in code, split into its base and the overlays of environments. */
export interface FileSources {
  readonly base: Source
  readonly env: unknown
  readonly overlays: ReadonlyMap<string, Source>
  readonly problems: ReadonlyArray<Problem>
}

/** Separates `env`, `environments` and the `$schema` of editors from the other loaded values. */
export const splitFile = (loaded: Loaded): FileSources => {
  const label = loaded.label ?? codeLabel
  const { $schema: _, env, environments, ...base } = loaded.values
  const problems: Array<Problem> = []
  const overlays = new Map<string, Source>()
  if (environments !== undefined && environments !== null && !isPlain(environments)) {
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
    if (values !== null && !isPlain(values)) {
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
          `${other.label} and ${source} are the same environment: keep one of them.`
        )
      )
    } else overlays.set(full, { label: source, values: values ?? tree([]) })
  }
  return { base: { label, values: tree(Object.entries(base)) }, env, overlays, problems }
}

/** Returns the environment from the option, the variable `FLANGE_ENV`, the file, or `local`. */
export const chooseEnvironment = (
  options: {
    readonly environment?: string | undefined
    readonly variables?: Readonly<Record<string, string | undefined>> | undefined
  },
  file: FileSources
): ReturnType<typeof resolveEnvironment> => {
  const declared = [...file.overlays.keys()]
  const variable = options.variables?.["FLANGE_ENV"]
  const resolve = (name: string, source: string) => resolveEnvironment({ name, source }, declared)
  if (options.environment !== undefined) return resolve(options.environment, "option environment")
  if (variable !== undefined && variable !== "") return resolve(variable, "variable FLANGE_ENV")
  if (file.env === undefined || file.env === null) return { name: "local" }
  if (typeof file.env === "string") return resolve(file.env, file.base.label)
  return {
    problem: problemAt(
      "env",
      file.base.label,
      "the name of an environment",
      `env in ${file.base.label} is not a string: write the name of an environment.`
    )
  }
}

/** Reads the file, or takes the values in code instead. */
export const loadFile = (options: {
  readonly directory?: string | undefined
  readonly file?: string | undefined
  readonly values?: object | undefined
}): Effect.Effect<Loaded, never, FileSystem.FileSystem | Path.Path> => {
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
