import { assert, describe, it } from "vitest"
import { Guesses } from "../../../src/Layers/Auth/Guesses.ts"

const make = (over: Partial<ConstructorParameters<typeof Guesses>[0]> = {}) =>
  new Guesses({ limit: 5, maxAddresses: 100, windowMillis: 60_000, ...over })

describe("the guesses of an address", () => {
  it("are as many as the limit at once, then one in each part of the window", () => {
    const guesses = make()
    for (let i = 0; i < 5; i++) {
      assert.strictEqual(guesses.wait("a", 0), 0)
      guesses.refuse("a", 0)
    }
    assert.strictEqual(guesses.wait("a", 0), 12)
    assert.strictEqual(guesses.wait("a", 11_500), 1)
    assert.strictEqual(guesses.wait("a", 12_000), 0)
    guesses.refuse("a", 12_000)
    assert.strictEqual(guesses.wait("a", 12_000), 12)
    assert.strictEqual(guesses.left("a", 1_000_000), 5)
    assert.strictEqual(guesses.wait("b", 12_000), 0)
  })

  it("are not kept out by a clock that is set back", () => {
    const guesses = make({ limit: 1 })
    guesses.refuse("a", 1_000_000)
    assert.strictEqual(guesses.wait("a", 0), 60)
    assert.strictEqual(guesses.wait("a", 60_000), 0)
  })

  it("are forgotten for the addresses that are silent longest, so that memory is bounded", () => {
    const guesses = make({ limit: 1 })
    for (let i = 0; i < 100_000; i++) guesses.refuse(`a${i}`, 0)
    assert.isAtMost(guesses.size, 100)
    assert.isAbove(guesses.wait("a99999", 0), 0)
    assert.strictEqual(guesses.wait("a0", 0), 0)
  })

  it("are not remembered for an address that is only asked about", () => {
    const guesses = make()
    for (let i = 0; i < 1000; i++) guesses.wait(`a${i}`, 0)
    assert.strictEqual(guesses.size, 0)
  })

  it("run at once as many as may still be refused, and the others in turn", async () => {
    const guesses = make({ limit: 2 })
    const ends = [guesses.begin("a", 0), guesses.begin("a", 0)]
    assert.isUndefined(guesses.begin("a", 0))
    const turns: Array<number> = []
    guesses.queue("a", () => turns.push(1))
    const leave = guesses.queue("a", () => turns.push(2))
    guesses.queue("a", () => turns.push(3))
    leave()
    await Promise.resolve()
    assert.deepStrictEqual(turns, [1])
    ends[0]!()
    await Promise.resolve()
    assert.deepStrictEqual(turns, [1, 3])
    assert.isDefined(guesses.begin("a", 0))
    guesses.refuse("a", 0)
    assert.isUndefined(guesses.begin("a", 0))
  })
})
