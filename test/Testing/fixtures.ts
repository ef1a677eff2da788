/** A small app with one of everything that a test may want to look at. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import { ApiError, App, Config, Plugin, Route } from "flange"

export class Greeter extends Context.Service<
  Greeter,
  { readonly greet: (name: string) => Effect.Effect<string> }
>()("test/Greeter") {
  static readonly layer = Layer.effect(
    Greeter,
    Effect.gen(function* () {
      const { greeting } = yield* GreeterConfig
      yield* Effect.addFinalizer(() => Effect.logInfo("greeter released"))
      return { greet: (name) => Effect.succeed(`${greeting}, ${name}`) }
    })
  )
}

export const GreeterConfig = Config.section("greeter", {
  greeting: Schema.String.pipe(Config.withDefault("Hello"))
})

export const GreeterPlugin = Plugin.make("test:greeter", {
  config: [GreeterConfig],
  layer: Greeter.layer,
  provides: [Greeter]
})

export class Unknown extends ApiError.make<Unknown>()(
  "Unknown",
  { code: "UNKNOWN", detail: ({ name }) => `Nobody knows ${name}`, status: 404 },
  { name: Schema.String }
) {}

const Echo = Schema.Struct({ value: Schema.Unknown })

class GreetApi extends HttpApiGroup.make("greet").add(
  HttpApiEndpoint.get("broken", "/broken"),
  HttpApiEndpoint.post("echo", "/echo", { payload: Echo, success: Echo }),
  HttpApiEndpoint.get("greet", "/greet/:name", {
    error: Unknown,
    params: { name: Schema.String },
    success: Schema.String
  }),
  HttpApiEndpoint.get("now", "/now", { success: Schema.Finite }),
  HttpApiEndpoint.get("query", "/query", {
    query: { tag: Schema.Array(Schema.String) },
    success: Schema.Array(Schema.String)
  }),
  HttpApiEndpoint.get("slow", "/slow", { success: Schema.String })
) {}

export const GreetPlugin = Plugin.make("test:greet", {
  requires: [Greeter],
  routes: [
    Route.public(GreetApi, (handlers) =>
      Effect.gen(function* () {
        const greeter = yield* Greeter
        return handlers.handleAll({
          broken: () => Effect.die(new Error("the database said secret things")),
          echo: ({ payload }) => Effect.succeed(payload),
          greet: ({ params }) =>
            params.name === "nobody"
              ? Effect.fail(new Unknown({ name: params.name }))
              : greeter.greet(params.name),
          now: () => Clock.currentTimeMillis,
          query: ({ query }) => Effect.succeed(query.tag),
          slow: () =>
            Effect.logInfo("slow began").pipe(
              Effect.andThen(Effect.sleep("1 hour")),
              Effect.as("done"),
              Effect.onInterrupt(() => Effect.logInfo("slow was interrupted"))
            )
        })
      })
    )
  ]
})

/** Lines that a plugin's own logger wrote. */
export const printed: Array<unknown> = []

/** A plugin that brings its own logger, as the Logging battery does. */
export const LoggerPlugin = Plugin.make("test:logger", {
  layer: Logger.layer([Logger.make(({ message }) => printed.push(message))]),
  order: { first: true }
})

export const app = App.make("greet", [LoggerPlugin, GreeterPlugin, GreetPlugin])
