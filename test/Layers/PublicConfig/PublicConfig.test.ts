import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { App, Config, Plugin, Preset } from "flange"
import * as PublicConfig from "flange/PublicConfig"
import { TestApp } from "flange/Testing"
import { assert, describe, it } from "vitest"

const ShopConfig = Config.section(
  "shop",
  {
    currency: Schema.String.pipe(Config.withDefault("EUR"), Config.public),
    margin: Schema.Finite.pipe(Config.withDefault(0.2)),
    password: Schema.optionalKey(Config.Secret)
  },
  { variables: { CURRENCY: "currency" } }
)
const Shop = Plugin.make("app:shop", { config: [ShopConfig] })
const app = App.make("shop", [...Preset.api, PublicConfig.plugin, Shop])

describe("GET /config.json", () => {
  it("serves the public keys to everybody, and no other", () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const test = yield* TestApp.make(app, {
            config: { shop: { password: "hunter2" } },
            variables: { CURRENCY: "CHF" }
          })
          const response = yield* test.get("/config.json")
          response.expectStatus(200)
          assert.deepStrictEqual(response.json, { shop: { currency: "CHF" } })
          assert.strictEqual(response.headers.get("cache-control"), "public, max-age=60")
          const { body } = yield* test.client.config.read()
          assert.deepStrictEqual(body, { shop: { currency: "CHF" } })
          const document = yield* test.get("/openapi.json")
          assert.property((document.json as { paths: object }).paths, "/config.json")
        })
      )
    ))

  it("serves an empty object if no key is public", () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const test = yield* TestApp.make(App.make("none", [PublicConfig.plugin]))
          assert.deepStrictEqual((yield* test.get("/config.json")).json, {})
        })
      )
    ))

  it("has its keys in the description of the app", () => {
    const { plugins, routes } = App.describe(app)
    assert.deepStrictEqual(plugins.find(({ id }) => id === "app:shop")!.publicKeys, [
      "shop.currency"
    ])
    const route = routes.find(({ plugin }) => plugin === "flange:public-config")
    assert.include(route, { access: "public", method: "GET", path: "/config.json" })
  })
})
