/** The typed client: a handler gets the values that its caller gave, or nothing is sent. */
import * as Effect from "effect/Effect"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Schema from "effect/Schema"
import { ApiError, Plugin, Route } from "flange"
import { Client } from "flange/Contract"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { boot, type Counted } from "../Server/counted.ts"
import { arrives, guardProcess, listeners } from "../Server/userCode/server.ts"

guardProcess()

const Any = Schema.Record(Schema.String, Schema.Unknown)

const text = Schema.String

class Gone extends ApiError.make<Gone>()("Gone", {
  code: "GONE",
  detail: "It is gone",
  status: 410
}) {}

/** Every form of a path. */
class FormsApi extends HttpApiGroup.make("forms").add(
  HttpApiEndpoint.get("action", "/things/:id::cancel", { params: { id: text }, success: Any }),
  HttpApiEndpoint.get("between", "/v/:id/parts/:part", {
    params: { id: text, part: text },
    success: Any
  }),
  HttpApiEndpoint.delete("clear", "/items", { success: Any }),
  HttpApiEndpoint.get("dashed", "/pairs/:from-:to", {
    params: { from: text, to: text },
    success: Any
  }),
  HttpApiEndpoint.get("dotted", "/docs/:name.:type", {
    params: { name: text, type: text },
    success: Any
  }),
  HttpApiEndpoint.get("fail", "/gone/:id", { error: Gone, params: { id: text }, success: Any }),
  HttpApiEndpoint.get("fixed", "/100% sure/größe::all", { success: Any }),
  HttpApiEndpoint.get("hidden", "/hidden/.:id", { params: { id: text }, success: Any }),
  HttpApiEndpoint.get("named", "/users/@:id", { params: { id: text }, success: Any }),
  HttpApiEndpoint.get("numbered", "/orders/:number(\\d+)", {
    params: { number: Schema.Int },
    success: Any
  }),
  HttpApiEndpoint.get("optional", "/maybe/:id?", {
    params: { id: Schema.optionalKey(text) },
    success: Any
  }),
  HttpApiEndpoint.delete("remove", "/items/:id", { params: { id: text }, success: Any }),
  HttpApiEndpoint.get("rest", "/files/*", { params: { "*": text }, success: Any }),
  HttpApiEndpoint.get("restOf", "/trees/:id/*", { params: { "*": text, id: text }, success: Any }),
  HttpApiEndpoint.get("slash", "/slash/:id/", { params: { id: text }, success: Any }),
  HttpApiEndpoint.get("slug", "/orders/:slug", { params: { slug: text }, success: Any }),
  HttpApiEndpoint.get("typed", "/typed/:at/:count/:flag/:kind", {
    params: {
      at: Schema.DateFromString,
      count: Schema.Finite,
      flag: Schema.Boolean,
      kind: Schema.Literals(["a b", "c/d"])
    },
    success: Any
  }),
  HttpApiEndpoint.get("undeclared", "/undeclared/:id", { success: Any }),
  HttpApiEndpoint.post("withAll", "/all/:id", {
    headers: { "x-word": text },
    params: { id: text },
    payload: Schema.Struct({ word: text }),
    query: { word: text },
    success: Any
  })
) {}

/** A wildcard at the root takes what no other route does. */
class RootApi extends HttpApiGroup.make("root", { topLevel: true }).add(
  HttpApiEndpoint.put("anywhere", "/*", { params: { "*": text }, success: Any })
) {}

const read = ({ endpoint, params }: any) =>
  // A reply of unknown shape has values of JSON only.
  Effect.succeed({ endpoint: endpoint.identifier, ...JSON.parse(JSON.stringify(params ?? {})) })

const Forms = Plugin.make("test:forms", {
  routes: [
    Route.public(FormsApi, (handlers) =>
      handlers.handleAll({
        ...(Object.fromEntries(
          Object.keys(FormsApi.endpoints).map((name) => [name, read])
        ) as Record<keyof typeof FormsApi.endpoints, typeof read>),
        fail: () => Effect.fail(new Gone()),
        withAll: ({ headers, params, payload, query }) =>
          Effect.succeed({
            endpoint: "withAll",
            words: [headers["x-word"], params.id, payload.word, query.word]
          })
      })
    ),
    Route.public(RootApi, (handlers) => handlers.handleAll({ anywhere: read }))
  ]
})

const api = HttpApi.make("forms").add(FormsApi, RootApi)

type Calls = (client: Client.ForApi<typeof api>) => Effect.Effect<unknown, unknown>

const plain = [
  "1",
  "a/b",
  "/a",
  "a/",
  "../a",
  "a/../b",
  "...",
  ".a",
  "a.",
  "%",
  "%2e",
  "%2F",
  "%2e%2e",
  "100%25",
  "a?b=c",
  "?",
  "#",
  "a#b",
  ";",
  "a;b=c",
  " ",
  " a b ",
  "a+b",
  "+",
  "\\",
  "\\evil",
  "//evil.com",
  "\t",
  "\n",
  "\0",
  "é",
  "日本",
  "😀",
  "\u202E",
  "\uFEFF",
  "*",
  ":id",
  "::",
  "a:b",
  "a@b:c&d=e,f$",
  "(x)",
  "[x]{y}|^`<>\"'",
  "__proto__",
  "constructor",
  "null",
  "undefined",
  "a".repeat(1000)
]

/** Values that no segment can carry. */
const impossible = ["", ".", "..", "\uD800", "a\uDC00b"]

for (const name of listeners) {
  describe(`the typed client on ${name}`, () => {
    let app: Counted
    const sent: Array<string> = []
    beforeAll(async () => {
      app = await boot(name, [Forms])
    })
    afterAll(() => arrives("The end of the app", app.stop()))

    const clients = new Map<string | URL, Client.ForApi<typeof api>>()
    const clientOf = (baseUrl: string | URL) => {
      const client =
        clients.get(baseUrl) ??
        Effect.runSync(Effect.provide(Client.make(api, { baseUrl }), FetchHttpClient.layer))
      clients.set(baseUrl, client)
      return client
    }

    const call = (calls: Calls, baseUrl: string | URL = "http://app") => {
      sent.length = 0
      return calls(clientOf(baseUrl)).pipe(
        Effect.provideService(FetchHttpClient.Fetch, (input, init) => {
          const { pathname, search } = new URL(input as string | URL)
          sent.push(pathname + search)
          return app.ask(pathname + search, init)
        }),
        Effect.result,
        Effect.runPromise
      )
    }

    /** Calls an endpoint: the handler gets the same values, or the client refuses them. */
    const roundTrip = async (
      endpoint: string,
      params: Record<string, unknown>,
      group = "forms"
    ) => {
      const result = await call((client: any) =>
        (group === "" ? client : client[group])[endpoint]({ params })
      )
      if (result._tag === "Success") {
        assert.deepStrictEqual(result.success, { endpoint, ...params })
        return true
      }
      assert.instanceOf(result.failure, Client.InvalidParameter)
      assert.deepStrictEqual(sent, [])
      return false
    }

    const forms: ReadonlyArray<[string, (value: string) => Record<string, string>]> = [
      ["action", (id) => ({ id })],
      ["between", (id) => ({ id, part: "p" })],
      ["between", (part) => ({ id: "i", part })],
      ["named", (id) => ({ id })],
      ["optional", (id) => ({ id })],
      ["remove", (id) => ({ id })],
      ["restOf", (id) => ({ "*": "x", id })],
      ["slash", (id) => ({ id })],
      ["slug", (slug) => ({ slug })]
    ]

    it.each(forms)(
      "%s gets every value that a segment can carry, as it is",
      async (form, params) => {
        for (const value of plain) {
          // Digits are another route's, and the router's patterns take no line breaks.
          const isOther = form === "slug" ? value === "1" : form === "action" && value === "\n"
          if (isOther) continue
          assert.isTrue(await roundTrip(form, params(value)), JSON.stringify(value))
        }
      }
    )

    it.each(forms.filter(([form]) => !["action", "named"].includes(form)))(
      "%s refuses every value that no segment can carry",
      async (form, params) => {
        for (const value of impossible) {
          assert.isFalse(await roundTrip(form, params(value)), JSON.stringify(value))
        }
      }
    )

    it("fixed text beside a parameter makes . and .. values like others, or dots of another value", async () => {
      assert.isTrue(await roundTrip("named", { id: ".." }))
      assert.isTrue(await roundTrip("hidden", { id: "a" }))
      assert.isFalse(await roundTrip("hidden", { id: "." }))
      assert.isFalse(await roundTrip("named", { id: "" }))
    })

    it("the rest of a path keeps its slashes", async () => {
      for (const value of [...plain, "", "a/b/c", "/", "//", "a//b", "a/b/", "///a", "a b/ü/%/?"]) {
        if (value.split("/").includes("..")) continue
        assert.isTrue(await roundTrip("rest", { "*": value }), JSON.stringify(value))
        assert.isTrue(await roundTrip("restOf", { "*": value, id: "i" }), JSON.stringify(value))
        assert.isTrue(await roundTrip("anywhere", { "*": value }, ""), JSON.stringify(value))
      }
      for (const value of ["..", ".", "a/..", "../a", "a/./b", "a/../b", "\uD800/a"]) {
        assert.isFalse(await roundTrip("rest", { "*": value }), JSON.stringify(value))
        assert.isFalse(await roundTrip("anywhere", { "*": value }, ""), JSON.stringify(value))
      }
      await roundTrip("rest", { "*": "a b/ü/" })
      assert.deepStrictEqual(sent, ["/files/a%20b/%C3%BC/"])
    })

    it("the rest of a path at the root never becomes another host", async () => {
      assert.isTrue(await roundTrip("anywhere", { "*": "/evil.com/x" }, ""))
      assert.deepStrictEqual(sent, ["/%2Fevil.com/x"])
    })

    it("two parameters of a segment arrive as they are, or are refused", async () => {
      for (const form of ["dashed", "dotted"]) {
        const [first, second] = form === "dashed" ? ["from", "to"] : ["name", "type"]
        let arrived = 0
        for (const a of [...plain, ...impossible, "a-b", "-", "a.b"]) {
          for (const b of ["x", "x-y.z", "-"]) {
            if (await roundTrip(form, { [first!]: a, [second!]: b })) arrived++
          }
        }
        assert.isAbove(arrived, 50)
      }
      assert.isFalse(await roundTrip("dashed", { from: "a", to: "b-c" }))
      assert.isTrue(await roundTrip("dashed", { from: "a", to: "b" }))
    })

    it("a value that does not match the pattern of its path is refused", async () => {
      assert.isTrue(await roundTrip("numbered", { number: 12 }))
      assert.isFalse(await roundTrip("numbered", { number: -1 }))
    })

    it("a value that makes the path of another endpoint is refused", async () => {
      assert.isFalse(await roundTrip("slug", { slug: "1" }))
      assert.isTrue(await roundTrip("slug", { slug: "1a" }))
    })

    it("an optional parameter that is absent is left out", async () => {
      assert.isTrue(await roundTrip("optional", {}))
      assert.deepStrictEqual(sent, ["/maybe"])
    })

    it("encoded values are sent in their encoded form", async () => {
      const params = { at: new Date(0), count: 1e-7, flag: false, kind: "c/d" } as const
      const result = await call(({ forms }) => forms.typed({ params }))
      assert.deepInclude(result, {
        success: { ...params, at: "1970-01-01T00:00:00.000Z", endpoint: "typed" }
      })
    })

    it("fixed text is sent as the router reads it", async () => {
      const result = await call(({ forms }) => forms.fixed())
      assert.deepInclude(result, { success: { endpoint: "fixed" } })
    })

    it("query, headers and payload are sent as by Effect's client", async () => {
      const words = ["w/1", "w?2", "w#3", "w&4"] as const
      const result = await call(({ forms }) =>
        forms.withAll({
          headers: { "x-word": words[0] },
          params: { id: words[1] },
          payload: { word: words[2] },
          query: { word: words[3] }
        })
      )
      assert.deepInclude(result, { success: { endpoint: "withAll", words } })
    })

    it("errors are the classes of the contract", async () => {
      const result = await call(({ forms }) => forms.fail({ params: { id: "1" } }))
      assert.instanceOf((result as { readonly failure: unknown }).failure, Gone)
    })

    it.each(["http://app/", new URL("http://app"), "http://app"])(
      "a base URL may end with a slash: %s",
      async (baseUrl) => {
        await call(({ forms }) => forms.remove({ params: { id: "1" } }), baseUrl)
        assert.deepStrictEqual(sent, ["/items/1"])
        await call((client) => client.anywhere({ params: { "*": "" } }), baseUrl)
        assert.deepStrictEqual(sent, ["/"])
      }
    )

    it("the path of a base URL stays in front, and no parameter leaves it", async () => {
      for (const baseUrl of ["http://app/api/", "http://app/api"]) {
        await call(({ forms }) => forms.remove({ params: { id: "../x" } }), baseUrl)
        assert.deepStrictEqual(sent, ["/api/items/..%2Fx"])
        await call(({ forms }) => forms.rest({ params: { "*": "/a/" } }), baseUrl)
        assert.deepStrictEqual(sent, ["/api/files/%2Fa/"])
      }
    })

    it("DELETE /items is never sent for an empty id, as Effect's own client does", async () => {
      assert.isFalse(await roundTrip("remove", { id: "" }))
      const effects = await HttpApiClient.make(api, { baseUrl: "http://app" }).pipe(
        Effect.flatMap(({ forms }) => forms.remove({ params: { id: "1" } })),
        Effect.provide(FetchHttpClient.layer),
        Effect.provideService(FetchHttpClient.Fetch, (input, init) =>
          app.ask(new URL(input as URL).pathname, init)
        ),
        Effect.runPromise
      )
      assert.deepStrictEqual(effects, { endpoint: "remove", id: "1" })
    })
  })
}

describe("the refusal of a parameter", () => {
  const refusal = (calls: Calls) =>
    Client.make(api).pipe(
      Effect.flatMap(calls),
      Effect.flip,
      Effect.provide(FetchHttpClient.layer),
      Effect.provideService(FetchHttpClient.Fetch, () => assert.fail("A request was sent")),
      Effect.runPromise
    ) as Promise<Client.InvalidParameter>

  it("names endpoint, parameter, value, reason and what to write", async () => {
    const error = await refusal(({ forms }) => forms.remove({ params: { id: "" } }))
    assert.strictEqual(error._tag, "InvalidParameter")
    assert.strictEqual(
      error.message,
      'The request forms.remove (DELETE /items/:id) was not sent: parameter "id" has the value "", which is empty: the request would go to another path. Use a value that is not empty.'
    )
  })

  it.each<[string, Calls, string]>([
    ["a dot", ({ forms }) => forms.remove({ params: { id: ".." } }), "clients resolve"],
    ["a surrogate", ({ forms }) => forms.remove({ params: { id: "\uD800" } }), "Unicode"],
    [
      "an empty optional value",
      ({ forms }) => forms.optional({ params: { id: "" } }),
      "or leave the parameter out"
    ],
    [
      "an ambiguous value",
      ({ forms }) => forms.dashed({ params: { from: "a", to: "b-c" } }),
      'would be read as "a-b"'
    ],
    [
      "another endpoint",
      ({ forms }) => forms.slug({ params: { slug: "1" } }),
      "makes the path /orders/1 of forms.numbered"
    ],
    ["a pattern", ({ forms }) => forms.numbered({ params: { number: -1 } }), "the pattern (\\d+)"],
    ["an undeclared parameter", ({ forms }) => forms.undeclared(), "Declare it in `params`"]
  ])("says why: %s", async (_, calls, why) => {
    const error = await refusal(calls)
    assert.instanceOf(error, Client.InvalidParameter)
    assert.include(error.message, why)
  })

  it("a value that the schema refuses is a SchemaError, as with Effect's client", async () => {
    const error = await refusal(({ forms }) => forms.numbered({ params: { number: 1.5 } }))
    assert.strictEqual((error as { readonly _tag: string })._tag, "SchemaError")
  })
})

describe("middleware of the client", () => {
  class Signature extends HttpApiMiddleware.Service<Signature>()("test/Signature", {
    requiredForClient: true
  }) {}

  const signed = HttpApi.make("signed").add(
    HttpApiGroup.make("g")
      .add(HttpApiEndpoint.get("read", "/a/:id", { params: { id: text } }))
      .middleware(Signature)
  )

  it("gets the request with its path, before the base URL, and changes it", async () => {
    const seen: Array<string> = []
    await Client.make(signed, {
      baseUrl: "http://app",
      transformClient: HttpClient.mapRequest(HttpClientRequest.setHeader("x-outer", "1"))
    }).pipe(
      Effect.flatMap(({ g }) => g.read({ params: { id: "x y" } })),
      Effect.provide(
        HttpApiMiddleware.layerClient(Signature, ({ next, request }) => {
          seen.push(request.url)
          return next(HttpClientRequest.setHeader(request, "x-signature", request.url))
        })
      ),
      Effect.provide(FetchHttpClient.layer),
      Effect.provideService(FetchHttpClient.Fetch, (input, init) => {
        const headers = new Headers(init?.headers)
        seen.push(String(input), headers.get("x-signature")!, headers.get("x-outer")!)
        return Promise.resolve(new Response(null, { status: 204 }))
      }),
      Effect.runPromise
    )
    assert.deepStrictEqual(seen, ["/a/x%20y", "http://app/a/x%20y", "/a/x%20y", "1"])
  })
})
