/** The service `stock`: a list of plugins. `main.ts` runs it, the tests boot it. */
import * as Effect from "effect/Effect"
import { App, Plugin, Preset, Route } from "flange"
import { SkuUnknown, StockApi } from "./StockApi.ts"

const pieces = new Map([
  ["chair", 0],
  ["lamp", 7]
])

const StockPlugin = Plugin.make("stock:stock", {
  routes: [
    Route.public(StockApi, (handlers) =>
      handlers.handleAll({
        read: Effect.fnUntraced(function* ({ params: { sku } }) {
          const left = pieces.get(sku)
          if (left === undefined) return yield* new SkuUnknown({ sku })
          yield* Effect.logInfo(`${left} of ${sku} are left`)
          return { left, sku }
        })
      })
    )
  ]
})

export const app = App.make("stock", [...Preset.api, StockPlugin], {
  config: { values: { server: { port: 8081 } } }
})
