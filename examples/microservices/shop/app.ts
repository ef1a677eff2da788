/** The service `shop`: a list of plugins. `main.ts` runs it, the tests boot it. */
import * as Effect from "effect/Effect"
import { App, Plugin, Preset, Route } from "flange"
import * as Outgoing from "flange/Outgoing"
import { OffersApi } from "./OffersApi.ts"
import { Stock } from "./Stock.ts"

const OffersPlugin = Plugin.make("shop:offers", {
  defaults: {
    outgoing: {
      // The stock is a service of ours: it gets the trace, the request id and the time that is left.
      upstreams: { stock: { internal: true, timeout: "2 seconds", url: "http://localhost:8081" } }
    }
  },
  layer: Stock.layer,
  provides: [Stock],
  requires: [Outgoing.Clients],
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

export const app = App.make("shop", [...Preset.api, Outgoing.plugin, OffersPlugin])
