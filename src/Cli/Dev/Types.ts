/** Checks the types of a project with the TypeScript that it has installed. */
import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import * as Effect from "effect/Effect"
import * as Compiler from "../Compiler.ts"

/** How many errors are listed. */
const most = 10

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
  const tsc = existsSync("tsconfig.json") ? Compiler.find(process.cwd()) : undefined
  if (tsc === undefined) return resume(Effect.succeed([]))
  const child = execFile(process.execPath, [tsc, ...options], { maxBuffer: 2 ** 26 }, (_, stdout) =>
    resume(Effect.succeed(linesOf(stdout)))
  )
  return Effect.sync(() => child.kill())
})
