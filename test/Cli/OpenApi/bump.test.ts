// The version that a document should have.
import { assert, it } from "vitest"
import * as Bump from "../../../src/Cli/OpenApi/Bump.ts"

const table = [
  ["1.2.3", "1.2.3", "breaking", "major 2.0.0 missing"],
  ["1.2.3", "1.3.0", "breaking", "major 2.0.0 missing"],
  ["1.2.3", "2.0.0", "breaking", "major 2.0.0 done"],
  ["1.2.3", "2.0.0-rc.1", "breaking", "major 2.0.0 done"],
  ["1.2.3", "3.1.0+build.7", "breaking", "major 2.0.0 done"],
  ["1.2.3", "1.2.3", "compatible", "minor 1.3.0 missing"],
  ["1.2.3", "1.2.4", "compatible", "minor 1.3.0 missing"],
  ["1.2.3", "1.3.0", "compatible", "minor 1.3.0 done"],
  ["1.2.3", "1.2.4", "documentation", "patch 1.2.4 done"],
  ["0.4.1", "0.4.2", "breaking", "minor 0.5.0 missing"],
  ["0.4.1", "0.5.0", "breaking", "minor 0.5.0 done"],
  ["0.4.1", "0.4.2", "compatible", "patch 0.4.2 done"],
  ["2.0.0-rc.1", "2.0.0-rc.1", "breaking", "major 2.0.0 missing"],
  ["2.0.0-rc.1", "2.0.0-rc.2", "breaking", "major 2.0.0 done"],
  ["2.1.0", "1.9.0", "documentation", "patch 2.1.1 missing"]
] as const

for (const [before, after, kind, expected] of table) {
  it(`${kind} changes from ${before} to ${after}: ${expected}`, () => {
    const { isDone, step, version } = Bump.of(before, after, kind)!
    assert.strictEqual(`${step} ${version} ${isDone ? "done" : "missing"}`, expected)
  })
}

it("a version that is not one of Semantic Versioning tells nothing", () => {
  assert.isUndefined(Bump.of("1.0.0", "2026-11-26", "breaking"))
  assert.isUndefined(Bump.of("v1", "2.0.0", "breaking"))
})
