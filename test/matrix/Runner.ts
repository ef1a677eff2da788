// Runs the tests of another runtime: leaves out those that `differences.ts` lists, and fails if one of them does not exist.
import { relative } from "node:path"
import { type RunnerTask, type RunnerTestFile, TestRunner } from "vitest"
import { runtime } from "./combination.ts"
import { of } from "./differences.ts"

export default class Runner extends TestRunner {
  onCollected(files: ReadonlyArray<RunnerTestFile>): void {
    for (const file of files) {
      const path = relative(`${this.config.root}/test`, file.filepath)
      for (const { path: listed, tests } of of(runtime)) {
        if (tests === undefined || listed !== path) continue
        if (leaveOut(file, tests) === 0) {
          throw new Error(`${path} has no test ${tests}: correct test/matrix/differences.ts`)
        }
      }
    }
  }
}

/** Leaves out the tests below a task whose full name matches, and returns how many they are. */
const leaveOut = (task: RunnerTask, names: RegExp): number => {
  if (task.type === "test") {
    if (!names.test(task.fullTestName.replaceAll(" > ", " "))) return 0
    task.mode = "skip"
    task.result = { state: "skip" }
    return 1
  }
  const counts = task.tasks.map((below) => leaveOut(below, names))
  if (task.tasks.every(({ mode }) => mode === "skip")) task.mode = "skip"
  return counts.reduce((sum, count) => sum + count, 0)
}
