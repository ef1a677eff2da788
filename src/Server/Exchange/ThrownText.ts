/** The text of what was thrown, bounded for any value. */
import * as Cause from "effect/Cause"
import { isError, Reader, type Told } from "./PlainData.ts"
import type { Redaction } from "./Redaction.ts"

/**
 * Returns the stack with the spans that Effect adds to it, and the message of a value that is not an error.
 * Never throws.
 */
export const toldOf = (reason: Cause.Die | Cause.Fail<unknown>, redaction?: Redaction): Told => {
  const thrown = reason._tag === "Fail" ? reason.error : reason.defect
  try {
    const shown =
      typeof thrown === "object" && thrown !== null ? shownFor(thrown, redaction) : thrown
    const annotated = Cause.makeDieReason(shown).annotate(Cause.reasonAnnotations(reason))
    const { message, stack } = Cause.prettyErrors(Cause.fromReasons([annotated]))[0]!
    return isError(thrown) ? { stack } : { message, stack }
  } catch {
    // A getter or a method of the value throws.
    return {}
  }
}

/** Returns what Effect shows of an object, without the members of any size that it would write as JSON. */
const shownFor = (thrown: object, redaction: Redaction | undefined) => {
  const { message, name, stack } = thrown as Readonly<Record<string, unknown>>
  return {
    message: typeof message === "string" ? message : textOf(thrown, redaction),
    name,
    stack
  }
}

/** The texts of objects that tell nothing, or all of a list. */
const inherited: ReadonlySet<unknown> = new Set([
  Array.prototype.toString,
  Error.prototype.toString,
  Object.prototype.toString
])

const textOf = (thrown: object, redaction: Redaction | undefined): string =>
  typeof thrown.toString === "function" && !inherited.has(thrown.toString)
    ? String(thrown)
    : (JSON.stringify(new Reader(redaction).value(thrown)) ?? "")
