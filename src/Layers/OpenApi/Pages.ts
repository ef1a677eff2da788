/** The pages that show the document. Effect brings both with their scripts inside, so no page loads anything from elsewhere. */
import * as Effect from "effect/Effect"
import type * as HttpApi from "effect/http-api/HttpApi"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Layer from "effect/Layer"

/** Some megabytes of script each, loaded when a page is asked for the first time. */
export const scalar = (api: HttpApi.Top): Effect.Effect<Uint8Array> =>
  Effect.flatMap(
    Effect.promise(() => import("effect/http-api/HttpApiScalar")),
    // Scalar's default fonts come from its own host.
    ({ layer }) => render(layer(api, { path: "/", scalar: { withDefaultFonts: false } }))
  )

/** Swagger UI, likewise. */
export const swagger = (api: HttpApi.Top): Effect.Effect<Uint8Array> =>
  Effect.flatMap(
    Effect.promise(() => import("effect/http-api/HttpApiSwagger")),
    ({ layer }) => render(layer(api, { path: "/" }))
  )

/** The body that the only route of a layer answers with. */
const render = (
  page: Layer.Layer<never, never, HttpRouter.HttpRouter>
): Effect.Effect<Uint8Array> =>
  Effect.gen(function* () {
    const router = yield* HttpRouter.make
    yield* Layer.build(Layer.provide(page, Layer.succeed(HttpRouter.HttpRouter, router)))
    const { body } = yield* router.asHttpEffect()
    return body._tag === "Uint8Array" ? body.body : new Uint8Array()
  }).pipe(
    Effect.provideService(
      HttpServerRequest.HttpServerRequest,
      HttpServerRequest.fromWeb(new Request("http://localhost/"))
    ),
    Effect.scoped,
    Effect.orDie
  )
