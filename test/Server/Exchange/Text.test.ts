import { assert, describe, it } from "@effect/vitest"
import { clean, quoted } from "../../../src/Server/Exchange/Text.ts"

describe("text from outside", () => {
  it("loses what would break a line or a terminal", () => {
    assert.strictEqual(
      clean("a\r\nb\tc\u0000d\u001b[31me\u007f\u0085\u2028\u202e\ufefff"),
      "abcd[31mef"
    )
  })

  it("is cut to 512 bytes at the end of a character", () => {
    assert.strictEqual(clean("x".repeat(513)), "x".repeat(512))
    assert.strictEqual(clean("é".repeat(300)), "é".repeat(256))
    assert.strictEqual(clean(`x${"😀".repeat(300)}`), `x${"😀".repeat(127)}`)
    assert.strictEqual(clean("fine"), "fine")
  })

  it("is quoted for a header without a way out", () => {
    assert.strictEqual(quoted('a"b\\c\r\nx: y\u00e9'), String.raw`"a\"b\\cx: y"`)
  })
})
