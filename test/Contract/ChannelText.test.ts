/** What a text or a value that does not fit a channel is told. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import * as ChannelText from "../../src/Contract/ChannelText.ts"

const { decode, encode } = ChannelText.of(
  Schema.Struct({ lines: Schema.Array(Schema.Struct({ text: Schema.String })) })
)

const refusal = (text: string): string | undefined => {
  const result = decode(text)
  return Result.isFailure(result) ? result.failure : undefined
}

describe("the reason of a refused message", () => {
  it.each([
    ["no JSON", "nonsense", /^[A-Z]/],
    ["a whole that does not fit", "[]", /^[A-Z]/],
    ["a part that does not fit", '{"lines":[{"text":1}]}', /^\/lines\/0\/text: [A-Z]/]
  ])("begins with a pointer only if a part does not fit: %s", (_, text, expected) => {
    expect(refusal(text)).toMatch(expected)
  })

  it("is in the error of a value that the app sends", () => {
    // Compiled code can send what its types do not allow.
    const wrong = JSON.parse("[]")
    expect(() => encode(wrong)).toThrow(/^A message does not fit its channel: [A-Z]/)
  })
})
