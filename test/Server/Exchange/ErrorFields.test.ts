import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import { ApiError, App, Plugin, Route } from "flange"
import * as Logging from "flange/Logging"
import * as OpenApi from "flange/OpenApi"
import { TestApp } from "flange/Testing"
import { Reader } from "../../../src/Server/Exchange/PlainData.ts"

class NotFound extends ApiError.make<NotFound>()(
  "NotFound",
  {
    code: "NOT_FOUND",
    detail: ({ id, query }) => `Item ${id} is not in a table of ${query.split(" ").length} words`,
    internal: ["query", "since"],
    status: 404
  },
  { id: Schema.Int, query: Schema.String, since: Schema.optionalKey(Schema.DateFromString) }
) {}

class Down extends ApiError.make<Down>()(
  "Down",
  {
    code: "DOWN",
    detail: ({ seconds }) => `Down for ${seconds} s`,
    expose: ["seconds"],
    status: 503
  },
  {
    host: Schema.String,
    port: Schema.Int.pipe(Schema.withConstructorDefault(Effect.succeed(5432))),
    seconds: Schema.Int
  }
) {}

class Broken extends ApiError.make<Broken>()(
  "Broken",
  // What is not typed may read what it should not.
  { code: "BROKEN", detail: (error: object) => `Broken: ${JSON.stringify(error)}`, status: 500 },
  { path: Schema.String }
) {}

const error = [NotFound, Down, Broken]
const params = { kind: Schema.String }
const success = Schema.String

class ItemsApi extends HttpApiGroup.make("items").add(
  HttpApiEndpoint.get("at-once", "/at-once/:kind", { error, params, success }),
  HttpApiEndpoint.get("headers", "/headers/:kind", {
    error: [HttpApiSchema.WithHeaders(NotFound, { "x-own": Schema.String }), Down, Broken],
    params,
    success
  }),
  HttpApiEndpoint.get("later", "/later/:kind", { error, params, success }),
  HttpApiEndpoint.get("stream", "/stream/:kind", {
    error,
    params,
    success: HttpApiSchema.StreamUint8Array()
  }),
  HttpApiEndpoint.get("undeclared", "/undeclared/:kind", { params, success })
) {}

const failureOf = (kind: string) =>
  ({
    broken: new Broken({ path: "/secret/a" }),
    down: new Down({ host: "secret-db", seconds: 3 }),
    missing: new NotFound({ id: 7, query: "select secret", since: new Date(0) })
  })[kind]!

const fail = ({ params }: { readonly params: { readonly kind: string } }) =>
  Effect.fail(failureOf(params.kind))

const ItemsPlugin = Plugin.make("test:items", {
  routes: [
    Route.public(ItemsApi, (handlers) =>
      handlers.handleAll({
        "at-once": fail,
        headers: ({ params }) => {
          const error = failureOf(params.kind)
          return Effect.fail(
            error instanceof NotFound
              ? HttpApiSchema.withHeaders({ body: error, headers: { "x-own": "yes" } })
              : error
          )
        },
        later: (request) => Effect.andThen(Effect.yieldNow, fail(request)),
        stream: (request) => fail(request) as Effect.Effect<Stream.Stream<Uint8Array>, Down>,
        undeclared: (request) => Effect.orDie(fail(request))
      })
    )
  ]
})

const app = App.make("items", [Logging.plugin, OpenApi.plugin, ItemsPlugin])

const config = { config: { logging: { level: "debug" } } }

/** The members of every document. */
const common = ["code", "correlationId", "detail", "instance", "status", "title", "type"]

const expected = {
  broken: { code: "BROKEN", detail: "Broken: {}", own: [], status: 500 },
  down: { code: "DOWN", detail: "Down for 3 s", own: ["seconds"], status: 503 },
  missing: {
    code: "NOT_FOUND",
    detail: "Item 7 is not in a table of 2 words",
    own: ["id"],
    status: 404
  }
}

const hidden = {
  broken: { path: "/secret/a" },
  down: { host: "secret-db", port: 5432 },
  missing: { query: "select secret", since: new Date(0) }
}

const places = [
  ["in memory", TestApp.make],
  ["through a socket", TestApp.listening]
] as const

describe.each(places)("the fields of an error, %s,", (_place, boot) => {
  for (const way of ["at-once", "headers", "later", "stream", "undeclared"] as const) {
    for (const kind of ["broken", "down", "missing"] as const) {
      it.live(
        `are in the body if the client gets them, and otherwise in the log: ${way} ${kind}`,
        () =>
          Effect.gen(function* () {
            const test = yield* boot(app, config)
            const reply = yield* test.get(`/${way}/${kind}`)
            const { code, detail, own, status } = expected[kind]
            reply.expectProblem(code, status, { detail })
            assert.sameMembers(Object.keys(reply.json as object), [...common, ...own])
            assert.notInclude(reply.text, "secret")
            assert.notInclude(JSON.stringify([...reply.headers]), "secret")
            const causes = test.logs.flatMap(({ cause }) => (cause === undefined ? [] : [cause]))
            // An error that is not declared and that the client has caused is not logged.
            if (way === "undeclared" && status < 500) return assert.deepStrictEqual(causes, [])
            assert.lengthOf(causes, 1)
            const logged = Cause.squash(causes[0]!) as object
            const failed = "body" in logged ? (logged.body as object) : logged
            for (const [name, value] of Object.entries(hidden[kind])) {
              assert.deepStrictEqual(Reflect.get(failed, name), value)
            }
          })
      )
    }
  }

  it.live("are undefined in the error of the typed client if the client does not get them", () =>
    Effect.gen(function* () {
      const { client } = yield* boot(app)
      const failed = (kind: string) =>
        Effect.flip(client.items["at-once"]({ params: { kind } }) as Effect.Effect<string, unknown>)
      const missing = (yield* failed("missing")) as NotFound
      assert.instanceOf(missing, NotFound)
      assert.deepStrictEqual([missing.id, missing.query, missing.since], [7, undefined, undefined])
      assert.notProperty(missing, "query")
      const down = (yield* failed("down")) as Down
      assert.instanceOf(down, Down)
      assert.deepStrictEqual([down.seconds, down.host, down.port], [3, undefined, undefined])
    })
  )

  it.live("are in the OpenAPI document if the client gets them", () =>
    Effect.gen(function* () {
      const test = yield* boot(app)
      const text = (yield* test.get("/openapi.json")).text
      for (const name of ["host", "path", "port", "query", "since"]) {
        assert.notInclude(text, `"${name}":`)
      }
      for (const name of ["id", "seconds"]) assert.include(text, `"${name}":`)
    })
  )
})

describe("the fields of an error that the client does not get", () => {
  it("are required and checked by the constructor", () => {
    const invalid = "Schema validation failed"
    assert.throws(() => new Down({ host: 7 as never, seconds: 3 }), invalid)
    assert.throws(() => new Down({ seconds: 3 } as never), invalid)
  })

  it("are in nothing that copies or writes the error", () => {
    const down = new Down({ host: "secret-db", seconds: 3 })
    for (const text of [JSON.stringify(down), JSON.stringify({ ...down })]) {
      assert.notInclude(text, "secret")
    }
  })

  it("are in the line of the log", () => {
    const line = new Reader().error(new Down({ host: "secret-db", seconds: 3 }))
    assert.deepInclude(line, { host: "secret-db", port: 5432, seconds: 3 })
  })

  it("are not encoded by the schema, which decodes the rest", () => {
    const encoded = Schema.encodeSync(NotFound)(new NotFound({ id: 7, query: "secret" }))
    assert.sameMembers(Object.keys(encoded), ["code", "detail", "id", "status", "title", "type"])
    assert.instanceOf(Schema.decodeSync(NotFound)(encoded), NotFound)
  })
})

describe("ApiError.make refuses", () => {
  const declared = (status: number, names: object) => () =>
    ApiError.make<Error>()(
      "Computed",
      { code: "COMPUTED", detail: "", status, ...names },
      { id: Schema.Int, query: Schema.String }
    )

  it("a name in `internal` or `expose` that is no field", () => {
    const message = 'Error "Computed" has no field "qery". Its fields are: id, query.'
    assert.throws(declared(404, { internal: ["id", "qery"] }), message)
    assert.throws(declared(503, { expose: ["qery"] }), message)
  })

  it("`expose` for a 4xx and `internal` for a 5xx", () => {
    assert.throws(
      declared(404, { expose: ["id"] }),
      'Error "Computed" has the status 404. The client gets all fields of a 4xx'
    )
    assert.throws(
      declared(503, { internal: ["id"] }),
      'Error "Computed" has the status 503. The client gets no field of a 5xx'
    )
  })
})
