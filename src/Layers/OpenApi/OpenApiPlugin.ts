/** The battery as a plugin. */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { AppRuntime } from "../../Plugin/AppRuntime.ts"
import * as Documented from "../../Plugin/Documented.ts"
import * as Plugin from "../../Plugin/Plugin.ts"
import * as PluginCheck from "../../Plugin/PluginCheck.ts"
import * as Route from "../../Server/Route/Route.ts"
import { ServerConfig } from "../../Server/ServerConfig.ts"
import * as AppDocument from "./AppDocument.ts"
import * as DocumentCheck from "./DocumentCheck.ts"
import { OpenApiConfig } from "./OpenApiConfig.ts"
import * as Pages from "./Pages.ts"
import * as Static from "./Static.ts"

const routes = HttpRouter.use(
  Effect.fnUntraced(function* (router) {
    const config = yield* OpenApiConfig
    const runtime = yield* AppRuntime
    const { strictQuery } = yield* ServerConfig
    const { access = runtime.environment === "production" ? "off" : "public" } = config
    if (!config.enabled || access === "off") return
    const { documentPath, scalarPath, swaggerPath } = config
    // By the first request, every plugin has contributed its changes.
    const json = yield* Effect.cached(
      Effect.sync(() =>
        AppDocument.make({
          ...runtime,
          changes: runtime.contributions(Documented.kind).map(({ value }) => value),
          strictQuery
        })
      )
    )
    const page = {
      contentType: "text/html; charset=utf-8",
      headers: { "content-security-policy": Pages.contentSecurityPolicy }
    }
    const document = yield* Static.make(
      Effect.map(json, (json) => new TextEncoder().encode(JSON.stringify(json))),
      { contentType: "application/json" }
    )
    const scalar = yield* Static.make(Effect.flatMap(json, Pages.scalar), page)
    const swagger = yield* Static.make(Effect.flatMap(json, Pages.swagger), page)
    yield* router.add("GET", asPath(documentPath), document)
    yield* router.add("GET", asPath(scalarPath), scalar)
    const withSlash = HttpServerResponse.redirect(`${swaggerPath}/`, { status: 308 })
    yield* router.add("GET", asPath(swaggerPath), withSlash)
    yield* router.add("GET", asPath(`${swaggerPath}/`), swagger)
  })
)

/** The section's schema has checked that it begins with a slash. */
const asPath = (path: string) => path as `/${string}`

/**
 * The OpenAPI 3.1 document of the app at `/openapi.json`, made of the contracts
 * of all its plugins with every error that their middleware can fail with, Swagger
 * UI at `/swagger-ui/` and Scalar at `/docs`. The pages load nothing from another
 * host. In the environment `production` they are served only if
 * `openapi.access = "public"`.
 *
 * The contracts are checked while the app is assembled: those that one document
 * cannot hold are an `AssemblyError`. The document and the pages are made at the first request.
 * Raw groups have no contract, so they are not in the document.
 *
 * @example
 * ```ts
 * import { App } from "flange"
 * import * as OpenApi from "flange/OpenApi"
 *
 * const web = App.toWebHandler(App.make("shop", [OpenApi.plugin]))
 * const response = await web.handler(new Request("http://app/openapi.json"))
 * const document = (await response.json()) as { info: object }
 * document.info // => { title: "shop", version: "0.0.0" }
 * await web.dispose()
 * ```
 */
export const plugin = Plugin.make("flange:openapi", {
  config: [OpenApiConfig, ServerConfig],
  contributes: [PluginCheck.kind.make("document", DocumentCheck.check)],
  routes: [Route.raw("openapi", routes, { access: "public" })]
})
