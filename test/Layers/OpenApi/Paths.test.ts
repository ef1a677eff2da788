/** The paths of the document, and the paths that one document cannot have. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as HttpApiSecurity from "effect/http-api/HttpApiSecurity"
import * as EffectOpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { App, Plugin } from "flange"
import * as OpenApi from "flange/OpenApi"
import { assert, describe, expect, it } from "vitest"
import { documentOf, group, plugin } from "./valid.ts"

const get = (name: string, path: `/${string}`, params?: Record<string, Schema.Top>) =>
  HttpApiEndpoint.get(name, path, params === undefined ? {} : { params: params as {} })

const del = (name: string, path: `/${string}`, params: Record<string, Schema.Top>) =>
  HttpApiEndpoint.delete(name, path, { params: params as {} })

const id = { id: Schema.String }

describe("a path of the document", () => {
  it.each<[string, Record<string, Schema.Top> | undefined, Record<string, ReadonlyArray<string>>]>([
    ["/a/:id", id, { "/a/{id}": ["id"] }],
    ["/a/:id", undefined, { "/a/{id}": ["id"] }],
    ["/a/:id(\\d+)", id, { "/a/{id}": ["id"] }],
    ["/a/:id(a|b(c))/x", id, { "/a/{id}/x": ["id"] }],
    ["/a/:id?", { id: Schema.optionalKey(Schema.String) }, { "/a": [], "/a/{id}": ["id"] }],
    ["/:id?", { id: Schema.optionalKey(Schema.String) }, { "/": [], "/{id}": ["id"] }],
    ["/a/*", { "*": Schema.String }, { "/a/{*}": ["*"] }],
    ["/a/*", undefined, { "/a/{*}": ["*"] }],
    ["/a/:id/*", { ...id, "*": Schema.String }, { "/a/{id}/{*}": ["id", "*"] }],
    ["/a/:from-:to", { from: Schema.Int, to: Schema.Int }, { "/a/{from}-{to}": ["from", "to"] }],
    ["/a::b", undefined, { "/a:b": [] }],
    ["/a/:id::cancel", id, { "/a/{id}:cancel": ["id"] }],
    ["/a:b/:id", id, { "/a:b/{id}": ["id"] }]
  ])("%s with %o", async (path, params, expected) => {
    const { paths } = await documentOf({
      id: "paths",
      plugins: [OpenApi.plugin, plugin("test:paths", group("g", get("a", path as "/", params)))]
    })
    const found = Object.fromEntries(
      Object.entries<any>(paths).map(([template, { get }]) => [
        template,
        get.parameters.map(({ name }: { readonly name: string }) => name)
      ])
    )
    assert.deepStrictEqual(found, expected)
  })

  it("the operations of an optional parameter have ids and summaries of their own", async () => {
    const optional = HttpApiEndpoint.get("read", "/a/:id?", {
      params: { id: Schema.optionalKey(Schema.String) }
    }).annotate(EffectOpenApi.Summary, "Read one")
    const { paths } = await documentOf({
      id: "paths",
      plugins: [OpenApi.plugin, plugin("test:paths", group("g", optional))]
    })
    expect(paths["/a/{id}"].get).toMatchObject({ operationId: "g.read", summary: "Read one" })
    expect(paths["/a"].get).toMatchObject({
      operationId: "g.read.without.id",
      summary: "Read one, without id"
    })
  })
})

it("operations of one tag with equal summaries are told apart", async () => {
  const named = (name: string, path: `/${string}`) =>
    get(name, path).annotate(EffectOpenApi.Summary, "Read")
  const { paths } = await documentOf({
    id: "paths",
    plugins: [
      OpenApi.plugin,
      plugin("test:paths", group("g", named("a", "/a"), named("b", "/b"), get("listAll", "/c")))
    ]
  })
  assert.deepStrictEqual(
    Object.values<any>(paths).map(({ get }) => get.summary),
    ["Read (GET /a)", "Read (GET /b)", "List all"]
  )
})

/** Boots an app and returns the problems of its document. */
const documentProblemsOf = async (...plugins: ReadonlyArray<Plugin.Any>) =>
  (await problemsOf(...plugins)).filter(({ kind }) => kind === "InvalidDocument")

/** Boots an app and returns what boot fails with. */
const problemsOf = async (...plugins: ReadonlyArray<Plugin.Any>) => {
  const web = App.toWebHandler(
    App.make("shop", plugins as never, { config: { values: {}, variables: {} } }) as App.Any
  )
  const error = await web.handler(new Request("http://app/")).then(
    () => undefined,
    (error: unknown) => error as { readonly _tag: string; readonly problems: ReadonlyArray<any> }
  )
  await web.dispose()
  assert.strictEqual(error?._tag, "AssemblyError")
  return error!.problems
}

describe("contracts that one document cannot have are problems of assembly", () => {
  it.each<[string, ReadonlyArray<HttpApiEndpoint.Constraint>]>([
    [
      "pattern",
      [
        get("number", "/orders/:number(\\d+)", { number: Schema.Int }),
        get("slug", "/orders/:slug", { slug: Schema.String })
      ]
    ],
    ["wildcard", [get("all", "/files/*"), get("one", "/files/:name", { name: Schema.String })]],
    [
      "optional parameter",
      [get("some", "/a/:id?", { id: Schema.optionalKey(Schema.String) }), get("all", "/a")]
    ]
  ])("the same operation twice by a %s", async (_, endpoints) => {
    const problems = await problemsOf(OpenApi.plugin, plugin("app:g", group("g", ...endpoints)))
    const problem = problems.at(-1)
    expect(problem).toMatchObject({ kind: "InvalidDocument", plugins: ["app:g", "app:g"] })
    assert.include(problem.message, "OpenApi.Exclude")
  })

  it("names plugin, group and endpoint of both, and what to write instead", async () => {
    const [problem] = await problemsOf(
      OpenApi.plugin,
      plugin("app:users", group("users", get("read", "/users/:id", id))),
      plugin(
        "app:admin",
        group("admin", del("remove", "/users/:userId", { userId: Schema.String }))
      )
    )
    assert.deepStrictEqual(problem, {
      kind: "InvalidDocument",
      message:
        'DELETE /users/:userId ("remove" of group "admin", plugin "app:admin") has the path of GET /users/:id ("read" of group "users", plugin "app:users") with another name for a parameter, which OpenAPI forbids. Use the same name in both.',
      plugins: ["app:users", "app:admin"]
    })
  })

  it.each([
    ["an identifier", (endpoint: any) => endpoint.annotate(EffectOpenApi.Identifier, "same")],
    [
      "an override",
      (endpoint: any) => endpoint.annotate(EffectOpenApi.Override, { operationId: "same" })
    ],
    [
      "a transform",
      (endpoint: any) =>
        endpoint.annotate(EffectOpenApi.Transform, (operation: object) => ({
          ...operation,
          operationId: "same"
        }))
    ]
  ])("two operations of one id, by %s", async (_, change) => {
    const [problem] = await problemsOf(
      OpenApi.plugin,
      plugin("app:a", group("a", change(get("one", "/one")))),
      plugin("app:b", group("b", change(get("two", "/two"))))
    )
    expect(problem).toMatchObject({ kind: "InvalidDocument", plugins: ["app:a", "app:b"] })
    assert.include(problem.message, 'the operation id "same"')
  })

  it("what Effect refuses, such as two security schemes of one name", async () => {
    const secured = (key: string, security: HttpApiSecurity.HttpApiSecurity) =>
      HttpApiMiddleware.Service<never>()(key, { security: { same: security } })
    const endpoint = HttpApiEndpoint.get("one", "/one")
      .middleware(secured("test/A", HttpApiSecurity.bearer) as never)
      .middleware(secured("test/B", HttpApiSecurity.basic) as never)
    const problems = await documentProblemsOf(OpenApi.plugin, plugin("app:a", group("a", endpoint)))
    expect(problems).toMatchObject([{ kind: "InvalidDocument", plugins: ["app:a"] }])
    assert.include(
      problems[0].message,
      'cannot be made with "one" of group "a" (plugin "app:a"): Conflicting OpenAPI security scheme: same.'
    )
  })

  it("names the endpoint that the document cannot be made with", async () => {
    const schemes = [HttpApiSecurity.bearer, HttpApiSecurity.basic].map((same, i) =>
      HttpApiMiddleware.Service<never>()(`test/${i}`, { security: { same } })
    )
    const many = (plugin: string, scheme: object) =>
      Array.from({ length: 9 }, (_, i) =>
        HttpApiEndpoint.get(`${plugin}${i}`, `/${plugin}/${i}`).middleware(scheme as never)
      )
    const [problem] = await documentProblemsOf(
      OpenApi.plugin,
      plugin("app:a", group("a", ...many("a", schemes[0]!))),
      plugin("app:b", group("b", ...many("b", schemes[1]!)))
    )
    assert.deepStrictEqual(problem.plugins, ["app:b"])
    assert.include(problem.message, 'with "b0" of group "b"')
  })

  it("a change of the whole document that fails", async () => {
    const [problem] = await problemsOf(
      OpenApi.plugin,
      Plugin.make("app:change", {
        annotate: (api) =>
          api.annotate(EffectOpenApi.Transform, () => {
            throw new Error("no servers")
          })
      })
    )
    assert.include(problem.message, "no servers")
  })

  it("they are reported together with the other problems", async () => {
    const problems = await problemsOf(
      OpenApi.plugin,
      plugin("app:a", group("a", get("one", "/x/:a", { a: Schema.String }))),
      plugin("app:b", group("b", del("two", "/x/:b", { b: Schema.String }))),
      plugin("app:c", group("c", get("three", "/same"))),
      plugin("app:d", group("d", get("four", "/same")))
    )
    assert.deepStrictEqual(
      problems.map(({ kind }) => kind),
      ["RouteConflict", "InvalidDocument", "InvalidDocument"]
    )
  })

  it("an endpoint that is left out of the document conflicts with none", async () => {
    const hidden = HttpApiEndpoint.get("number", "/orders/:number(\\d+)", {
      params: { number: Schema.Int }
    }).annotate(EffectOpenApi.Exclude, true)
    const { paths } = await documentOf({
      id: "paths",
      plugins: [
        OpenApi.plugin,
        plugin(
          "app:orders",
          group("orders", hidden, get("slug", "/orders/:slug", { slug: Schema.String }))
        )
      ]
    })
    assert.hasAllKeys(paths, ["/orders/{slug}"])
  })

  it("an endpoint that is left out may have a schema that no document can state", async () => {
    const symbols = Schema.Struct({ [Symbol("odd")]: Schema.String }) as Schema.Top as Schema.String
    const odd = HttpApiEndpoint.get("odd", "/odd", {
      success: symbols.pipe(HttpApiSchema.asText())
    })
    const left = odd.annotate(EffectOpenApi.Exclude, true)
    const { paths } = await documentOf({
      id: "paths",
      plugins: [OpenApi.plugin, plugin("app:odd", group("odd", left, get("even", "/even")))]
    })
    assert.hasAllKeys(paths, ["/even"])
    const [problem] = await problemsOf(OpenApi.plugin, plugin("app:odd", group("odd", odd)))
    assert.include(problem.message, "The OpenAPI document of the app cannot be made")
  })

  it("an app without the battery may have such contracts", async () => {
    const web = App.toWebHandler(
      App.make(
        "shop",
        [
          plugin("app:a", group("a", get("one", "/x/:a(\\d+)", { a: Schema.Int }))),
          plugin("app:b", group("b", get("two", "/x/:b", { b: Schema.String })))
        ] as never,
        { config: { values: {}, variables: {} } }
      ) as App.Any
    )
    assert.strictEqual((await web.handler(new Request("http://app/nowhere"))).status, 404)
    await web.dispose()
  })
})
