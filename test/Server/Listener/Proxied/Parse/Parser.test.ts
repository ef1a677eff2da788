import { assert, describe, it } from "vitest"
import { bytesOf, cases } from "./cases.ts"
import { byByte, generator, split, verdict } from "./verdict.ts"

describe("the parser reads a request in one way or refuses it", () => {
  it("has at least 120 cases, each with a name of its own", () => {
    assert.isAtLeast(cases.length, 120)
    assert.strictEqual(new Set(cases.map(([name]) => name)).size, cases.length)
  })

  it.each(cases)("%s", (_, text, expected) => {
    assert.strictEqual(verdict([bytesOf(text)]), expected)
  })
})

describe("where the bytes are cut changes nothing", () => {
  it.each(cases)("octet by octet: %s", (_, text, expected) => {
    const bytes = bytesOf(text)
    // Each octet costs as much as the line before it.
    const whole = Math.max(0, bytes.length - 2000)
    const pieces = [bytes.subarray(0, whole), ...byByte(bytes.subarray(whole))]
    assert.strictEqual(verdict(pieces.filter(({ length }) => length > 0)), expected)
  })

  it.each(cases)("in two pieces at every place, and at random: %s", (_, text, expected) => {
    const bytes = bytesOf(text)
    const step = bytes.length < 600 ? 1 : 97
    for (let at = 1; at < bytes.length; at += step) {
      assert.strictEqual(
        verdict([bytes.subarray(0, at), bytes.subarray(at)]),
        expected,
        `cut at ${at}`
      )
    }
    const random = generator(bytes.length)
    for (let i = bytes.length < 600 ? 20 : 4; i > 0; i--) {
      const pieces = split(bytes, random)
      assert.strictEqual(
        verdict(pieces),
        expected,
        `pieces of ${pieces.map((piece) => piece.length).join(", ")}`
      )
    }
  })
})
