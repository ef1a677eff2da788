/** The plugin of the visitors. */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { ClientIp, Middleware, Plugin, RequestId, Route } from "flange"
import { VisitorsApi } from "./VisitorsApi.ts"

const ticks = Stream.fromSchedule(Schedule.spaced("1 second")).pipe(
  Stream.take(3),
  Stream.map((tick) => ({ tick }))
)

/** nginx collects a reply before it sends it on, unless the reply has this header. */
const Unbuffered = Middleware.before("unbuffered", {
  build: Effect.succeed(({ path }) =>
    path === "/v1/ticks"
      ? (request) => {
          request.setHeader("x-accel-buffering", "no")
          return Middleware.pass
        }
      : undefined
  ),
  slot: "Custom"
})

export const VisitorsPlugin = Plugin.make("app:visitors", {
  middleware: [Unbuffered],
  routes: [
    Route.public(VisitorsApi, (handlers) =>
      handlers.handleAll({
        read: Effect.fnUntraced(function* () {
          // An address is missing only in memory, without a connection.
          return { ip: (yield* ClientIp.current) ?? "unknown", requestId: yield* RequestId }
        }),
        ticks: () => Effect.succeed(ticks)
      })
    )
  ]
})
