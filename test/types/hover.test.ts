/** How much an editor shows of what users hover: apps, plugins, route groups. */
import { globSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { shown } from "./harness/Harness.ts"
import { hovers } from "./harness/Hover.ts"

// The name of each service and error of an app with nine batteries takes 700.
const limit = 750

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

it("an editor shows prose on the constructors of routes, on health checks and their options", async () => {
  const prose = await hovers(`import * as Effect from "effect/Effect"
import { HealthCheck, Route } from "flange"
Route.^bare
Route.^make
Route.^optional
Route.^optionalWith
Route.^protected
Route.^protectedWith
Route.^public
Route.^raw
export type Class = HealthCheck.^Class
export const check = HealthCheck.^make(Effect.void, {
  ^class: "critical",
  ^failureThreshold: 2,
  ^timeout: "1 second"
})
`)
  // After the code of the type.
  const sentences = prose.map((text) => text.split("```")[2]?.trim() ?? "")
  expect(sentences.filter((text) => !/^[A-Z`].*\./s.test(text))).toEqual([])
  expect(sentences).toHaveLength(13)
  expect(sentences[6]).toContain("Creates a group that everybody may call")
})
