/** Patterns of the document accept what the expressions of the contract accept. */
import { assert, describe, it } from "vitest"
import { pattern } from "../../../src/Layers/OpenApi/Pattern.ts"

const texts = [
  "",
  "a",
  "A",
  "z",
  "Z",
  "ab",
  "AB",
  "aB-c_d.e",
  "a-b",
  "a_b",
  "{a}",
  "[a]",
  "a]",
  "1,2",
  "12",
  "a\nb",
  "x.y@z.org",
  "é",
  "É",
  "-",
  "\\",
  "/a/b",
  "a{2}",
  "aa"
]

// Sources are texts: the linter removes the escapes that are tried here.
describe("pattern", () => {
  it.each([
    ["^[a-z]+$", ""],
    ["^[a-z]+$", "i"],
    ["^[A-Z]\\d?$", "i"],
    ["^a\\-b$", ""],
    ["^a\\_b$", ""],
    ["^x\\.y\\@z\\.org$", ""],
    ["^\\{[^}]*}$", ""],
    ["^\\[a]$", ""],
    ["^{a}$", ""],
    ["^[\\w-.]+$", ""],
    ["^[\\w-]+$", ""],
    ["^[\\w\\-\\.]+$", ""],
    ["^[.-\\w]+$", ""],
    ["^[\\w.%+-]+@[a-z\\d.-]+\\.[a-z]{2,}$", "i"],
    ["^a{2}$", ""],
    ["^(?<first>a)(?:b|c)?\\k<first>?$", "i"],
    ["^a.b$", "s"],
    ["^a.b$", ""],
    ["^\\p{Lu}$", "u"],
    ["^[^a-c]$", "i"],
    ["a", "y"],
    ["^(?=a)(?!ab)[^]", ""],
    ["^\\/a\\/b$", ""],
    ["^[\\]\\\\]$", ""],
    ["\\x41|\\u0042|[\\x61-\\x62]", ""],
    ["^\\d+,\\d+$", "g"]
  ])("of /%s/%s", (source, flags) => {
    const expression = new RegExp(source, flags)
    const stated = pattern(expression.source, expression.flags)
    assert.isString(stated)
    for (const text of texts) {
      expression.lastIndex = 0
      assert.strictEqual(new RegExp(stated!, "u").test(text), expression.test(text), text)
    }
  })

  it.each([
    ["^a$", "m"],
    ["^[a--b]$", "v"],
    ["^\\a$", ""]
  ])("/%s/%s has none", (source, flags) => {
    assert.isUndefined(pattern(source, flags))
  })
})
