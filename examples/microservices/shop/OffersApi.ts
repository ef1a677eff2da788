/** The contract of the offers. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { ApiError } from "flange/Contract"

export class OfferNotFound extends ApiError.make<OfferNotFound>()(
  "OfferNotFound",
  { code: "OFFER_NOT_FOUND", detail: ({ sku }) => `There is no offer for ${sku}`, status: 404 },
  { sku: Schema.String }
) {}

export class StockUnavailable extends ApiError.make<StockUnavailable>()("StockUnavailable", {
  code: "STOCK_UNAVAILABLE",
  detail: "The stock cannot be asked now",
  status: 503
}) {}

export class OffersApi extends HttpApiGroup.make("offers").add(
  HttpApiEndpoint.get("read", "/v1/offers/:sku", {
    error: [OfferNotFound, StockUnavailable],
    params: { sku: Schema.String },
    success: Schema.Struct({ available: Schema.Boolean, sku: Schema.String })
  })
) {}
