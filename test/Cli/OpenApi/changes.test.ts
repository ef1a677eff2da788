// The differences between two OpenAPI documents, by the table of `cases.ts`.
import { assert, describe, it } from "vitest"
import * as Changes from "../../../src/Cli/OpenApi/Changes.ts"
import { cases, documentOf } from "./cases.ts"

describe("the class of a change", () => {
  for (const [name, before, after, classes, sentence] of cases) {
    it(`${name}: ${classes.length === 0 ? "no difference" : classes.join(", ")}`, () => {
      const changes = Changes.of(documentOf(before), documentOf(after))
      const messages = changes.map(({ message }) => message)
      assert.deepStrictEqual(
        changes.map(({ kind, weaker }) => (weaker ? "weaker" : kind)),
        [...classes],
        messages.join("\n")
      )
      if (sentence !== undefined) assert.include(messages.join("\n"), sentence)
    })
  }
})

it("a document does not differ from itself, whatever is in it", () => {
  for (const [, before, after] of cases) {
    for (const parts of [before, after]) {
      assert.deepStrictEqual(Changes.of(documentOf(parts), documentOf(parts)), [])
    }
  }
})
