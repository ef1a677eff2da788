/** The battery as a plugin. */
import * as Effect from "effect/Effect"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Config from "../../Config/index.ts"
import * as Plugin from "../../Plugin/Plugin.ts"
import * as Route from "../../Server/Route/Route.ts"
import { type Body, PublicConfigApi } from "./PublicConfigApi.ts"

/**
 * `GET /config.json` for everybody: the values of the keys that sections mark with `Config.public`,
 * and no others. They are those of the start of the app.
 *
 * @example
 * ```ts
 * import * as Schema from "effect/Schema"
 * import { App, Config, Plugin } from "flange"
 * import * as PublicConfig from "flange/PublicConfig"
 *
 * const ShopConfig = Config.section("shop", {
 *   currency: Schema.String.pipe(Config.withDefault("EUR"), Config.public),
 *   margin: Schema.Finite.pipe(Config.withDefault(0.2))
 * })
 * const Shop = Plugin.make("app:shop", { config: [ShopConfig] })
 *
 * const web = App.toWebHandler(App.make("shop", [PublicConfig.plugin, Shop]))
 * const response = await web.handler(new Request("http://app/config.json"))
 * await response.json() // => { shop: { currency: "EUR" } }
 * await web.dispose()
 * ```
 */
export const plugin = Plugin.make("flange:public-config", {
  routes: [
    Route.public(PublicConfigApi, (handlers) =>
      Effect.map(Config.Published, (published) => {
        const reply = HttpApiSchema.withHeaders({
          // The values were encoded to JSON by the schemas of their sections.
          body: published as typeof Body.Type,
          headers: { "cache-control": "public, max-age=60" }
        })
        return handlers.handleAll({ read: () => Effect.succeed(reply) })
      })
    )
  ]
})
