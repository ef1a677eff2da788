import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Api from "../../../src/Plugin/Api.ts"
import * as Assembly from "../../../src/Plugin/Boot/Assembly.ts"
import { AssemblyError, type AssemblyProblem } from "../../../src/Plugin/Errors.ts"
import { plugin } from "./fixtures.ts"

// A contract without groups.
const api = Api.make("shop", [])

describe("Assembly.assemble", () => {
  it.effect("all problems of a list are in one error", () =>
    Effect.gen(function* () {
      const plugins = [
        plugin("auth", { order: { after: ["databse"] } }),
        plugin("auth"),
        plugin("database", { provides: ["db"] }),
        plugin("replica", { provides: ["db"] }),
        plugin("web", { order: { first: true, last: true }, requires: ["clock"] }),
        plugin("x", { requires: ["y"] }),
        plugin("y", { requires: ["x"] })
      ]
      const conflict: AssemblyProblem = {
        kind: "RouteConflict",
        message: "GET /items is declared by two groups.",
        plugins: ["web"]
      }
      const error = yield* Effect.flip(Assembly.assemble("shop", plugins, () => [conflict], api))
      expect(error).toBeInstanceOf(AssemblyError)
      expect(error.message).toBe(
        [
          'App "shop" cannot be assembled:',
          '  - DuplicateId: Plugin "auth" is in the list 2 times. Ids are unique: remove it or give it another id.',
          '  - DuplicateService: Service "service/db" is provided by "database" and by "replica". Keep one of the two plugins.',
          '  - UnknownTarget: Plugin "auth" asks to come after "databse", which is not in the app. Did you mean "database"? Add that plugin or remove it from `order.after`.',
          '  - MissingService: Plugin "web" requires service "service/clock", which no plugin provides. Add a plugin that lists it in `provides`.',
          '  - Contradiction: Plugin "web" asks to come first and last. Keep one of the two.',
          '  - Cycle: Plugins require each other in a circle: x -> y -> x ("y" requires service/x from "x"; "x" requires service/y from "y"). Move the shared service into a plugin of its own.',
          "  - RouteConflict: GET /items is declared by two groups."
        ].join("\n")
      )
    })
  )

  it.effect("plugins without a problem are returned in their order", () =>
    Effect.gen(function* () {
      const plugins = [plugin("web", { requires: ["db"] }), plugin("db")]
      const ordered = yield* Assembly.assemble("shop", plugins, () => [], api)
      expect(ordered.map(({ id }) => id)).toEqual(["db", "web"])
    })
  )
})
