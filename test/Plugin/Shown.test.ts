import { expect, it } from "vitest"
import * as Shown from "../../src/Plugin/Shown.ts"

it.each([
  ["a\0", '"a\\u0000"'],
  [Number.NaN, "NaN"],
  [Symbol("a"), "Symbol(a)"],
  [Object.create(null), "a value of the type object"],
  [
    {
      toString: () => {
        throw new Error("no text")
      }
    },
    "a value of the type object"
  ],
  ["x".repeat(200), `"${"x".repeat(78)}\u2026 (200 characters)`]
])("%o has a text", (value, text) => {
  expect(Shown.of(value)).toBe(text)
})
