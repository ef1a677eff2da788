/** Changes of files: all of them are made, or none. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs"
import { dirname } from "node:path"
import * as Effect from "effect/Effect"
import * as WholeFile from "../Config/WholeFile.ts"
import { CommandError } from "../Plugin/Cli.ts"
import { sentenceOf } from "./Failure.ts"

/** A text of a file in the place of another. A text is undefined where there is no file. */
export interface Change {
  readonly after: string | undefined
  readonly before: string | undefined
  /** The path, relative to the working directory. */
  readonly path: string
}

/** Returns the text of a file; undefined if there is none. */
export const textOf = (path: string): string | undefined =>
  existsSync(path) ? readFileSync(path, "utf8") : undefined

/** Removes a folder, and those around it, if they are empty. */
const prune = (folder: string): void => {
  if (folder === "." || !existsSync(folder) || readdirSync(folder).length > 0) return
  rmdirSync(folder)
  prune(dirname(folder))
}

/** Sets the text of a file. */
const set = (path: string, text: string | undefined): void => {
  if (text === undefined) {
    rmSync(path, { force: true })
    prune(dirname(path))
    return
  }
  mkdirSync(dirname(path), { recursive: true })
  try {
    WholeFile.write(path, text)
  } catch (error) {
    prune(dirname(path))
    throw error
  }
}

/** Makes all changes. If one fails, those before it are undone. */
export const change = (changes: ReadonlyArray<Change>): Effect.Effect<void, CommandError> =>
  Effect.suspend(() => {
    const done: Array<Change> = []
    for (const each of changes) {
      try {
        set(each.path, each.after)
        done.push(each)
      } catch (cause) {
        for (const { before, path } of done.toReversed()) set(path, before)
        return new CommandError({
          cause,
          exitCode: 2,
          reason: `${each.path} cannot be written, so nothing was changed: ${sentenceOf(cause)}`
        })
      }
    }
    return Effect.void
  })
