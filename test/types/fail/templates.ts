// Data that does not fit a template, and texts in the place of markup.
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { Route } from "flange"
import * as Templates from "flange/Templates"
import { Html } from "flange/Templates/Contract"

const Order = Templates.make("order", {
  data: Schema.Struct({ due: Schema.Date, total: Schema.Int })
})

class OrdersApi extends HttpApiGroup.make("orders").add(
  HttpApiEndpoint.get("order", "/order", { success: Html })
) {}

export const wrongField = Templates.html(Order, { due: new Date(), total: "7" })
// ^ expect: Type 'string' is not assignable to type 'number'

export const encodedField = Templates.html(Order, { due: "2026-01-01", total: 7 })
// ^ expect: Type 'string' is not assignable to type 'Date'

export const noField = Templates.html(Order, { total: 7 })
// ^ expect: Property 'due' is missing

export const unknownField = Templates.html(Order, { due: new Date(), total: 7, vat: 1 })
// ^ expect: 'vat' does not exist in type

export const text: Html = "<b>markup</b>"
// ^ expect: Type 'string' is not assignable to type 'Html'

export const textAsPage = Route.public(OrdersApi, (handlers) =>
  handlers.handleAll({
    order: () => Effect.succeed("<b>markup</b>")
    // ^ expect: The handler of `orders.order` returns a value that does not fit its `success`
  })
)
