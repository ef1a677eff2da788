// Runs the tests of another runtime: leaves out those that `differences.ts` lists, and fails if one of them does not exist.
import { relative } from "node:path"
import {
  type RunnerTask,
  type RunnerTestCase,
  type RunnerTestFile,
  TestRunner,
  type VitestTestRunner
} from "vitest"
import { runtime } from "./combination.ts"
import { of } from "./differences.ts"

export default class Runner extends TestRunner {
  declare readonly onTaskUpdate: NonNullable<VitestTestRunner["onTaskUpdate"]>

  async onCollected(files: ReadonlyArray<RunnerTestFile>): Promise<void> {
    for (const file of files) {
      const path = relative(`${this.config.root}/test`, file.filepath)
      for (const { path: listed, tests } of of(runtime)) {
        if (tests === undefined || listed !== path) continue
        const left = leaveOut(file, tests)
        if (left.length === 0) {
          throw new Error(`${path} has no test ${tests}: correct test/matrix/differences.ts`)
        }
        // Vitest says nothing of the tests of a suite that is skipped, and counts them neither way.
        await this.onTaskUpdate(
          left.map(({ id, result }) => [id, result, {}]),
          left.map(({ id }) => [id, "test-finished", undefined])
        )
      }
    }
  }
}

/** Leaves out the tests below a task whose full name matches, and returns them. */
const leaveOut = (task: RunnerTask, names: RegExp): ReadonlyArray<RunnerTestCase> => {
  if (task.type === "test") {
    if (!names.test(task.fullTestName.replaceAll(" > ", " "))) return []
    task.mode = "skip"
    task.result = { state: "skip" }
    return [task]
  }
  const left = task.tasks.flatMap((below) => leaveOut(below, names))
  if (task.tasks.every(({ mode }) => mode === "skip")) task.mode = "skip"
  return left
}
