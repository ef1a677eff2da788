// `production` with what a soak needs beside it: handlers that take time, so that a client that goes
// away interrupts one, and replies on the general lane.
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { App, Plugin, Route } from "flange"
import { production } from "./effect/FlangeProduction.ts"

class SoakApi extends HttpApiGroup.make("soak").add(
  HttpApiEndpoint.get("stream", "/soak/stream/:chunks", {
    params: { chunks: Schema.Int },
    success: HttpApiSchema.StreamUint8Array()
  }),
  HttpApiEndpoint.get("wait", "/soak/wait/:millis", {
    params: { millis: Schema.Int },
    success: Schema.Struct({ waited: Schema.Int })
  })
) {}

const chunk = new Uint8Array(16_384).fill(0x2e)

const Soak = Plugin.make("bench:soak", {
  routes: [
    Route.protected(SoakApi, (handlers) =>
      handlers.handleAll({
        stream: ({ params }) =>
          Effect.succeed(
            Stream.make(...Array.from({ length: params.chunks }, () => chunk)).pipe(
              Stream.tap(() => Effect.sleep(2))
            )
          ),
        // With a scope, as a handler has that takes a connection from a pool.
        wait: ({ params }) =>
          Effect.scoped(
            Effect.andThen(
              Effect.acquireRelease(Effect.succeed(new Uint8Array(1024)), () => Effect.void),
              Effect.as(Effect.sleep(params.millis), { waited: params.millis })
            )
          )
      })
    )
  ]
})

// The plugins of `production` fit already; their types are not in its list any more.
App.run({ ...production, plugins: [...production.plugins, Soak] })
