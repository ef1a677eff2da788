/** No regular expression of the sources takes more than linear time, whatever the input. */
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { parseSync, Visitor } from "oxc-parser"
import { checkSync } from "recheck"
import { expect, it } from "vitest"

const root = join(import.meta.dirname, "..")

/** The regular expressions that are written as literals. */
const literals = globSync("src/**/*.ts", { cwd: root }).flatMap((file) => {
  const found: Array<{ readonly file: string; readonly flags: string; readonly pattern: string }> =
    []
  const { program } = parseSync(file, readFileSync(join(root, file), "utf8"))
  new Visitor({
    Literal: (node) => {
      if ("regex" in node) found.push({ file, ...node.regex })
    }
  }).visit(program)
  return found
})

const problemOf = (pattern: string, flags: string): string | undefined => {
  // The result must not depend on how fast the machine is.
  const result = checkSync(pattern, flags, { timeout: null })
  return result.status === "vulnerable" ? result.complexity.summary : undefined
}

it("there are regular expressions to check", () => {
  expect(literals.length).toBeGreaterThan(50)
})

it("a regular expression that takes quadratic time is found", () => {
  expect(problemOf("[ \\t]+$", "")).toMatch(/polynomial/)
})

it("every regular expression takes linear time", () => {
  const problems = literals.flatMap(({ file, flags, pattern }) => {
    const problem = problemOf(pattern, flags)
    return problem === undefined ? [] : [`${file}: /${pattern}/${flags}: ${problem}`]
  })
  expect(problems).toEqual([])
})
