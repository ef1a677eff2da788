/** Checks the types of a project with the TypeScript that it has installed. */
import { execFile } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join, resolve } from "node:path"
import * as Effect from "effect/Effect"

/** How many errors are listed. */
const most = 10

/** Returns the program `tsc` of the project; undefined without TypeScript or a configuration of it. */
const program = (): string | undefined => {
  if (!existsSync("tsconfig.json")) return undefined
  try {
    const manifest = createRequire(resolve("package.json")).resolve("typescript/package.json")
    return join(dirname(manifest), JSON.parse(readFileSync(manifest, "utf8")).bin.tsc)
  } catch {
    return undefined
  }
}

const options = [
  "--noEmit",
  "--incremental",
  "--tsBuildInfoFile",
  ".flange/types.tsbuildinfo",
  "--pretty",
  "false"
]

const linesOf = (output: string): ReadonlyArray<string> => {
  const errors = output.split("\n").flatMap((line) => {
    const found = /\((\d+),\d+\): error (?:TS\d+: )?/.exec(line)
    if (found !== null && found.index > 0) {
      const message = line.slice(found.index + found[0].length)
      return [`  ${line.slice(0, found.index)}:${found[1]} ${message}`]
    }
    return line.startsWith("error ") ? [`  ${line.slice("error ".length)}`] : []
  })
  if (errors.length === 0) return ["types: ok"]
  const more = errors.length - most
  return [
    `types: ${errors.length} ${errors.length === 1 ? "error" : "errors"}`,
    ...errors.slice(0, most),
    ...(more > 0 ? [`  and ${more} more`] : [])
  ]
}

/**
 * Checks the types of the project in the working directory. Returns the lines to print; none if it
 * has no TypeScript. An interruption ends the check.
 */
export const check: Effect.Effect<ReadonlyArray<string>> = Effect.callback((resume) => {
  const tsc = program()
  if (tsc === undefined) return resume(Effect.succeed([]))
  const child = execFile(process.execPath, [tsc, ...options], { maxBuffer: 2 ** 26 }, (_, stdout) =>
    resume(Effect.succeed(linesOf(stdout)))
  )
  return Effect.sync(() => child.kill())
})
