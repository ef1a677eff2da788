/** Checks the types and the Effects of a project with the compilers that it has installed. */
import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { relative } from "node:path"
import * as Effect from "effect/Effect"
import * as Compiler from "../Compiler.ts"

/** How many errors are listed. */
const most = 10

const typesOptions = [
  "--noEmit",
  "--incremental",
  "--tsBuildInfoFile",
  ".flange/types.tsbuildinfo",
  "--pretty",
  "false"
]

/** As `npm run check` of a project that `flange new` creates. */
const effectsOptions =
  "diagnostics --project tsconfig.json --severity error,warning --format json".split(" ")

const forgotten = "a forgotten yield* is not found"

/** The part that is read of what `effect-tsgo` writes. */
interface Diagnostics {
  readonly diagnostics: ReadonlyArray<{
    readonly file: string
    readonly line: number
    readonly message: string
  }>
  readonly summary: { readonly filesChecked: number; readonly totalFiles: number }
}

/** Errors, and why something is not checked. */
interface Found {
  readonly errors: ReadonlyArray<string>
  readonly unchecked?: string
}

/** Runs a program. Returns what it has written. An interruption ends it. */
const run = (program: string, options: ReadonlyArray<string>) =>
  Effect.callback<{ readonly stderr: string; readonly stdout: string }>((resume) => {
    const child = execFile(
      process.execPath,
      [program, ...options],
      { maxBuffer: 2 ** 26 },
      (_, stdout, stderr) => resume(Effect.succeed({ stderr, stdout }))
    )
    return Effect.sync(() => child.kill())
  })

const errorsOf = (output: string): ReadonlyArray<string> =>
  output.split("\n").flatMap((line) => {
    const found = /\((\d+),\d+\): error (?:TS\d+: )?/.exec(line)
    if (found !== null && found.index > 0) {
      // A compiler that `effect-tsgo` has patched finds its errors too, and adds their names.
      const message = line.slice(found.index + found[0].length).replace(/ effect\(\w+\)$/, "")
      return [`${line.slice(0, found.index)}:${found[1]} ${message}`]
    }
    return line.startsWith("error ") ? [line.slice("error ".length)] : []
  })

const effectsOf = (stdout: string, stderr: string): Found => {
  let output: Diagnostics
  try {
    output = JSON.parse(stdout) // `effect-tsgo` writes it
  } catch {
    const reason = (stderr.trim() || stdout.trim()).split("\n")[0]
    return { errors: [], unchecked: `effect-tsgo failed: ${reason}` }
  }
  const { diagnostics, summary } = output
  if (summary.filesChecked === 0 && summary.totalFiles > 0) {
    return {
      errors: [],
      unchecked: `${forgotten}: add { "name": "@effect/language-service" } to compilerOptions.plugins in tsconfig.json`
    }
  }
  return {
    errors: diagnostics.map(({ file, line, message }) => {
      const [first] = message.split("\n")
      return `${relative(process.cwd(), file)}:${line} ${first}`
    })
  }
}

const checkEffects: Effect.Effect<Found> = Effect.suspend(() => {
  const program = Compiler.findEffects(process.cwd())
  return program === undefined
    ? Effect.succeed({
        errors: [],
        unchecked: `${forgotten}: npm install -D @effect/tsgo`
      })
    : Effect.map(run(program, effectsOptions), ({ stderr, stdout }) => effectsOf(stdout, stderr))
})

const linesOf = (errors: ReadonlyArray<string>): ReadonlyArray<string> => {
  if (errors.length === 0) return ["types: ok"]
  const more = errors.length - most
  return [
    `types: ${errors.length} ${errors.length === 1 ? "error" : "errors"}`,
    ...errors.slice(0, most).map((error) => `  ${error}`),
    ...(more > 0 ? [`  and ${more} more`] : [])
  ]
}

/**
 * Creates a check of the project in the working directory. It returns the lines to print; none if
 * the project has no TypeScript. What is not checked is told once. An interruption ends the check.
 */
export const make = (): Effect.Effect<ReadonlyArray<string>> => {
  let told: string | undefined
  return Effect.gen(function* () {
    const tsc = existsSync("tsconfig.json") ? Compiler.find(process.cwd()) : undefined
    if (tsc === undefined) return []
    const [types, effects] = yield* Effect.all([run(tsc, typesOptions), checkEffects], {
      concurrency: "unbounded"
    })
    const lines = linesOf([...new Set([...errorsOf(types.stdout), ...effects.errors])])
    if (effects.unchecked === undefined || effects.unchecked === told) return lines
    told = effects.unchecked
    return [...lines, `types: ${told}`]
  })
}
