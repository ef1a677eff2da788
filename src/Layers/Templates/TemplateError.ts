/** The errors of templates. They are for the log, and never part of a reply. */
import * as Data from "effect/Data"

/** A template is missing, cannot be compiled, does not fit its data, or has thrown. */
export class TemplateError extends Data.TaggedError("TemplateError")<{
  /** What the template has thrown, if it has thrown. */
  readonly cause?: unknown
  /** The line of the template, if it is known. Lines begin with 1. */
  readonly line: number | undefined
  /** Why, and what to write instead. */
  readonly reason: string
  /** The name of the template that has the fault, a partial or a layout perhaps; undefined if all have it. */
  readonly template: string | undefined
}> {
  override get message(): string {
    const { line, reason, template } = this
    if (template === undefined) return `Templates: ${reason}`
    return `Template "${template}"${line === undefined ? "" : `, line ${line}`}: ${reason}`
  }
}

/** The app cannot start: templates are missing or cannot be compiled. */
export class TemplatesInvalid extends Data.TaggedError("TemplatesInvalid")<{
  /** All of the problems. */
  readonly problems: ReadonlyArray<TemplateError>
}> {
  override get message(): string {
    const lines = this.problems.map(({ message }) => `\n- ${message}`)
    return `The templates have ${lines.length === 1 ? "a problem" : `${lines.length} problems`}:${lines.join("")}`
  }
}
