/** The stock as the shop sees it: a client of its contract, with a time limit. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpApi from "effect/http-api/HttpApi"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Config, RequestId } from "flange"
import { Client } from "flange/Contract"
import { StockApi } from "../stock/StockApi.ts"
import { OfferNotFound, StockUnavailable } from "./OffersApi.ts"

export const StockConfig = Config.section(
  "stock",
  { url: Schema.String.pipe(Config.withDefault("http://localhost:8081")) },
  { variables: { STOCK_URL: "url" } }
)

export class Stock extends Context.Service<
  Stock,
  { readonly left: (sku: string) => Effect.Effect<number, OfferNotFound | StockUnavailable> }
>()("shop/Stock") {
  static readonly layer = Layer.effect(
    Stock,
    Effect.gen(function* () {
      const { url } = yield* StockConfig
      const { stock } = yield* Client.make(HttpApi.make("stock").add(StockApi), {
        baseUrl: url,
        // The trace of the request goes along without code; its id does not.
        transformClient: HttpClient.mapRequestEffect((request) =>
          Effect.map(RequestId, (id) => HttpClientRequest.setHeader(request, "x-request-id", id))
        )
      })
      return Stock.of({
        left: (sku) =>
          stock.read({ params: { sku } }).pipe(
            Effect.timeout("2 seconds"),
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
  ).pipe(Layer.provide(FetchHttpClient.layer))
}
