/** The tables of `docs/tracing.md` have the attributes that the spans have. */
import { readFileSync } from "node:fs"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import { App, Plugin, Route } from "flange"
import * as Database from "flange/Database"
import { TestApp } from "flange/Testing"
import { expect, it } from "vitest"
import { all } from "./Layers/Database/backends.ts"
import { kept } from "./tracing.ts"

const guide = readFileSync(new URL("../docs/tracing.md", import.meta.url), "utf8")

/** The names in the first column of the table below a heading. */
const documented = (heading: string): ReadonlyArray<string> => {
  const section = guide.split(`\n### ${heading}\n`)[1]!.split("\n## ")[0]!.split("\n### ")[0]!
  return section
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .flatMap((line) => [...line.split("|")[1]!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!))
}

class ItemsApi extends HttpApiGroup.make("items").add(
  HttpApiEndpoint.get("broken", "/broken", { success: Schema.Int }),
  HttpApiEndpoint.get("count", "/items", { success: Schema.Int })
) {}

const Items = Plugin.make("test:items", {
  requires: [SqlClient],
  routes: [
    Route.public(
      ItemsApi,
      Effect.fnUntraced(function* (handlers) {
        const sql = yield* SqlClient
        return handlers.handleAll({
          broken: () => Effect.orDie(Effect.as(sql`select nothing from items`, 1)),
          count: () =>
            Effect.orDie(
              Effect.map(sql`select * from information_schema.tables`, ({ length }) => length)
            )
        })
      })
    )
  ]
})

it("each attribute of a request and of a statement is documented, and no other", () =>
  Effect.gen(function* () {
    const { plugin, spans } = kept()
    for (const { fresh, kind, unavailable } of all) {
      if (unavailable !== undefined || kind === "mysql") continue
      const app = App.make("shop", [plugin, Database.plugin, Items])
      const config = { database: { url: yield* fresh } }
      const test = yield* TestApp.listening(app, { config })
      yield* test.get("/items?a=1", { headers: { "user-agent": "test" } })
      yield* test.get("/broken")
      yield* test.request("PROPFIND", "/items")
    }
    const found = (isOfKind: (kind: string, name: string) => boolean) =>
      [
        ...new Set(
          spans
            .filter(({ kind, name }) => isOfKind(kind, name))
            .flatMap(({ attributes }) => [...attributes.keys()])
        )
      ].sort()
    expect(documented("Requests")).toEqual(found((kind) => kind === "server"))
    const statements = found((kind) => kind === "client")
    if (all.some(({ kind, unavailable }) => kind === "pg" && unavailable === undefined)) {
      expect(documented("Statements")).toEqual(statements)
    } else expect(documented("Statements")).toEqual(expect.arrayContaining(statements))
  }).pipe(Effect.scoped, Effect.runPromise))
