/** The stock as the shop sees it: a client of its contract, with the limits of `Outgoing.plugin`. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import { Client } from "flange/Contract"
import * as Outgoing from "flange/Outgoing"
import { StockApi } from "../stock/StockApi.ts"
import { OfferNotFound, StockUnavailable } from "./OffersApi.ts"

export class Stock extends Context.Service<
  Stock,
  { readonly left: (sku: string) => Effect.Effect<number, OfferNotFound | StockUnavailable> }
>()("shop/Stock") {
  static readonly layer = Layer.effect(
    Stock,
    Effect.gen(function* () {
      const { stock } = yield* Client.make(HttpApi.make("stock").add(StockApi)).pipe(
        Effect.provideServiceEffect(HttpClient.HttpClient, Outgoing.client("stock"))
      )
      return Stock.of({
        left: (sku) =>
          stock.read({ params: { sku } }).pipe(
            Effect.map(({ left }) => left),
            Effect.tap((left) => Effect.logInfo(`The stock has ${left} of ${sku}`)),
            Effect.catchTag("SkuUnknown", () => Effect.fail(new OfferNotFound({ sku }))),
            Effect.catchIf(
              (error) => !(error instanceof OfferNotFound),
              (error) =>
                Effect.andThen(
                  Effect.logWarning("The stock does not answer", error),
                  Effect.fail(new StockUnavailable())
                )
            )
          )
      })
    })
  )
}
