/** The error of test options that contradict each other or the app. */
import * as Data from "effect/Data"

/**
 * The options of a test contradict each other, or do not fit the app. The error holds every problem
 * at once, each with the names of the options. The app was not booted.
 */
export class TestOptionsError extends Data.TaggedError("TestOptionsError")<{
  /** The id of the app. */
  readonly app: string
  /**
   * One sentence for each problem: the options that contradict each other, and what to write
   * instead.
   */
  readonly problems: ReadonlyArray<string>
}> {
  override get message(): string {
    return [
      `The options for app "${this.app}" contradict each other or the app:`,
      ...this.problems.map((problem) => `  - ${problem}`)
    ].join("\n")
  }
}
