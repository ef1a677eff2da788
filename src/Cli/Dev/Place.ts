/** The place of an error in the sources of an app. */
import { fileURLToPath } from "node:url"
import type { Failure } from "./Messages.ts"

/** The folder of Flange itself. */
const flange = fileURLToPath(new URL("../..", import.meta.url))

/** A file, as a path or a URL, its line, and perhaps the column. */
const located = /^(file:\/\/\S+?|\/.+?|[A-Za-z]:[\\/].+?):(\d+)(?::\d+)?$/

/** Whether a file or the URL of a module belongs to a package, and not to the app. */
export const isOfPackage = (file: string): boolean =>
  /[\\/]node_modules[\\/]/.test(file) || pathOf(file)?.startsWith(flange) !== false

/** Returns the path of a URL; undefined for a module without a file. */
export const pathOf = (url: string): string | undefined => {
  if (!/^[a-z-]{2,}:/.test(url)) return url
  return url.startsWith("file:") ? fileURLToPath(url) : undefined
}

/**
 * Returns the file and line of an error, such as `/home/ada/shop/src/app.ts:7`: what Node writes
 * above the stack of a module that it cannot compile, or else the first call in the sources of the
 * app.
 */
export const of = (error: unknown): string | undefined => {
  if (!(error instanceof Error)) return undefined
  const lines = (error.stack ?? "").split("\n")
  const calls = lines.flatMap((line) => {
    const call = line.trimStart()
    if (!call.startsWith("at ")) return []
    return call.slice(Math.max(call.lastIndexOf("(") + 1, "at ".length)).replace(/\)$/, "")
  })
  for (const line of [lines[0]!, ...calls]) {
    const [, file, number] = located.exec(line.replace(/^async /, "")) ?? []
    if (file !== undefined && !isOfPackage(file)) return `${pathOf(file)}:${number}`
  }
  return of(error.cause)
}

/** Returns the place of a failure; undefined if its text names the place, or if it has none. */
export const untoldOf = ({ place, text }: Pick<Failure, "place" | "text">): string | undefined =>
  place !== undefined && text.includes(place) ? undefined : place
