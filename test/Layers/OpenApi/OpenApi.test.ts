import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { ApiError, App, Plugin, Preset, Route } from "flange"
import * as OpenApi from "flange/OpenApi"
import { afterAll, assert, describe, it } from "vitest"
import { problemsOf } from "./document.ts"

class Teapot extends ApiError.make<Teapot>()("Teapot", {
  code: "TEAPOT",
  detail: "Short and stout",
  status: 418
}) {}

/** A middleware of the contract, with an error of its own. */
class Stout extends HttpApiMiddleware.Service<Stout>()("test/Stout", { error: Teapot }) {}

class ItemNotFound extends ApiError.make<ItemNotFound>()(
  "ItemNotFound",
  { code: "ITEM_NOT_FOUND", detail: ({ id }) => `Item ${id} does not exist`, status: 404 },
  { id: Schema.String }
) {}

const Item = Schema.Struct({ id: Schema.String, name: Schema.NonEmptyString }).annotate({
  identifier: "Item"
})

class ItemsApi extends HttpApiGroup.make("items")
  .add(
    HttpApiEndpoint.post("create", "/v1/items", { payload: Item, success: Item }),
    HttpApiEndpoint.get("read", "/v1/items/:id", {
      error: ItemNotFound,
      params: { id: Schema.String },
      query: { expand: Schema.optionalKey(Schema.Literals(["owner", "parts"])) },
      success: Item
    }),
    Route.method("PURGE")("purge", "/v1/items/:id", { params: { id: Schema.String } })
  )
  .middleware(Stout) {}

const Items = Plugin.make("app:items", {
  layer: Layer.succeed(Stout, (next) => next),
  provides: [Stout],
  routes: [
    Route.public(ItemsApi, (handlers) =>
      handlers.handleAll({
        create: ({ payload }) => Effect.succeed(payload),
        purge: () => Effect.void,
        read: ({ params }) => Effect.fail(new ItemNotFound({ id: params.id }))
      })
    )
  ]
})

const make = (openapi: object = {}) =>
  App.toWebHandler(
    App.make("shop", [...Preset.api, Items], {
      config: {
        values: { app: { version: "1.2.0" }, logging: { level: "none" }, openapi },
        variables: {}
      }
    })
  )

const web = make()
afterAll(web.dispose)

const get = (path: string, headers: Record<string, string> = {}) =>
  web.handler(new Request(`http://app${path}`, { headers }))

const document = async () => (await (await get("/openapi.json")).json()) as Record<string, any>

describe("GET /openapi.json", () => {
  it("is a valid OpenAPI 3.1 document", async () => {
    const reply = await get("/openapi.json")
    assert.strictEqual(reply.status, 200)
    assert.strictEqual(reply.headers.get("content-type"), "application/json")
    assert.deepStrictEqual(problemsOf(await reply.json()), [])
  })

  it("has name and version of the app, and the contracts of all plugins", async () => {
    const { info, openapi, paths } = await document()
    assert.match(openapi, /^3\.1\.\d$/)
    assert.deepStrictEqual(info, { title: "shop", version: "1.2.0" })
    assert.sameMembers(Object.keys(paths), [
      "/healthcheck",
      "/healthz",
      "/livez",
      "/readyz",
      "/v1/items",
      "/v1/items/{id}"
    ])
  })

  it.each([
    ["400", "MALFORMED_REQUEST"],
    ["400", "VALIDATION_FAILED"],
    ["404", "ITEM_NOT_FOUND"],
    ["418", "TEAPOT"],
    ["500", "INTERNAL_ERROR"],
    ["503", "SERVICE_UNAVAILABLE"]
  ])("an endpoint that may answer %s %s states it as a problem document", async (status, code) => {
    const { components, paths } = await document()
    const { responses } = paths["/v1/items/{id}"].get
    assert.deepStrictEqual(Object.keys(responses[status].content), ["application/problem+json"])
    const resolve = (schema: any): Array<any> =>
      schema.$ref === undefined
        ? (schema.anyOf ?? schema.oneOf ?? [schema])
        : resolve(components.schemas[schema.$ref.slice("#/components/schemas/".length)])
    const codes = resolve(responses[status].content["application/problem+json"].schema)
      .flatMap(resolve)
      .map(({ properties }) => properties.code.enum ?? [properties.code.const])
    assert.include(codes.flat(), code)
  })

  it("413 and 415 are stated by the endpoints that read a body", async () => {
    const { paths } = await document()
    assert.containsAllKeys(paths["/v1/items"].post.responses, ["413", "415"])
    assert.doesNotHaveAnyKeys(paths["/v1/items/{id}"].get.responses, ["413", "415"])
    assert.doesNotHaveAnyKeys(paths["/livez"].get.responses, ["413", "415"])
  })

  it("the groups of the app come before those of batteries, and the probes are last", async () => {
    const { paths, tags } = await document()
    assert.deepStrictEqual(
      tags.map(({ name }: { readonly name: string }) => name),
      ["items", "health", "probes"]
    )
    assert.deepStrictEqual(Object.keys(paths), [
      "/v1/items",
      "/v1/items/{id}",
      "/healthcheck",
      "/healthz",
      "/livez",
      "/readyz"
    ])
  })

  it("no two operations have the same summary: it is the endpoint's name if there is none", async () => {
    const { paths } = await document()
    const summaries = Object.values<any>(paths).flatMap(({ get, post }) =>
      [get, post].flatMap((operation) => operation?.summary ?? [])
    )
    assert.deepStrictEqual(summaries, [
      "Create",
      "Read",
      "What the service is, and how its components are",
      "Whether the process answers: another name of /livez",
      "Whether the process answers",
      "Whether the service takes requests"
    ])
  })

  it("keeps methods that 3.1 has no place for out of the way of its readers", async () => {
    const { paths } = await document()
    const item = paths["/v1/items/{id}"]
    assert.sameMembers(Object.keys(item), ["get", "x-oai-additionalOperations"])
    assert.deepStrictEqual(Object.keys(item["x-oai-additionalOperations"]), ["PURGE"])
  })

  it("is not sent again to a client that has it", async () => {
    const etag = (await get("/openapi.json")).headers.get("etag")!
    for (const tag of [etag, `W/${etag}`, `"other", ${etag}`]) {
      const reply = await get("/openapi.json", { "if-none-match": tag })
      assert.strictEqual(reply.status, 304)
      assert.strictEqual(reply.headers.get("etag"), etag)
      assert.strictEqual(await reply.text(), "")
    }
    assert.strictEqual((await get("/openapi.json", { "if-none-match": '"other"' })).status, 200)
  })
})

describe.each([
  ["/swagger-ui/", "SwaggerUIBundle"],
  ["/docs", "createApiReference"]
])("GET %s", (path, script) => {
  it("is a page with its scripts, its styles and the document inside", async () => {
    const reply = await get(path)
    assert.strictEqual(reply.status, 200)
    assert.strictEqual(reply.headers.get("content-type"), "text/html; charset=utf-8")
    const html = await reply.text()
    assert.include(html, "<title>shop")
    assert.include(html, script)
    assert.include(html, "ITEM_NOT_FOUND")
    assert.isAbove(html.length, 1_000_000)
  })

  it("loads nothing from another host", async () => {
    const reply = await get(path)
    const markup = (await reply.text()).replaceAll(
      /(<(script|style)\b[^>]*>)[\s\S]*?(<\/\2>)/g,
      "$1$3"
    )
    assert.isBelow(markup.length, 2000)
    const links = markup.match(/<link[^>]*>/g) ?? []
    assert.lengthOf(links, 1)
    assert.match(
      links[0]!,
      /^<link rel="icon" href="data:image\/svg\+xml;base64,[A-Za-z0-9+/=]+">$/
    )
    assert.notMatch(markup.replace(links[0]!, ""), /https?:|\bsrc=|\/\//)
  })

  it("has a policy that lets no other host in, and no other site frame it", async () => {
    const policy = (await get(path)).headers.get("content-security-policy")!
    assert.match(policy, /^default-src 'self'/)
    assert.match(policy, /; frame-ancestors 'self'/)
    assert.notMatch(policy, /https?:|\*/)
  })
})

it("redirects /swagger-ui to /swagger-ui/", async () => {
  const reply = await get("/swagger-ui")
  assert.strictEqual(reply.status, 308)
  assert.strictEqual(reply.headers.get("location"), "/swagger-ui/")
})

describe("the section openapi", () => {
  it.each([{ enabled: false }, { access: "off" }])(
    "%o switches the routes off",
    async (section) => {
      const off = make(section)
      for (const path of ["/openapi.json", "/swagger-ui", "/swagger-ui/", "/docs"]) {
        const reply = await off.handler(new Request(`http://app${path}`))
        assert.strictEqual(reply.status, 404, path)
      }
      await off.dispose()
    }
  )

  it.each([
    ["production", {}, 404],
    ["production", { access: "public" }, 200],
    ["staging", {}, 200],
    ["local", {}, 200]
  ])("in the environment %s with %o the document is %d", async (environment, openapi, status) => {
    const app = App.make("shop", [...Preset.api, Items], {
      config: { environment, values: { logging: { level: "none" }, openapi }, variables: {} }
    })
    const placed = App.toWebHandler(app)
    for (const path of ["/openapi.json", "/docs", "/swagger-ui/"]) {
      assert.strictEqual((await placed.handler(new Request(`http://app${path}`))).status, status)
    }
    await placed.dispose()
  })

  it("moves them", async () => {
    const moved = make({
      documentPath: "/api/v1.json",
      scalarPath: "/reference",
      swaggerPath: "/api/swagger"
    })
    const status = async (path: string) =>
      (await moved.handler(new Request(`http://app${path}`))).status
    assert.strictEqual(await status("/api/v1.json"), 200)
    assert.strictEqual(await status("/api/swagger"), 308)
    assert.strictEqual(await status("/api/swagger/"), 200)
    assert.strictEqual(await status("/reference"), 200)
    assert.strictEqual(await status("/docs"), 404)
    await moved.dispose()
  })

  it.each(["docs", "/docs/", "/", "/a b"])("refuses the path %j", async (scalarPath) => {
    const wrong = make({ scalarPath })
    const error = await wrong.handler(new Request("http://app/")).catch((error: unknown) => error)
    assert.include(String(error), "openapi.scalarPath")
    await wrong.dispose()
  })
})

it("an app with no contract at all has an empty, valid document", async () => {
  const empty = App.toWebHandler(
    App.make("empty", [OpenApi.plugin], { config: { values: {}, variables: {} } })
  )
  const reply = await empty.handler(new Request("http://app/openapi.json"))
  const body = (await reply.json()) as Record<string, any>
  assert.deepStrictEqual(body["paths"], {})
  assert.deepStrictEqual(problemsOf(body), [])
  await empty.dispose()
})
