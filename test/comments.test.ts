import { expect, it } from "vitest"
import { lint } from "./lint.ts"

/** The rules that a file breaks. */
const broken = (text: string): ReadonlyArray<string> =>
  lint("comments", ["header", "stars"], text).map(({ code }) => code)

it.each([
  ["an import", `/** A. */\nimport "a"\n`],
  ["a blank line", `/**\n * A.\n */\n\nexport const a = 1\n`],
  ["a shebang before it", `#!/usr/bin/env node\n/** A. */\nimport "a"\n`]
])("a module header with %s is accepted", (_, text) => {
  expect(broken(text)).toEqual([])
})

it.each([
  ["is missing", `import "a"\n`],
  ["stands behind an import", `import "a"\n/** A. */\nimport "b"\n`],
  ["belongs to a declaration", `/** A. */\nexport const a = 1\n`],
  ["belongs to an export", `/** A. */\nexport * from "a"\n`],
  ["is no doc comment", `/* A. */\n\nimport "a"\n`]
])("a module header that %s is refused", (_, text) => {
  expect(broken(text)).toEqual(["comments(header)"])
})

const module = "/** A. */\n\n"

it.each([
  ["on every line", `${module}/**\n * B.\n *\n * C.\n */\nexport const b = 1\n`],
  ["in a class", `${module}class A {\n  /**\n   * B.\n   */\n  b = 1\n}\n`],
  ["in a comment that is none of documentation", `${module}/*\n  B.\n*/\n`]
])("stars %s are accepted", (_, text) => {
  expect(broken(text)).toEqual([])
})

it.each([
  ["text", `${module}/**\n * B.\n   C.\n */\nexport const b = 1\n`],
  ["nothing", `${module}/**\n * B.\n\n * C.\n */\nexport const b = 1\n`],
  ["a star without a space", `${module}/**\n *B.\n */\nexport const b = 1\n`]
])("a line of a doc comment with %s in place of its star is refused", (_, text) => {
  expect(broken(text)).toEqual(["comments(stars)"])
})
