// A shop that sends the events of the orders of each customer.
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Plugin, Route } from "flange"
import * as Realtime from "flange/Realtime"
import { EventStream } from "flange/Realtime/Contract"

export const OrderEvents = EventStream.make({
  cancelled: Schema.Struct({ id: Schema.Int }),
  placed: Schema.Struct({ at: Schema.Date, id: Schema.Int })
})

const params = { customer: Schema.String }

export class OrdersApi extends HttpApiGroup.make("orders").add(
  HttpApiEndpoint.get("events", "/orders/:customer/events", {
    ...OrderEvents.endpoint,
    params
  }),
  HttpApiEndpoint.post("place", "/orders/:customer", {
    error: [Realtime.EventLogUnavailable, Realtime.EventTooLarge, Realtime.TopicMalformed],
    params,
    payload: Schema.Struct({ id: Schema.Int }),
    success: Schema.String
  }),
  HttpApiEndpoint.get("replay", "/orders/:customer/replay", { ...OrderEvents.endpoint, params })
) {}

/** The moment of all orders. */
export const at = new Date("2026-05-01T12:00:00Z")

export const placed = (id: number) => ({ data: { at, id }, event: "placed" }) as const

export const OrdersPlugin = Plugin.make("app:orders", {
  requires: [Realtime.EventLog, Realtime.Sse],
  routes: [
    Route.public(
      OrdersApi,
      Effect.fn(function* (handlers) {
        const log = yield* Realtime.EventLog
        const sse = yield* Realtime.Sse
        return handlers.handleAll({
          events: ({ params }) => sse.follow(OrderEvents, `orders:${params.customer}`),
          place: ({ params, payload }) =>
            log.append(OrderEvents, `orders:${params.customer}`, placed(payload.id)),
          replay: ({ params }) =>
            sse.send(
              OrderEvents,
              params.customer === "broken"
                ? Stream.die(new Error("secret"))
                : Stream.map(Stream.range(1, 3), (id) => ({ ...placed(id), id: `own-${id}` }))
            )
        })
      })
    )
  ]
})
