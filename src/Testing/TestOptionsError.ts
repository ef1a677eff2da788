/** What a test asked for cannot be done. */
import * as Data from "effect/Data"

/**
 * The options of a test contradict each other, or do not fit the app. Holds every
 * problem at once, each with the names of the options. Nothing was booted.
 */
export class TestOptionsError extends Data.TaggedError("TestOptionsError")<{
  /** The id of the app. */
  readonly app: string
  /** Sentences: what contradicts what, and what to write instead. */
  readonly problems: ReadonlyArray<string>
}> {
  override get message(): string {
    return [
      `The options for app "${this.app}" contradict each other or the app:`,
      ...this.problems.map((problem) => `  - ${problem}`)
    ].join("\n")
  }
}
