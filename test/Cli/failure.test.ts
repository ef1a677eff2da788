import * as Cause from "effect/Cause"
import { assert, describe, it } from "vitest"
import { of, sentenceOf } from "../../src/Cli/Failure.ts"

describe("the words for a failure", () => {
  it("are the message of an error, or the tag and the fields of a value", () => {
    assert.strictEqual(sentenceOf(new Error("the relay refuses us")), "the relay refuses us")
    assert.strictEqual(sentenceOf("no room"), "no room")
    assert.strictEqual(sentenceOf({ _tag: "Full", room: 7 }), 'Full {"_tag":"Full","room":7}')
  })

  it("exist for every value: without a message, circular, or with a number that JSON lacks", () => {
    const circular: { _tag: string; self?: unknown } = { _tag: "Circular" }
    circular.self = circular
    for (const value of [undefined, null, circular, { big: 7n }, new Error(""), Symbol("s")]) {
      assert.isNotEmpty(of(Cause.fail(value)).text)
    }
  })
})
