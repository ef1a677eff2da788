/** What a generator writes: files to create and files to edit. */
import { existsSync } from "node:fs"
import * as Effect from "effect/Effect"
import { CommandError } from "../../Plugin/Cli.ts"
import * as Files from "../Files.ts"
import * as Diff from "./Diff.ts"
import * as History from "./History.ts"

/** The files of a generator, by their paths, which are relative to the working directory. */
export interface Plan {
  readonly creates: Readonly<Record<string, string>>
  /** The new texts of files that exist. */
  readonly edits: Readonly<Record<string, string>>
}

const sorted = (texts: Readonly<Record<string, string>>): ReadonlyArray<[string, string]> =>
  Object.entries(texts).sort(([a], [b]) => (a < b ? -1 : 1))

/** Fails with `CommandError` if a file to create exists. */
export const check = (creates: Plan["creates"]): Effect.Effect<void, CommandError> => {
  const existing = sorted(creates).flatMap(([path]) => (existsSync(path) ? [path] : []))
  return existing.length === 0
    ? Effect.void
    : new CommandError({
        exitCode: 2,
        reason: `${existing.length === 1 ? "This file exists" : "These files exist"}, so nothing was written:\n${existing.map((path) => `  ${path}`).join("\n")}\nChoose another name, or move ${existing.length === 1 ? "it" : "them"} away. The command flange generate undo removes what was generated last.`
      })
}

/** Returns the plan as data. */
export const data = ({ creates, edits }: Plan, hasTexts: boolean) => {
  const files = (texts: Readonly<Record<string, string>>) =>
    sorted(texts).map(([path, text]) => (hasTexts ? { path, text } : { path }))
  return { creates: files(creates), edits: files(edits) }
}

/** Returns the plan in lines. */
export const lines = ({ creates, edits }: Plan, hasChanges: boolean): ReadonlyArray<string> => [
  ...sorted(creates).map(([path]) => `create  ${path}`),
  ...sorted(edits).flatMap(([path, text]) => [
    `edit    ${path}`,
    ...(hasChanges
      ? Diff.lines(Files.textOf(path) ?? "", text).map((line) => `          ${line}`)
      : [])
  ])
]

/** Writes all files of the plan, or none, so that the last plan can be undone. */
export const write = ({ creates, edits }: Plan): Effect.Effect<void, CommandError> =>
  Effect.gen(function* () {
    const changes = [...sorted(creates), ...sorted(edits)].map(([path, after]): Files.Change => ({
      after,
      before: Files.textOf(path),
      path
    }))
    yield* Files.change([...changes, yield* History.added(changes)])
  })
