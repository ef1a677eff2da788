/** Reads variables from the files `.env` and `.env.<environment>`. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { type Problem, problemAt } from "../ConfigError.ts"
import { canonical } from "../Environment.ts"
import type { Values } from "./Variables.ts"

/** The variables of one file. */
export interface EnvFile {
  readonly values: Values
  /** The text after the name of a variable in reports, such as ` in .env`. */
  readonly where: string
}

/** The environments of a developer's machine. Elsewhere the platform sets the variables. */
const environments: ReadonlySet<string> = new Set(["local", "test"])

/**
 * Reads the files of the directory, the lowest precedence first. Reads none without a directory or
 * in another environment than `local` and `test`. A file that does not exist is left out.
 */
export const readEnvFiles = Effect.fnUntraced(function* (
  directory: string | undefined,
  environment: string
): Effect.fn.Return<
  { readonly layers: ReadonlyArray<EnvFile>; readonly problems: ReadonlyArray<Problem> },
  never,
  FileSystem.FileSystem | Path.Path
> {
  const layers: Array<EnvFile> = []
  const problems: Array<Problem> = []
  if (directory === undefined || !environments.has(environment)) return { layers, problems }
  const fileSystem = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  for (const name of [".env", `.env.${environment}`]) {
    const content = yield* fileSystem
      .readFileString(path.resolve(directory, name))
      .pipe(Effect.match({ onFailure: (error) => error, onSuccess: (text) => text }))
    if (typeof content === "string") {
      // Batteries that a contract imports load this module, also where Node's modules are missing.
      const { parseEnv } = process.getBuiltinModule("node:util")
      const values: Values = parseEnv(content.replace(/^\uFEFF/, ""))
      layers.push({ values, where: ` in ${name}` })
      const named = values["FLANGE_ENV"]
      if (named !== undefined && canonical(named) !== environment) {
        problems.push(
          problemAt(
            "env",
            `variable FLANGE_ENV in ${name}`,
            "no FLANGE_ENV",
            `FLANGE_ENV in ${name} does not choose the environment, because the environment chooses ` +
              "the file: remove it there, and set it as a variable of the process."
          )
        )
      }
    } else if (content.reason._tag !== "NotFound") {
      problems.push(
        problemAt(
          "(file)",
          name,
          "a file that can be read",
          `${name} cannot be read (${content.reason._tag}): make it readable, or remove it.`
        )
      )
    }
  }
  return { layers, problems }
})
