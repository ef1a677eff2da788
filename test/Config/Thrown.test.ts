import { assert, it } from "vitest"
import * as Thrown from "../../src/Config/Thrown.ts"

it.each<[thrown: unknown, message: string]>([
  [new TypeError("a"), "a"],
  [new Error("", { cause: "b" }), ""],
  ["c", "c"],
  [undefined, "undefined"],
  [Symbol("d"), "Symbol(d)"],
  [{ message: "e" }, "[object Object]"],
  // A message that comes from a template or from code of the app must not throw where it is reported.
  [Object.create(null), "what was thrown has no text"]
])("the message of %o is %j", (thrown, message) => {
  assert.strictEqual(Thrown.messageOf(thrown), message)
})
