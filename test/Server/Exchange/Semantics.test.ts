import { assert, describe, it } from "vitest"
import * as Semantics from "../../../src/Server/Exchange/Semantics.ts"

describe("Semantics.bodyOf", () => {
  it.each([
    ["GET", 200, "body"],
    ["GET", 404, "body"],
    ["GET", 204, "nothing"],
    ["GET", 304, "nothing"],
    ["HEAD", 200, "length"],
    ["HEAD", 204, "nothing"]
  ] as const)("the reply to %s with status %s sends %s", (method, status, sent) => {
    assert.strictEqual(Semantics.bodyOf(method, status), sent)
  })
})

describe("Semantics.joined", () => {
  it("joins lines with a comma, those of cookie with a semicolon", () => {
    assert.strictEqual(Semantics.joined("accept", undefined, "a"), "a")
    assert.strictEqual(Semantics.joined("accept", "a", "b"), "a, b")
    assert.strictEqual(Semantics.joined("cookie", "a=b", "c=d"), "a=b; c=d")
  })

  it("joins a line to an empty one", () => {
    assert.strictEqual(Semantics.joined("accept", "", "b"), ", b")
  })
})

describe("Semantics.elements", () => {
  it("returns elements in lower case, without the blanks around them", () => {
    assert.deepStrictEqual(Semantics.elements(" \tClose,keep-alive \t, a b"), [
      "close",
      "keep-alive",
      "a b"
    ])
  })

  it("keeps empty elements, and white space other than SP and HTAB", () => {
    assert.deepStrictEqual(Semantics.elements("a,,\u00a0b\u00a0"), ["a", "", "\u00a0b\u00a0"])
  })
})
