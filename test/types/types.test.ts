import { describe, expect, it } from "vitest"
import { run } from "./harness/Harness.ts"

const byFile = (folder: string, name: string) =>
  Map.groupBy(run(folder, name), (outcome) => outcome.file)

describe("wrong programs", () => {
  for (const [file, outcomes] of byFile("test/types/fail", "fail")) {
    describe(file, () => {
      for (const { failure, name } of outcomes) {
        it(name, () => {
          if (failure !== undefined) throw new Error(failure)
        })
      }
    })
  }
})

it("the harness fails when it should", () => {
  const failures = Object.fromEntries(
    [...byFile("test/types/harness/samples", "samples")].map(([file, outcomes]) => [
      file.split("/").at(-1),
      outcomes.map((outcome) => outcome.failure)
    ])
  )
  expect(failures).toEqual({
    "good.ts": [undefined, undefined],
    "missing.ts": [expect.stringContaining("got no error")],
    "other.ts": [expect.stringContaining("got TS2322: Type 'string' is not assignable")],
    "silent.ts": [expect.stringContaining('has no "// ^ expect:"')],
    "unexpected.ts": [
      undefined,
      expect.stringContaining("unexpected.ts:4: unexpected error TS2322")
    ]
  })
})
