/** The texts under which requests are counted. */
import { assert, describe, it } from "@effect/vitest"
import { bounded } from "../../../src/Layers/RateLimit/Key.ts"

describe("a text of a key", () => {
  it("stays as it is, and a long one gets a digest", () => {
    assert.strictEqual(bounded("caller:default:ada"), "caller:default:ada")
    for (const length of [128, 129, 10_000]) {
      assert.strictEqual(bounded("a".repeat(length)).length, 128)
    }
  })

  it("stays different from others, also if a caller has the text of another one's key as its name", () => {
    const names = ["a".repeat(127), "a".repeat(128), "a".repeat(129), "a".repeat(127) + "\ud800"]
    const keys = names.map(bounded)
    assert.strictEqual(new Set([...keys, ...keys.map(bounded)]).size, 1 + 2 * 3)
  })
})
