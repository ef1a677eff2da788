/** The contract of the stock. The shop imports it, and no other file of this folder. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { ApiError } from "flange/Contract"

export class SkuUnknown extends ApiError.make<SkuUnknown>()(
  "SkuUnknown",
  { code: "SKU_UNKNOWN", detail: ({ sku }) => `${sku} is not in the catalogue`, status: 404 },
  { sku: Schema.String }
) {}

export class StockApi extends HttpApiGroup.make("stock").add(
  HttpApiEndpoint.get("read", "/v1/stock/:sku", {
    error: SkuUnknown,
    params: { sku: Schema.String },
    success: Schema.Struct({ left: Schema.Int, sku: Schema.String })
  })
) {}
