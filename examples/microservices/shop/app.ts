/** The service `shop`: a list of plugins. `main.ts` runs it, the tests boot it. */
import * as Effect from "effect/Effect"
import { App, Plugin, Preset, Route } from "flange"
import { OffersApi } from "./OffersApi.ts"
import { Stock, StockConfig } from "./Stock.ts"

const OffersPlugin = Plugin.make("shop:offers", {
  config: [StockConfig],
  layer: Stock.layer,
  provides: [Stock],
  routes: [
    Route.public(OffersApi, (handlers) =>
      Effect.gen(function* () {
        const stock = yield* Stock
        return handlers.handleAll({
          read: Effect.fnUntraced(function* ({ params: { sku } }) {
            const left = yield* stock.left(sku)
            return { available: left > 0, sku }
          })
        })
      })
    )
  ]
})

export const app = App.make("shop", [...Preset.api, OffersPlugin])
