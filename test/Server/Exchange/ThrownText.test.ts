import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { assert, describe, it } from "vitest"
import { toldOf } from "../../../src/Server/Exchange/ThrownText.ts"

/** Returns a list of 100 000 items, and how many members of it were read. */
const counted = () => {
  let reads = 0
  const list = new Proxy(
    Array.from({ length: 100_000 }, (_, i) => i),
    {
      get: (items, name) => {
        reads++
        return Reflect.get(items, name) as unknown
      }
    }
  )
  return { list, reads: () => reads }
}

describe("the text of what was thrown", () => {
  it.each([
    ["a list", (list: unknown) => list],
    ["a list in an object", (list: unknown) => ({ list })],
    ["a list in a list", (list: unknown) => [[list]]],
    ["an error whose cause is a list", (list: unknown) => new Error("x", { cause: list })],
    ["an error that has a list", (list: unknown) => Object.assign(new Error("x"), { list })]
  ])("does not read all of %s", (_name, thrown) => {
    for (const make of [Cause.makeDieReason, Cause.makeFailReason]) {
      const { list, reads } = counted()
      const { message = "", stack = "" } = toldOf(make(thrown(list)))
      assert.include(stack, "Error: ")
      assert.isBelow(message.length + stack.length, 20_000)
      assert.isBelow(reads(), 1000)
    }
  })

  it.each([
    ["an error", new Error("no stock"), undefined, "Error: no stock"],
    ["an object with a message", { message: "no stock" }, "no stock", "Error: no stock"],
    ["an object with a name", { message: "x", name: "NoStock" }, "x", "NoStock: x"],
    ["an object", { id: 7 }, '{"id":7}', 'Error: {"id":7}'],
    ["an object with a text", new URL("http://stock/7"), "http://stock/7", "Error: http://stock/7"],
    ["a list", [7, "a"], '[7,"a"]', 'Error: [7,"a"]'],
    ["a text", "seven", "seven", "Error: seven"],
    ["undefined", undefined, "Unknown error: undefined", "Error: Unknown error: undefined"]
  ])("has the message and the stack of %s", (_name, thrown, message, first) => {
    const told = toldOf(Cause.makeFailReason<unknown>(thrown))
    assert.strictEqual(told.message, message)
    assert.strictEqual(told.stack?.split("\n")[0], first)
  })

  it("has the spans around it", () => {
    const exit = Effect.runSyncExit(Effect.withSpan(Effect.fail({ id: 7 }), "reserve"))
    assert.isTrue(Exit.isFailure(exit))
    const [reason] = (exit as Exit.Failure<never, { readonly id: number }>).cause.reasons
    assert.include(toldOf(reason as Cause.Fail<unknown>).stack, "at reserve")
  })

  it("hides what has the name of a secret", () => {
    assert.notInclude(
      JSON.stringify(toldOf(Cause.makeFailReason({ password: "s3cret" }))),
      "s3cret"
    )
  })
})
