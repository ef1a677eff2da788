import { assert, describe, it } from "vitest"
import { Bag } from "../../../src/Server/Exchange/Bag.ts"

describe("a bag", () => {
  it("has the values that were added and not removed, whatever the order", () => {
    const bag = new Bag<number>()
    const expected = new Set<number>()
    const removes: Array<readonly [number, () => boolean]> = []
    // A generator of numbers with the constants of Numerical Recipes.
    let seed = 1
    const random = (below: number) => (seed = (seed * 1664525 + 1013904223) % 2 ** 32) % below
    for (let i = 0; i < 2000; i++) {
      if (random(3) > 0 || removes.length === 0) {
        removes.push([i, bag.add(i)])
        expected.add(i)
      } else {
        const [value, remove] = removes[random(removes.length)]!
        assert.strictEqual(remove(), expected.delete(value))
      }
      assert.strictEqual(bag.size, expected.size)
    }
    assert.deepStrictEqual(new Set(bag.values), expected)
    for (let value = bag.take(); value !== undefined; value = bag.take()) {
      assert.isTrue(expected.delete(value))
    }
    assert.strictEqual(expected.size, 0)
    for (const [, remove] of removes) assert.isFalse(remove())
  })
})
