/** The AsyncAPI document as a plugin. */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import * as Config from "../../Config/index.ts"
import { AppRuntime } from "../../Plugin/AppRuntime.ts"
import * as Plugin from "../../Plugin/Plugin.ts"
import * as Route from "../../Server/Route/Route.ts"
import * as AsyncApi from "./AsyncApi.ts"

/**
 * Section `asyncApi`.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `access` | `public`, in production `off` | who gets the document |
 * | `documentPath` | `/asyncapi.json` | the path of the document |
 */
export const AsyncApiConfig = Config.section("asyncApi", {
  access: Schema.optionalKey(Schema.Literals(["off", "public"])),
  documentPath: Schema.String.check(Schema.isPattern(/^\/[\w./-]*$/)).pipe(
    Config.expected('a path, such as "/asyncapi.json"'),
    Config.withDefault("/asyncapi.json")
  )
})

const routes = HttpRouter.use(
  Effect.fnUntraced(function* (router) {
    const config = yield* AsyncApiConfig
    const runtime = yield* AppRuntime
    const { access = runtime.environment === "production" ? "off" : "public" } = config
    if (access === "off") return
    const document = yield* Effect.cached(Effect.sync(() => AsyncApi.make(runtime)))
    // The section's schema has checked that it begins with a slash.
    yield* router.add(
      "GET",
      config.documentPath as `/${string}`,
      Effect.map(document, (body) => HttpServerResponse.jsonUnsafe(body))
    )
  })
)

/**
 * Serves the AsyncAPI 3.0 document of the app at `/asyncapi.json`: the channels of all plugins with the
 * schemas of their messages. In the environment `production` it is served only if
 * `asyncApi.access = "public"`.
 *
 * @example
 * ```ts
 * import { App } from "flange"
 * import * as Realtime from "flange/Realtime"
 *
 * const web = App.toWebHandler(App.make("shop", [Realtime.asyncApi]))
 * const response = await web.handler(new Request("http://app/asyncapi.json"))
 * const document = (await response.json()) as { asyncapi: string }
 * document.asyncapi // => "3.0.0"
 * await web.dispose()
 * ```
 */
export const asyncApi = Plugin.make("flange:asyncapi", {
  config: [AsyncApiConfig],
  routes: [Route.raw("asyncapi", routes, { access: "public" })]
})
