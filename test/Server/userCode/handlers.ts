/** Handlers, and what they return. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { ApiError, Plugin, Route } from "flange"
import { effectful, plain, returns, runs } from "./misbehave.ts"
import { subject } from "./subject.ts"

const success = Schema.String

class Detailed extends ApiError.make<Detailed>()("Detailed", {
  code: "DETAILED",
  detail: () => returns("an error's detail", "well"),
  status: 409
}) {}

class HandlersApi extends HttpApiGroup.make("handlers").add(
  HttpApiEndpoint.get("detail", "/detail", { error: Detailed, success }),
  HttpApiEndpoint.get("finalizer", "/finalizer", { success }),
  HttpApiEndpoint.get("handler", "/handler", { success }),
  HttpApiEndpoint.get("preResponse", "/pre-response", { success }),
  HttpApiEndpoint.get("raw", "/handler-raw", { success }),
  HttpApiEndpoint.get("rawPreResponse", "/raw-pre-response", { success }),
  HttpApiEndpoint.get("respondable", "/respondable", { success }),
  HttpApiEndpoint.get("respondableDefect", "/respondable-defect", { success }),
  HttpApiEndpoint.get("uninterruptible", "/uninterruptible", { success })
) {}

const text = HttpServerResponse.text("well")

const respondable = (name: string): HttpServerRespondable.Respondable => ({
  [HttpServerRespondable.symbol]: () => runs(name, text)
})

/** Registers a handler for the reply that is named like its row. */
const preResponse = (name: string) =>
  HttpEffect.appendPreResponseHandler((_, response) => runs(name, response))

const routes = Layer.mergeAll(
  HttpRouter.add("GET", "/raw", () => runs("a raw route", text)),
  HttpRouter.add("GET", "/raw-middleware", Effect.succeed(text)),
  HttpRouter.middleware(
    (next) =>
      Effect.flatMap(
        Effect.suspend(() => runs("the middleware of a raw group", undefined)),
        () => next
      ),
    { global: true }
  )
)

export const Handlers = Plugin.make("test:handlers", {
  routes: [
    Route.public(HandlersApi, (handlers) =>
      handlers
        .handleAll({
          detail: () => Effect.suspend(() => Effect.fail(new Detailed())),
          finalizer: () =>
            Effect.as(
              Effect.addFinalizer(() => runs("a finalizer of the request", undefined)),
              "well"
            ),
          handler: () => runs("a handler", "well"),
          preResponse: () => Effect.as(preResponse("a pre-response handler"), "well"),
          respondable: () => Effect.succeed(respondable("a respondable")),
          respondableDefect: () => Effect.die(respondable("a respondable defect")),
          uninterruptible: {
            handler: () => runs("an uninterruptible handler", "well"),
            options: { uninterruptible: true }
          }
        })
        .handleRaw("raw", () => runs("a raw handler", text))
        .handleRaw("rawPreResponse", () =>
          Effect.as(preResponse("a pre-response handler of a raw handler"), text)
        )
    ),
    Route.raw("raw", routes, { access: "public" })
  ]
})

const body = "well"

const ways = [...effectful, "fails", "returns no effect"] as const

export const handlers = [
  subject("an error's detail", "/detail", plain, { status: 409 }),
  subject("a finalizer of the request", "/finalizer", effectful, {
    result: "told",
    stopped: "answered"
  }),
  subject("a handler", "/handler", ways),
  subject("a pre-response handler", "/pre-response", ways, { stopped: "ended" }),
  subject("a pre-response handler of a raw handler", "/raw-pre-response", ways, {
    body,
    stopped: "ended"
  }),
  subject("a raw handler", "/handler-raw", ways, { body }),
  subject("a raw route", "/raw", ways, { body }),
  subject("a respondable", "/respondable", ways, { body }),
  subject("a respondable defect", "/respondable-defect", ways, { body }),
  subject("an uninterruptible handler", "/uninterruptible", ways, { stopped: "ended" }),
  subject("the middleware of a raw group", "/raw-middleware", ways, { body })
]
