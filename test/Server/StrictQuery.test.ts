/** Unknown keys of a query, which a contract or an app refuses by choice, with both codecs. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Multipart from "effect/http/Multipart"
import * as Schema from "effect/Schema"
import { App, Plugin, Preset, Route } from "flange"
import { Pagination, StrictQuery } from "flange/Contract"
import { TestApp } from "flange/Testing"
import { assert, describe, it } from "vitest"
import { both, type Place } from "./codecs.ts"

const success = Schema.String

class StrictApi extends HttpApiGroup.make("strict")
  .add(
    HttpApiEndpoint.get("any", "/any", {
      query: Schema.Record(Schema.String, Schema.String),
      success
    }),
    HttpApiEndpoint.get("either", "/either", {
      query: Schema.Union([
        Schema.Struct({ name: Schema.String }),
        Schema.Struct({ number: Schema.Int })
      ]),
      success
    }),
    HttpApiEndpoint.get("lenient", "/lenient", { query: Pagination.query, success }).annotate(
      StrictQuery,
      false
    ),
    HttpApiEndpoint.get("list", "/list", {
      query: { ...Pagination.query, tag: Schema.optionalKey(Schema.Array(Schema.String)) },
      success
    }),
    HttpApiEndpoint.get("none", "/none/:id", { params: { id: Schema.Int }, success }),
    HttpApiEndpoint.post("post", "/post", {
      payload: Schema.Struct({ name: Schema.String }),
      query: { dryRun: Schema.optionalKey(Schema.Boolean) },
      success
    }),
    HttpApiEndpoint.get("queried", "/queried", {
      payload: { word: Schema.String },
      query: { limit: Schema.Int },
      success
    }),
    HttpApiEndpoint.get("raw", "/raw", { query: { word: Schema.String }, success }),
    HttpApiEndpoint.get("stream", "/stream", {
      query: { word: Schema.String },
      success: HttpApiSchema.StreamUint8Array()
    }),
    HttpApiEndpoint.post("upload", "/upload", {
      payload: Schema.Struct({ file: Multipart.SingleFileSchema, name: Schema.String }).pipe(
        HttpApiSchema.asMultipart()
      ),
      query: { folder: Schema.optionalKey(Schema.String) },
      success
    })
  )
  .annotate(StrictQuery, true) {}

class LenientApi extends HttpApiGroup.make("lenient").add(
  HttpApiEndpoint.get("ignores", "/ignores", { query: Pagination.query, success }),
  HttpApiEndpoint.get("refuses", "/refuses", { query: Pagination.query, success }).annotate(
    StrictQuery,
    true
  )
) {}

const show = ({ query }: { readonly query?: unknown }) => Effect.succeed(JSON.stringify(query))

const plugin = Plugin.make("test:strict", {
  routes: [
    Route.public(StrictApi, (handlers) =>
      handlers
        .handle("any", show)
        .handle("either", show)
        .handle("lenient", show)
        .handle("list", show)
        .handle("none", () => Effect.succeed("none"))
        .handle("post", show)
        .handle("queried", show)
        .handleRaw("raw", () => Effect.succeed(HttpServerResponse.text("raw")))
        .handle("stream", () => Effect.die("not called"))
        .handle("upload", show)
    ),
    Route.public(LenientApi, (handlers) => handlers.handleAll({ ignores: show, refuses: show }))
  ]
})

const app = () => App.make("strict", [plugin])

interface Problem {
  readonly code: string
  readonly errors: ReadonlyArray<unknown>
}

/** Returns the code and the errors of the reply to a request. */
const errorsOf = async (path: string, place: Place, init?: RequestInit) => {
  const { body, headers, status } = await both(app, ({ send }) => send(path, init), place)
  assert.strictEqual(status, 400, body)
  assert.strictEqual(headers["content-type"], "application/problem+json")
  const { code, errors } = JSON.parse(body) as Problem
  assert.strictEqual(code, "VALIDATION_FAILED")
  return errors
}

const unknown = (key: string, detail: string) => ({
  detail: `Unknown key ${JSON.stringify(key)}. ${detail}`,
  location: "query",
  pointer: `/${key}`
})

const json = (value: unknown): RequestInit => ({
  body: JSON.stringify(value),
  headers: { "content-type": "application/json" },
  method: "POST"
})

describe.each<Place>(["memory", "node", "proxied"])("on %s, a strict contract", (place) => {
  it("refuses an unknown key, and names the known key that it resembles", async () => {
    assert.deepStrictEqual(await errorsOf("/list?limt=5", place), [
      unknown("limt", 'Did you mean "limit"?')
    ])
  })

  it("names the known keys if the unknown one resembles none", async () => {
    assert.deepStrictEqual(await errorsOf("/list?colour=red", place), [
      unknown("colour", "The query takes limit, page, tag.")
    ])
    assert.deepStrictEqual(await errorsOf("/none/1?colour=red", place), [
      unknown("colour", "The query takes no keys.")
    ])
  })

  it("lists every unknown key together with the other problems of the request", async () => {
    const init = json({ name: 7 })
    assert.deepStrictEqual(await errorsOf("/post?dryrun=true&x=1&dryRun=maybe", place, init), [
      unknown("dryrun", 'Did you mean "dryRun"?'),
      unknown("x", "The query takes dryRun."),
      { detail: 'Expected "true" | "false"', location: "query", pointer: "/dryRun" },
      { detail: "Expected string", location: "body", pointer: "/name" }
    ])
    assert.deepStrictEqual(await errorsOf("/none/x?y=1", place), [
      unknown("y", "The query takes no keys."),
      {
        detail: "Expected an integer in decimal digits, such as 42 or -7",
        location: "path",
        pointer: "/id"
      }
    ])
  })

  it("refuses an unknown key of every kind of endpoint", async () => {
    assert.deepStrictEqual(await errorsOf("/raw?word=a&wort=b", place), [
      unknown("wort", 'Did you mean "word"?')
    ])
    assert.deepStrictEqual(await errorsOf("/stream?word=a&wort=b", place), [
      unknown("wort", 'Did you mean "word"?')
    ])
    const form = new FormData()
    form.append("name", "a")
    form.append("file", new Blob(["a"]), "a.txt")
    assert.deepStrictEqual(
      await errorsOf("/upload?folde=a", place, { body: form, method: "POST" }),
      [unknown("folde", 'Did you mean "folder"?')]
    )
  })

  it("takes the keys of the query, of all its forms and of a payload in the query", async () => {
    const replies = await both(
      app,
      async ({ send }) => [
        await send("/list?limit=5&tag=a&tag=b"),
        await send("/either?name=a&number=1"),
        await send("/queried?limit=1&word=a"),
        await send("/any?x=1"),
        await send("/none/1")
      ],
      place
    )
    assert.deepStrictEqual(
      replies.map(({ body, status }) => [status, body]),
      [
        [200, JSON.stringify({ limit: 5, page: 1, tag: ["a", "b"] })],
        [200, JSON.stringify({ name: "a" })],
        [200, JSON.stringify({ limit: 1 })],
        [200, JSON.stringify({ x: "1" })],
        [200, "none"]
      ].map(([status, body]) => [status, JSON.stringify(body)])
    )
  })

  it("applies to a HEAD request as to a GET", async () => {
    const { status } = await both(
      app,
      ({ send }) => send("/list?limt=5", { method: "HEAD" }),
      place
    )
    assert.strictEqual(status, 400)
  })
})

describe("strictness", () => {
  it("is chosen by the endpoint before the group", async () => {
    const statuses = await both(app, async ({ send }) => {
      const paths = ["/lenient?limt=5", "/ignores?limt=5", "/refuses?limt=5"]
      return (await Promise.all(paths.map((path) => send(path)))).map(({ status }) => status)
    })
    assert.deepStrictEqual(statuses, [200, 200, 400])
  })

  it("is chosen by the app for contracts that do not choose, but not for probes", () =>
    Effect.gen(function* () {
      const api = yield* TestApp.make(App.make("strict", [...Preset.api, plugin]), {
        config: { server: { strictQuery: true } }
      })
      const ignored = yield* api.get("/ignores?limt=5")
      ignored.expectProblem("VALIDATION_FAILED", 400)
      const lenient = yield* api.get("/lenient?limt=5")
      lenient.expectStatus(200)
      for (const path of ["/livez?x=1", "/readyz?x=1", "/healthz?x=1", "/healthcheck?x=1"]) {
        const probe = yield* api.get(path)
        probe.expectStatus(200)
      }
      const stated = statedIn((yield* api.get("/openapi.json")).json)
      assert.deepStrictEqual(stated, [...strictPaths, "/any", "/ignores"].toSorted())
    }).pipe(Effect.scoped, Effect.runPromise))

  it("is stated by OpenAPI", () =>
    Effect.gen(function* () {
      const api = yield* TestApp.make(App.make("strict", [...Preset.api, plugin]))
      const stated = statedIn((yield* api.get("/openapi.json")).json)
      assert.deepStrictEqual(stated, [...strictPaths, "/any"].toSorted())
    }).pipe(Effect.scoped, Effect.runPromise))

  it("does not repeat a long key, and does not compare it", async () => {
    const key = "k".repeat(4000)
    const [first] = await errorsOf(`/list?${key}=1`, "memory")
    assert.strictEqual(
      (first as { readonly detail: string }).detail,
      `Unknown key "${"k".repeat(100)}...". The query takes limit, page, tag.`
    )
  })
})

const strictPaths = [
  "/either",
  "/list",
  "/none/{id}",
  "/post",
  "/queried",
  "/raw",
  "/refuses",
  "/stream",
  "/upload"
]

interface Document {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly description?: string }>>>
  >
}

/** Returns the paths of a document whose operation states that it refuses unknown keys. */
const statedIn = (document: unknown) => {
  // The document is the OpenAPI plugin's own.
  const { paths } = document as Document
  return Object.entries(paths)
    .filter(([, item]) =>
      Object.values(item).some(({ description }) =>
        description?.includes("A query with a key that is not listed is answered with 400.")
      )
    )
    .map(([path]) => path)
    .toSorted()
}
