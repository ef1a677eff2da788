import { assert, it } from "@effect/vitest"
import * as AcceptEncoding from "../../../src/Layers/Compression/AcceptEncoding.ts"
import { usedMemory } from "../../usedMemory.ts"

const choose = AcceptEncoding.make(["zstd", "br", "gzip"])

const cases: ReadonlyArray<readonly [accepted: string | undefined, coding: string | undefined]> = [
  [undefined, undefined],
  ["", undefined],
  [" , ,", undefined],
  ["gzip", "gzip"],
  ["GZIP", "gzip"],
  ["x-gzip", "gzip"],
  ["gzip, deflate, br", "br"],
  ["gzip, br, zstd", "zstd"],
  ["gzip;q=1.0, br;q=0.9, zstd;q=0.8", "gzip"],
  ["gzip \t;\t q=0.5 ,br ; Q=0.6", "br"],
  ["*", "zstd"],
  ["*;q=0.1, gzip;q=0.05", "zstd"],
  ["zstd;q=0, *", "br"],
  ["*;q=0", undefined],
  ["gzip;q=0", undefined],
  ["gzip;q=0.000", undefined],
  ["gzip;q=0.001", "gzip"],
  ["gzip, *;q=0", "gzip"],
  ["identity", undefined],
  ["identity;q=0", undefined],
  ["identity;q=0, *", "zstd"],
  ["identity;q=1, gzip;q=0.5", undefined],
  ["identity;q=0.5, gzip;q=0.5", "gzip"],
  ["identity, gzip", "gzip"],
  // Malformed elements do not count.
  ["gzip;q=2", undefined],
  ["gzip;q=-1, br", "br"],
  ["gzip;q=0.1234, br;q=0.1", "br"],
  ["gzip;level=9", undefined],
  ["gzip;q=1;q=0", undefined],
  ["gzip;", undefined],
  ["gzip br", undefined],
  ["gzip;q=0, gzip", undefined]
]

it.each(cases)("chooses for %j the coding %j", (accepted, coding) => {
  assert.strictEqual(choose(accepted), coding)
  // The second time, it is remembered.
  assert.strictEqual(choose(accepted), coding)
})

it.each([0, 200])(
  "keeps few of 100 000 values of Accept-Encoding, %d characters longer",
  (length) => {
    const before = usedMemory()
    for (let i = 0; i < 100_000; i++) {
      assert.strictEqual(choose(`gzip, x-${i}-${"y".repeat(length)}`), "gzip")
    }
    // Kept, they would take more than 6 MB.
    assert.isBelow(usedMemory() - before, 2 ** 20)
  }
)

it("reads a value of many codings once from its start to its end", () => {
  // A reader that is quadratic would not end within the time of a test.
  const many = `${"x;q=0.5,".repeat(300_000)}gzip`
  assert.strictEqual(choose(many), "gzip")
  assert.isUndefined(choose(`gzip${" ".repeat(1_000_000)}x`))
  assert.isUndefined(choose(`gzip${";".repeat(1_000_000)}`))
})
