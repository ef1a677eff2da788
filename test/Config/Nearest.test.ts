import { assert, describe, it } from "@effect/vitest"
import { nearest } from "../../src/Config/Nearest.ts"

describe("nearest", () => {
  const table = [
    ["prot", ["host", "port"], "port"],
    ["drain_timeout", ["drainTimeout", "timeout"], "drainTimeout"],
    ["zebra", ["host", "port"], undefined],
    ["x", ["a"], undefined],
    ["aa", ["ab", "ac"], "ab"],
    ["anything", [], undefined]
  ] as const
  for (const [name, candidates, wanted] of table) {
    it(`the nearest to ${name} in [${candidates.join(", ")}] is ${wanted ?? "nothing"}`, () => {
      assert.strictEqual(nearest(name, candidates), wanted)
    })
  }
})
