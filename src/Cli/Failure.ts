/** Failures of commands, and the words for them. */
import * as Cause from "effect/Cause"
import { formatJson } from "effect/Formatter"
import { hasProperty } from "effect/Predicate"
import { ActionPayloadError } from "../Plugin/Action.ts"
import { CommandError } from "../Plugin/Cli.ts"

/** Returns the message of an error; of an error without a message, its tag and its fields. */
export const sentenceOf = (error: unknown): string => {
  if (error instanceof Error && error.message !== "") return error.message
  if (typeof error === "string") return error
  const fields = formatJson(error)
  return hasProperty(error, "_tag") ? `${String(error._tag)} ${fields}` : fields
}

/** Creates the error that an argument, or a file that it names, cannot be used. */
export const unusable = (reason: string, cause?: unknown): CommandError =>
  new CommandError({ cause, exitCode: 2, reason })

/** The failure of a command. */
interface Failure {
  readonly error: unknown
  readonly exitCode: number
  readonly text: string
}

/** Returns the text and the exit code of a failure: a defect is shown with its stack. */
export const of = (cause: Cause.Cause<unknown>): Failure => {
  const error = Cause.squash(cause)
  if (!Cause.hasFails(cause)) return { error, exitCode: 1, text: Cause.pretty(cause) }
  if (error instanceof CommandError) return { error, exitCode: error.exitCode, text: error.message }
  return { error, exitCode: error instanceof ActionPayloadError ? 2 : 1, text: sentenceOf(error) }
}
