/** The battery as a plugin. */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { AppRuntime } from "../../Plugin/AppRuntime.ts"
import * as Plugin from "../../Plugin/Plugin.ts"
import * as Route from "../../Server/Route/Route.ts"
import * as Document from "./Document.ts"
import { OpenApiConfig } from "./OpenApiConfig.ts"
import * as Pages from "./Pages.ts"
import * as Static from "./Static.ts"

/** The pages are whole: the browser is told to fetch nothing from another host. */
const contentSecurityPolicy = "default-src 'self' 'unsafe-eval' 'unsafe-inline' blob: data:"

const routes = HttpRouter.use(
  Effect.fnUntraced(function* (router) {
    const { documentPath, enabled, scalarPath, swaggerPath } = yield* OpenApiConfig
    if (!enabled) return
    const runtime = yield* AppRuntime
    const api = Document.annotated(runtime.api, runtime)
    const page = {
      contentType: "text/html; charset=utf-8",
      headers: { "content-security-policy": contentSecurityPolicy }
    }
    const document = yield* Static.make(
      Effect.sync(() => new TextEncoder().encode(Document.toJson(api))),
      { contentType: "application/json" }
    )
    const scalar = yield* Static.make(Pages.scalar(api), page)
    const swagger = yield* Static.make(Pages.swagger(api), page)
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
 * of all its plugins with every error that their middleware can give, Swagger UI
 * at `/swagger-ui/` and Scalar at `/docs`. The pages load nothing from another
 * host. `openapi.enabled = false` switches all of it off.
 *
 * The document and the pages are made when they are asked for the first time.
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
  config: [OpenApiConfig],
  routes: [Route.raw("openapi", routes, { access: "public" })]
})
