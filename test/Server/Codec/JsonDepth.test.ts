/** How deep JSON may be nested, and where the first level that is too deep stands. */
import { assert, describe, it } from "vitest"
import * as JsonDepth from "../../../src/Server/Codec/JsonDepth.ts"

const path = (json: string, limit: number) => JsonDepth.tooDeep(Buffer.from(json), limit)

const padding = " ".repeat(100)

describe("JSON of as many levels as the limit passes", () => {
  it.each([
    ["flat", "[1,2,3]", 1],
    ["side by side", `[${"[[]],".repeat(40)}[]]`, 3],
    ["brackets in strings", `["[[[[[[[[[[","{{{{{{{{{{","\\"[[[[[["]${padding}`, 1],
    ["brackets in names", `{"[[[[[[[[":{"]]]]{{{{":1}}${padding}`, 2],
    ["a backslash before the end of a string", `["\\\\",[1]]${padding}`, 2],
    ["text that is not JSON", `]]]]]]]]"${padding}`, 1]
  ])("%s", (_, json, limit) => {
    assert.isUndefined(path(json, limit))
  })
})

describe("the first level beyond the limit has a path", () => {
  it.each([
    ["an array", `[[[]]]${padding}`, 2, [0, 0]],
    ["a later element", `[1,"a,b",[[],[2,[]]]]${padding}`, 3, [2, 1, 1]],
    ["an object", `{"a":{"b":{"c":{}}}}${padding}`, 3, ["a", "b", "c"]],
    ["a name with escapes", `{"a\\"\\u0062":[{}]}${padding}`, 2, ['a"b', 0]],
    ["a name before blanks", `{"a" \n : [ { } ] }${padding}`, 2, ["a", 0]],
    ["a name with other characters than ASCII", `{"h\u00e9":[[]]}${padding}`, 2, ["h\u00e9", 0]],
    ["a text before it", `{"x":"y","a":["{",[]]}${padding}`, 2, ["a", 1]]
  ])("%s", (_, json, limit, expected) => {
    assert.deepStrictEqual(path(json, limit), expected)
  })
})
