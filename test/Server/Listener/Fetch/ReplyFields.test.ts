import { assert, it } from "vitest"
import * as ReplyFields from "../../../../src/Server/Listener/Fetch/ReplyFields.ts"

const more = { connection: "close", date: "now" }

it("the headers of a reply win over those of its listener", () => {
  for (const [own, constant] of [
    [["date", "own"], []],
    [[], ["date", "own"]],
    [
      ["set-cookie", "a=1", "set-cookie", "b=2"],
      ["date", "own"]
    ]
  ] as const) {
    assert.strictEqual(new Headers(ReplyFields.of(own, constant, more)).get("date"), "own")
  }
})

it("the listener adds to the options of Connection, and sets what the reply lacks", () => {
  const headers = new Headers(ReplyFields.of(["connection", "x-hop"], [], more))
  assert.strictEqual(headers.get("connection"), "x-hop, close")
  assert.strictEqual(headers.get("date"), "now")
})
