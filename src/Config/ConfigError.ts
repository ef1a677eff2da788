/** The error of a refused configuration, and its report. */
import * as Data from "effect/Data"

/** One reason why a configuration is refused. Values of secret fields are never in it. */
export interface Problem {
  /** A description of the values that the key takes. */
  readonly expected: string
  /**
   * The dotted key, such as `server.port`, or `(file)` or `(variable)` if the problem is not about
   * a key.
   */
  readonly key: string
  /** One sentence: the value, why it is refused, what to write instead. */
  readonly message: string
  /** The known name closest to the unknown one, if one is close. */
  readonly nearest: string | undefined
  /** The value as text, `<redacted>` for a secret, `undefined` if nothing is set. */
  readonly received: string | undefined
  /** Where the value is, such as `flange.toml [environments.production]` or `variable PORT`. */
  readonly source: string
}

/**
 * The configuration is refused. `problems` has every reason at once, sorted by key, and `message`
 * is the report for people. Nothing has been acquired when this error appears.
 */
export class ConfigError extends Data.TaggedError("ConfigError")<{
  readonly problems: ReadonlyArray<Problem>
}> {
  override get message(): string {
    return renderProblems(this.problems)
  }
}

const renderProblems = (problems: ReadonlyArray<Problem>): string => {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`
  const lines = [`┌ The configuration has ${count}`, "│"]
  for (const problem of problems) {
    lines.push(`│ ${problem.key}`)
    lines.push(`│   ${problem.message}`)
    lines.push(`│   source    ${problem.source}`)
    if (problem.received !== undefined) lines.push(`│   received  ${problem.received}`)
    lines.push(`│   expected  ${problem.expected}`)
    if (problem.nearest !== undefined) lines.push(`│   nearest   ${problem.nearest}`)
    lines.push("│")
  }
  lines.push("└ Repair all of them and start again.")
  return lines.join("\n")
}

/** Creates a problem without a value and without a nearest name. */
export const problemAt = (
  key: string,
  source: string,
  expected: string,
  message: string
): Problem => ({
  expected,
  key,
  message,
  nearest: undefined,
  received: undefined,
  source
})
