/** How much an editor shows of what users hover: apps, plugins, route groups. */
import { globSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { shown } from "./harness/Harness.ts"

const limit = 512

const files = globSync("examples/*/{app.ts,*/*Plugin.ts}").toSorted()

const constants = shown(files, "hover").filter(({ name }) => /^app$|Plugin$/.test(name))

describe("the type of an app and of a plugin is shown by names", () => {
  for (const { file, name, type } of constants) {
    it(`${file}: ${name}, ${type.length} characters`, () => {
      expect(type.length, type).toBeLessThan(limit)
      expect(type).not.toContain("HttpApiEndpoint<")
    })
  }

  it("every example has one", () => {
    expect(constants.map(({ file }) => file)).toEqual(files)
  })
})
