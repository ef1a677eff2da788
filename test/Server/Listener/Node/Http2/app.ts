/** An app for tests of HTTP/2 and TLS. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { App, Middleware, Plugin, Route } from "../../../../../src/index.ts"
import * as OwnOrigin from "../../../../../src/Server/Exchange/OwnOrigin.ts"

class Http2Api extends HttpApiGroup.make("http2").add(
  HttpApiEndpoint.post("collect", "/collect", {
    payload: HttpApiSchema.StreamUint8Array(),
    success: Schema.String.pipe(HttpApiSchema.asText())
  }),
  HttpApiEndpoint.post("echo", "/echo", {
    payload: Schema.String.pipe(HttpApiSchema.asText()),
    success: Schema.String.pipe(HttpApiSchema.asText())
  }),
  HttpApiEndpoint.get("hello", "/hello", { success: Schema.String.pipe(HttpApiSchema.asText()) }),
  HttpApiEndpoint.get("large", "/large", { success: Schema.String.pipe(HttpApiSchema.asText()) }),
  HttpApiEndpoint.get("nothing", "/nothing", { success: HttpApiSchema.NoContent }),
  HttpApiEndpoint.get("stream", "/stream", { success: HttpApiSchema.StreamUint8Array() }),
  HttpApiEndpoint.get("wait", "/wait", { success: Schema.String.pipe(HttpApiSchema.asText()) })
) {}

/** The length of the reply of `/large`, in bytes. */
export const largeLength = 1024 * 1024

/** The events that a test waits for. */
export interface Events {
  readonly entered: Deferred.Deferred<void>
  readonly interrupted: Deferred.Deferred<void>
  readonly proceed: Deferred.Deferred<void>
}

/**
 * Returns an app, and events of its route `/wait`. Requests with `x-wait` wait for `proceed` before their body is
 * read. Its replies name the scheme in `x-scheme`, and have
 * `filler` in `x-filler`.
 */
export const make = (filler = "") => {
  const events: Events = {
    entered: Deferred.makeUnsafe(),
    interrupted: Deferred.makeUnsafe(),
    proceed: Deferred.makeUnsafe()
  }
  const large = "x".repeat(largeLength)
  const plugin = Plugin.make("app:http2", {
    middleware: [
      Middleware.before("scheme", {
        build: Effect.succeed(() => (request) => {
          request.setHeader("x-scheme", String(OwnOrigin.sentTo(request).proto))
          if (filler !== "") request.setHeader("x-filler", filler)
          if (request.header("x-wait") === undefined) return Effect.succeed(undefined)
          return Effect.as(Deferred.await(events.proceed), undefined)
        }),
        slot: "Logging"
      })
    ],
    routes: [
      Route.public(Http2Api, (handlers) =>
        handlers.handleAll({
          collect: ({ payload }) => Stream.mkString(Stream.decodeText(payload)),
          echo: ({ payload }) => Effect.succeed(payload),
          hello: () => Effect.succeed("hello"),
          large: () => Effect.succeed(large),
          nothing: () => Effect.void,
          stream: () =>
            Effect.succeed(
              Stream.make("one,", "two,", "three").pipe(
                Stream.map((text) => new TextEncoder().encode(text))
              )
            ),
          wait: () =>
            Deferred.succeed(events.entered, undefined).pipe(
              Effect.andThen(Deferred.await(events.proceed)),
              Effect.as("waited"),
              Effect.onInterrupt(() => Deferred.succeed(events.interrupted, undefined))
            )
        })
      )
    ]
  })
  return { app: App.make("http2", [plugin]), events }
}
