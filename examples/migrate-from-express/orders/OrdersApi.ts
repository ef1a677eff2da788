/** The contract of the orders, the first routes that moved. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"

export class OrdersApi extends HttpApiGroup.make("orders").add(
  HttpApiEndpoint.get("read", "/v1/orders/:id", {
    params: { id: Schema.Int },
    success: Schema.Struct({ id: Schema.Int, servedBy: Schema.String })
  })
) {}
