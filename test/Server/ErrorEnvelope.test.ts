/** The form of an app's error bodies, on every listener. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import { ApiError, BodyLimit, ErrorEnvelope, Middleware, Plugin, Route } from "flange"
import * as Auth from "flange/Auth"
import * as RateLimit from "flange/RateLimit"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { RatePolicy } from "../../src/Contract/RatePolicy.ts"
import { boot, type Counted } from "./counted.ts"
import { arrives, guardProcess, listeners } from "./userCode/server.ts"

guardProcess()

class Taken extends ApiError.make<Taken>()(
  "Taken",
  {
    code: "TAKEN",
    detail: ({ name }) => `${name} is taken`,
    internal: ["shard"],
    status: 409
  },
  { name: Schema.String, shard: Schema.Int }
) {}

class Down extends ApiError.make<Down>()(
  "Down",
  { code: "DOWN", detail: "It is down", expose: ["seconds"], status: 503 },
  { host: Schema.String, seconds: Schema.Int }
) {}

class Plain extends Schema.TaggedError<Plain>()(
  "Plain",
  { why: Schema.String },
  { httpApiStatus: 422 }
) {}

const error = [Down, Plain, Taken]
const params = { kind: Schema.String }
const success = Schema.String

class FailingApi extends HttpApiGroup.make("failing").add(
  HttpApiEndpoint.get("at-once", "/at-once/:kind", { error, params, success }),
  HttpApiEndpoint.get("later", "/later/:kind", { error, params, success }),
  HttpApiEndpoint.get("limited", "/limited", { success }).annotate(RatePolicy, {
    limit: 1,
    window: "1 hour"
  }),
  HttpApiEndpoint.post("send", "/send", {
    payload: Schema.Struct({ n: Schema.Int }),
    success
  }).annotate(BodyLimit, 64),
  HttpApiEndpoint.get("stream", "/stream/:kind", {
    error,
    params,
    success: HttpApiSchema.StreamUint8Array()
  })
) {}

class PrivateApi extends HttpApiGroup.make("private").add(
  HttpApiEndpoint.get("read", "/private", { success })
) {}

const problemJson = { contentType: "application/problem+json", status: 418 }

const results: Readonly<Record<string, () => Effect.Effect<never, Down | Plain | Taken>>> = {
  defect: () => Effect.die(new Error("secret")),
  document: () => HttpServerResponse.text('{"title":"Teapot","lid":null}', problemJson) as never,
  down: () => Effect.fail(new Down({ host: "secret", seconds: 3 })),
  empty: () => HttpServerResponse.empty({ status: 402 }) as never,
  plain: () => Effect.fail(new Plain({ why: "x" })),
  taken: () => Effect.fail(new Taken({ name: "a", shard: 7 }))
}

const run = ({ params }: { readonly params: { readonly kind: string } }) => {
  const result: unknown = results[params.kind]!()
  return (
    HttpServerResponse.isHttpServerResponse(result) ? Effect.succeed(result) : result
  ) as Effect.Effect<never, Down | Plain | Taken>
}

const Failing = Plugin.make("test:failing", {
  middleware: [
    Middleware.before("refuses", {
      build: Effect.succeed(
        () => (request: { readonly target: string }) =>
          request.target === "/refused"
            ? HttpServerRespondable.toResponse(new Taken({ name: "b", shard: 7 }))
            : Middleware.pass
      ),
      slot: "TransportSecurity"
    })
  ],
  routes: [
    Route.public(FailingApi, (handlers) =>
      handlers.handleAll({
        "at-once": run,
        later: (request) => Effect.andThen(Effect.yieldNow, run(request)),
        limited: () => Effect.succeed(""),
        send: () => Effect.succeed(""),
        stream: (request) => run(request) as Effect.Effect<Stream.Stream<Uint8Array>, Down>
      })
    ),
    Route.protected(PrivateApi, (handlers) =>
      handlers.handleAll({ read: () => Effect.succeed("") })
    ),
    Route.raw("raw", HttpRouter.add("GET", "/raw", Effect.die(new Error("secret"))), {
      access: "public"
    })
  ]
})

const plugins = [
  Failing,
  RateLimit.plugin,
  Auth.plugin({
    default: Auth.chain([
      Auth.apiKey({
        validate: Auth.keys([{ identity: { subject: "ada" }, key: Redacted.make("key") }])
      })
    ])
  })
]

const errors = ErrorEnvelope.make({
  contentType: "application/vnd.shop+json; v=1",
  decode: ({ error: { code, message } }) => ({ code, detail: message }),
  encode: (
    { code, correlationId, detail, instance = null, status, title, type, ...fields },
    { header, method = null, requestId, target = null }
  ) => {
    if (header("x-throw") !== undefined) throw new Error("thrown")
    if (header("x-misfit") !== undefined) return { error: 7 } as never
    return {
      error: { code, fields, instance, message: `${status} ${title}: ${detail}`, type },
      request: { id: requestId === correlationId ? requestId : "", method, target }
    }
  },
  schema: Schema.Struct({
    error: Schema.Struct({
      code: Schema.String,
      fields: Schema.Record(Schema.String, Schema.Unknown),
      instance: Schema.NullOr(Schema.String),
      message: Schema.String,
      type: Schema.String
    }),
    request: Schema.Struct({
      id: Schema.String,
      method: Schema.NullOr(Schema.String),
      target: Schema.NullOr(Schema.String)
    })
  })
})

type Body = Readonly<Record<string, any>>

const json = { "content-type": "application/json" }

/** Requests that fail, with the code and the own fields of their errors. */
const failing: ReadonlyArray<readonly [string, RequestInit, number, string, object]> = [
  ...["at-once", "later", "stream"].flatMap((way) => [
    [`/${way}/defect`, {}, 500, "INTERNAL_ERROR", {}] as const,
    [`/${way}/down`, {}, 503, "DOWN", { seconds: 3 }] as const,
    [`/${way}/document`, {}, 418, "IM_A_TEAPOT", { lid: null }] as const,
    [`/${way}/empty`, {}, 402, "PAYMENT_REQUIRED", {}] as const,
    [`/${way}/taken`, {}, 409, "TAKEN", { name: "a" }] as const
  ]),
  ["/nowhere", {}, 404, "ROUTE_NOT_FOUND", {}],
  ["/raw", {}, 500, "INTERNAL_ERROR", {}],
  ["/refused", {}, 409, "TAKEN", { name: "b" }],
  ["/private", {}, 401, "UNAUTHENTICATED", {}],
  ["/send", { method: "DELETE" }, 405, "METHOD_NOT_ALLOWED", { allow: ["OPTIONS", "POST"] }],
  [
    "/send",
    { body: "x".repeat(65), headers: json, method: "POST" },
    413,
    "PAYLOAD_TOO_LARGE",
    { limit: 64 }
  ],
  [
    "/send",
    { body: "n=1", headers: { "content-type": "text/csv" }, method: "POST" },
    415,
    "UNSUPPORTED_MEDIA_TYPE",
    { supported: ["application/json"] }
  ],
  [
    "/send",
    { body: "{", headers: json, method: "POST" },
    400,
    "MALFORMED_REQUEST",
    {
      errors: [
        {
          detail: "Not JSON: Expected property name or '}' in JSON at position 1",
          location: "body",
          pointer: ""
        }
      ]
    }
  ],
  [
    "/send",
    { body: "{}", headers: json, method: "POST" },
    400,
    "VALIDATION_FAILED",
    {
      errors: [{ detail: "Missing key", location: "body", pointer: "/n" }]
    }
  ]
]

for (const name of listeners) {
  describe(`with an envelope, an error on ${name}`, () => {
    let app: Counted
    beforeAll(async () => {
      app = await boot(name, plugins, {}, errors)
    })
    afterAll(() => arrives("The end of the app", app.stop()))

    const ask = (path: string, init?: RequestInit) => arrives("The reply", app.ask(path, init))

    it.each(failing)("has the form of the app: %s %j", async (path, init, status, code, fields) => {
      const reply = await ask(path, init)
      const text = await reply.text()
      assert.strictEqual(reply.status, status, text)
      assert.strictEqual(reply.headers.get("content-type"), errors.contentType)
      const { error, request } = JSON.parse(text) as Body
      assert.deepStrictEqual([error.code, error.instance], [code, path])
      assert.deepStrictEqual(error.fields, fields)
      assert.match(error.message, new RegExp(`^${status} .*: .`))
      assert.deepStrictEqual(request, {
        id: reply.headers.get("x-request-id"),
        method: init.method ?? "GET",
        target: path
      })
      assert.notInclude(text, "secret")
    })

    it("keeps the headers of the reply", async () => {
      assert.strictEqual(
        (await ask("/send", { method: "DELETE" })).headers.get("allow"),
        "OPTIONS, POST"
      )
      assert.isString((await ask("/private")).headers.get("www-authenticate"))
      await ask("/limited")
      const limited = await ask("/limited")
      assert.strictEqual(((await limited.json()) as Body).error.code, "RATE_LIMITED")
      assert.isString(limited.headers.get("retry-after"))
    })

    it("that is no problem document stays as its schema has encoded it", async () => {
      for (const way of ["at-once", "later", "stream"]) {
        const reply = await ask(`/${way}/plain`)
        assert.strictEqual(reply.headers.get("content-type"), "application/json")
        assert.deepStrictEqual(await reply.json(), { _tag: "Plain", why: "x" })
      }
    })

    it.each(["x-throw", "x-misfit"])(
      "is a problem document if %s makes it fail",
      async (header) => {
        const reply = await ask("/at-once/taken", { headers: { [header]: "1" } })
        assert.strictEqual(reply.headers.get("content-type"), "application/problem+json")
        const { code, correlationId } = (await reply.json()) as Body
        assert.deepStrictEqual([code, correlationId], ["TAKEN", reply.headers.get("x-request-id")])
        assert.strictEqual(reply.status, 409)
      }
    )

    if (name === "web") return

    it.each([
      ["a request line that is none", "nonsense\r\n\r\n", "400"],
      ["no Host", "GET /a HTTP/1.1\r\nX-Request-ID: id-1\r\n\r\n", "400"],
      ["a version that is unknown", "GET /a HTTP/3.0\r\nHost: a\r\n\r\n", "400|505"],
      ["too long fields", `GET /a HTTP/1.1\r\nHost: a\r\nA: ${"a".repeat(70_000)}\r\n\r\n`, "431"],
      ["an expectation that is unknown", "GET /a HTTP/1.1\r\nHost: a\r\nExpect: b\r\n\r\n", "417"],
      ["CONNECT", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", "501"],
      [
        "a chunk that is none",
        "POST /send HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n",
        "400"
      ]
    ])(
      "of a request that the listener refuses has the form of the app: %s",
      async (_, request, status) => {
        const client = await app.connect()
        client.socket.write(request)
        const [head, body] = (await arrives("The end", client.end())).split("\r\n\r\n") as [
          string,
          string
        ]
        assert.match(head, new RegExp(`^HTTP/1.1 (${status}) `))
        assert.include(head.toLowerCase(), `content-type: ${errors.contentType}`)
        const { error, request: sent } = JSON.parse(body) as Body
        assert.match(error.message, new RegExp(`^(${status}) .*: .`))
        assert.include(head.toLowerCase(), `x-request-id: ${sent.id}`)
        client.socket.destroy()
      }
    )
  })
}
