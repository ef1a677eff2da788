/** Endpoints served by Effect's own handlers, in memory: what a codec has to equal. */
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import * as Strict from "../../../src/Server/Codec/Strict.ts"

const strict = Strict.of(100)

const strictSchema = <S extends Schema.Top | undefined>(schema: S): S =>
  // The schema decodes and encodes values of the same types.
  (schema === undefined ? undefined : Schema.make(strict(schema.ast))) as S

/** Returns an endpoint that takes the notations of numbers and dates that Flange takes. */
const strictly = (endpoint: HttpApiEndpoint.Top): HttpApiEndpoint.Top =>
  Object.assign(Object.create(Object.getPrototypeOf(endpoint)), endpoint, {
    headers: strictSchema(endpoint.headers),
    params: strictSchema(endpoint.params),
    payload: new Map(
      [...endpoint.payload].map(([type, { encoding, schemas }]) => [
        type,
        { encoding, schemas: schemas.map(strictSchema) }
      ])
    ),
    query: strictSchema(endpoint.query)
  })

/** Serves endpoints while `use` runs. */
export const serve = async <A>(
  endpoints: ReadonlyArray<HttpApiEndpoint.Top>,
  handle: (index: number, request: unknown) => unknown,
  use: (send: (path: string, init?: RequestInit) => Promise<Response>) => Promise<A>
): Promise<A> => {
  // A list that is filled at run time has no types for its handlers.
  const group = HttpApiGroup.make("cases").add(
    ...(endpoints.map(strictly) as unknown as [HttpApiEndpoint.Top, ...Array<HttpApiEndpoint.Top>])
  )
  const api = HttpApi.make("cases").add(group)
  const handlers = HttpApiBuilder.group(api, "cases", ((handlers: {
    handleAll: (all: unknown) => never
  }) =>
    handlers.handleAll(
      Object.fromEntries(
        endpoints.map(({ identifier }, i) => [identifier, (request: unknown) => handle(i, request)])
      )
    )) as never)
  const { dispose, handler } = HttpRouter.toWebHandler(
    HttpApiBuilder.layer(api).pipe(
      Layer.provide(handlers),
      Layer.provide([HttpServer.layerServices, Logger.layer([])])
    ) as Layer.Layer<HttpRouter.HttpRouter>,
    { disableLogger: true }
  )
  try {
    return await use((path, init) =>
      // No handler of a case needs a service.
      handler(new Request(`http://localhost${path}`, init), undefined as never)
    )
  } finally {
    await dispose()
  }
}
