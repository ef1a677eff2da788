/** The record of what was generated, from which the last plan is undone. */
import { createHash } from "node:crypto"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { CommandError } from "../../Plugin/Cli.ts"
import { unusable } from "../Failure.ts"
import * as Files from "../Files.ts"

/** The file of the record. */
const file = join(".flange", "generated.json")

/** Nothing outside of the project is undone, whatever the record says. */
const Path = Schema.String.check(
  Schema.isPattern(/^(?![/\\]|[A-Za-z]:)(?!(.*[/\\])?\.\.([/\\]|$))/)
)

const Written = Schema.Struct({
  /** The text of an edited file before the edit. */
  before: Schema.optionalKey(Schema.String),
  /** The hash of the text that was written. */
  hash: Schema.String,
  path: Path
})

/** The files of each plan, the last one last. */
const History = Schema.fromJsonString(Schema.Array(Schema.Array(Written)))

type History = typeof History.Type

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex")

const decode = Schema.decodeUnknownEffect(History)

const read: Effect.Effect<History, CommandError> = Effect.suspend(() =>
  Effect.mapError(decode(Files.textOf(file) ?? "[]"), ({ message }) =>
    unusable(
      `${file} is not a record of what was generated: ${message}\nRemove it, and undo by hand or with git`
    )
  )
)

const changeTo = (history: History): Files.Change => ({
  after: history.length === 0 ? undefined : `${JSON.stringify(history, undefined, 2)}\n`,
  before: Files.textOf(file),
  path: file
})

/** Returns the change of the record that adds the changes of a plan. */
export const added = (
  changes: ReadonlyArray<Files.Change>
): Effect.Effect<Files.Change, CommandError> =>
  Effect.map(read, (history) => {
    const written = changes.flatMap(({ after, before, path }) =>
      after === undefined
        ? []
        : [{ hash: hashOf(after), path, ...(before === undefined ? {} : { before }) }]
    )
    return changeTo([...history, written])
  })

/** Undoes the last plan. Fails with `CommandError` if there is none, or if one of its files was changed. */
export const undo: Effect.Effect<ReadonlyArray<Files.Change>, CommandError> = Effect.gen(
  function* () {
    const history = yield* read
    const last = history.at(-1)
    if (last === undefined) {
      return yield* unusable(
        `Nothing was generated in ${process.cwd()}, or everything is undone: there is no ${file}. Run flange in the folder of the project`
      )
    }
    const changes = last.map(({ before, path }): Files.Change => ({
      after: before,
      before: Files.textOf(path),
      path
    }))
    const changed = changes.filter(({ before }, at) => {
      const { before: old, hash } = last[at]!
      // A generated file that was removed is undone already.
      return before === undefined ? old !== undefined : hashOf(before) !== hash
    })
    if (changed.length > 0) {
      return yield* unusable(
        `These files were changed since they were generated, so nothing was undone:\n${changed.map(({ path }) => `  ${path}`).join("\n")}\nRestore them with git, or undo the rest by hand`
      )
    }
    yield* Files.change([...changes, changeTo(history.slice(0, -1))])
    return changes.filter(({ before }) => before !== undefined)
  }
)
