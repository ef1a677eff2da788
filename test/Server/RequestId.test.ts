import { assert, describe, it } from "vitest"
import * as RequestId from "../../src/Server/Exchange/RequestId.ts"

describe("a request id", () => {
  it("is a UUIDv7 of the time at which it was made", () => {
    const before = Date.now()
    const id = RequestId.make()
    const after = Date.now()
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    const millis = Number.parseInt(id.replace("-", "").slice(0, 12), 16)
    assert.isAtLeast(millis, before)
    assert.isAtMost(millis, after)
  })

  it("is no other's, and each of its random bits is set in about half of many", () => {
    const count = 20_000
    const ids = Array.from({ length: count }, RequestId.make)
    assert.strictEqual(new Set(ids).size, count)
    const random = ids.map((id) => BigInt(`0x${id.replaceAll("-", "")}`))
    for (let bit = 0n; bit < 74n; bit++) {
      // Two bits of the variant are between them.
      const at = bit < 62n ? bit : bit + 2n
      const share = random.filter((id) => (id >> at) & 1n).length / count
      assert.isTrue(share > 0.45 && share < 0.55, `bit ${at} is set in ${share}`)
    }
  })

  it("is the caller's where that is sane", () => {
    assert.strictEqual(RequestId.fromHeader("a-B_9.z"), "a-B_9.z")
    for (const sent of [undefined, "", "a b", "a\n", "é", "x".repeat(129)]) {
      assert.notStrictEqual(RequestId.fromHeader(sent), sent)
    }
  })
})
