/** The pages that show the document. Effect brings both with their scripts inside, so no page loads anything from elsewhere. */
import * as Effect from "effect/Effect"
import * as HttpApi from "effect/http-api/HttpApi"
import * as OpenApi from "effect/http-api/OpenApi"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Layer from "effect/Layer"

/**
 * The policy of the pages. Their scripts and styles are inline, and Scalar compiles
 * functions; nothing may come from another host, and no other site may frame them.
 */
export const contentSecurityPolicy = [
  "default-src 'self' 'unsafe-eval' 'unsafe-inline' blob: data:",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'self'",
  "object-src 'none'"
].join("; ")

/** Returns the Scalar page. Its script has some megabytes and is loaded with the first page. */
export const scalar = (document: object): Effect.Effect<Uint8Array> =>
  Effect.flatMap(
    Effect.promise(() => import("effect/http-api/HttpApiScalar")),
    // Scalar's default fonts come from its own host.
    ({ layer }) =>
      render(layer(showing(document), { path: "/", scalar: { withDefaultFonts: false } }))
  )

/** Returns the page of Swagger UI, likewise. */
export const swagger = (document: object): Effect.Effect<Uint8Array> =>
  Effect.flatMap(
    Effect.promise(() => import("effect/http-api/HttpApiSwagger")),
    ({ layer }) => render(layer(showing(document), { path: "/" }))
  )

/** Effect's pages take an API: this one has the document. */
const showing = (document: object) =>
  HttpApi.make("document").annotate(OpenApi.Transform, () => ({ ...document }))

/** Browsers ask for /favicon.ico if a page has no icon of its own. */
const icon =
  '<link rel="icon" href="data:image/svg+xml;base64,' +
  btoa(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">' +
      '<path fill="#4a5568" d="M3 1h7l3 3v11H3z"/></svg>'
  ) +
  '">'

/** Returns the body that the only route of a layer answers with, with an icon. */
const render = (
  page: Layer.Layer<never, never, HttpRouter.HttpRouter>
): Effect.Effect<Uint8Array> =>
  Effect.gen(function* () {
    const router = yield* HttpRouter.make
    yield* Layer.build(Layer.provide(page, Layer.succeed(HttpRouter.HttpRouter, router)))
    const { body } = yield* router.asHttpEffect()
    const html = body._tag === "Uint8Array" ? new TextDecoder().decode(body.body) : ""
    return new TextEncoder().encode(html.replace("</title>", () => `</title>${icon}`))
  }).pipe(
    Effect.provideService(
      HttpServerRequest.HttpServerRequest,
      HttpServerRequest.fromWeb(new Request("http://localhost/"))
    ),
    Effect.scoped,
    Effect.orDie
  )
