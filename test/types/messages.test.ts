/** The compiler's messages about common mistakes: what they say, how long they are, and where. */
import { describe, expect, it } from "vitest"
import { type Judge, run } from "./harness/Harness.ts"

/** The longest message of the compiler, and the longest sentence of Flange in it. */
const limits = { message: 1000, sentence: 400 }

/** The sentence is whole, it is the end of the message, and both are short. */
const endsWithSentence: Judge = (message, sentence) =>
  message.length < limits.message &&
  sentence.length < limits.sentence &&
  [`'"${sentence}"'.`, `: "${sentence}"; }'.`, `& "${sentence}"'.`, `| "${sentence}"'.`].some(
    (end) => message.endsWith(end)
  )

const outcomes = run("test/types/messages", "messages", {
  // As in a project of a user, in which the compiler cuts long types.
  compilerOptions: { noErrorTruncation: false },
  fits: endsWithSentence
})

describe("a mistake is told where it is made, by one sentence that says what to write", () => {
  for (const { failure, file, name } of outcomes) {
    it(`${file}, ${name}`, () => {
      if (failure !== undefined) throw new Error(failure)
    })
  }
})

it("a sentence in the middle of a message, a part of one, and a long message do not pass", () => {
  const sentence = "`a` has no handler"
  expect(endsWithSentence(`Type 'A' is not assignable to type '"${sentence}"'.`, sentence)).toBe(
    true
  )
  expect(endsWithSentence(`Type '"${sentence}"' is not assignable to type 'A'.`, sentence)).toBe(
    false
  )
  expect(endsWithSentence(`Type 'A' is not assignable to '"${sentence}"'.`, "handler")).toBe(false)
  expect(endsWithSentence(`${"A".repeat(1000)} '"${sentence}"'.`, sentence)).toBe(false)
})
