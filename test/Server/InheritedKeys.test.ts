/** Keys named like the members of `Object.prototype` are keys as others, with both codecs. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import { App, Plugin, Route } from "flange"
import { assert, describe, it } from "vitest"
import * as OwnKeys from "../../src/Contract/OwnKeys.ts"
import { both, type Place, post } from "./codecs.ts"

const names = Object.getOwnPropertyNames(Object.prototype).filter((name) => name !== "__proto__")

// The names of headers are lower-case.
const headerNames = names.filter((name) => name === name.toLowerCase())

const fieldsOf = <S extends Schema.Constraint>(names: ReadonlyArray<string>, schema: S) =>
  Schema.Struct(Object.fromEntries(names.map((name) => [name, schema])))

const optional = fieldsOf(names, Schema.optionalKey(Schema.String))

const required = fieldsOf(names, Schema.String)

const tree = Schema.Struct({
  deep: Schema.Array(optional),
  numbers: fieldsOf(names, Schema.optionalKey(Schema.Int)),
  record: Schema.Record(Schema.String, optional),
  text: Schema.fromJsonString(optional),
  unions: Schema.Union([Schema.Struct({ a: Schema.Int, constructor: Schema.Int }), optional]),
  unknown: fieldsOf(names, Schema.optional(Schema.Unknown)),
  withDefault: fieldsOf(
    names,
    Schema.String.pipe(Schema.withDecodingDefaultKey(Effect.succeed("made")))
  )
})

/** Its instances inherit functions of its own. */
class Instance {
  valueOf() {
    return 1
  }
}

const success = Schema.String

class KeysApi extends HttpApiGroup.make("keys").add(
  HttpApiEndpoint.post("form", "/form/:kind", {
    params: { constructor: Schema.optionalKey(Schema.String), kind: Schema.String },
    payload: optional.pipe(HttpApiSchema.asFormUrlEncoded()),
    success
  }),
  HttpApiEndpoint.post("formRequired", "/form-required", {
    payload: required.pipe(HttpApiSchema.asFormUrlEncoded()),
    success
  }),
  HttpApiEndpoint.get("headers", "/headers", {
    headers: fieldsOf(headerNames, Schema.optionalKey(Schema.String)),
    success
  }),
  HttpApiEndpoint.get("headersRequired", "/headers-required", {
    headers: fieldsOf(headerNames, Schema.String),
    success
  }),
  HttpApiEndpoint.get("instance", "/instance", { success: optional }),
  HttpApiEndpoint.post("json", "/json", { payload: tree, success }),
  HttpApiEndpoint.post("jsonRequired", "/json-required", { payload: required, success }),
  HttpApiEndpoint.post("multipart", "/multipart", {
    payload: optional.pipe(HttpApiSchema.asMultipart()),
    success
  }),
  HttpApiEndpoint.post("multipartRequired", "/multipart-required", {
    payload: required.pipe(HttpApiSchema.asMultipart()),
    success
  }),
  HttpApiEndpoint.get("query", "/query", { query: optional.fields, success }),
  HttpApiEndpoint.get("queryRequired", "/query-required", { query: required.fields, success }),
  HttpApiEndpoint.get("reply", "/reply", { success: tree }),
  HttpApiEndpoint.get("replyHeaders", "/reply-headers", {
    success: HttpApiSchema.WithHeaders(success, { constructor: Schema.optionalKey(Schema.String) })
  }),
  HttpApiEndpoint.get("replyRequired", "/reply-required", { success: required })
) {}

// To the compiler `{}` has a constructor too.
const none: { readonly constructor?: string } = Object.create(null)

/** What a handler got of a part. */
const got = (part: unknown) => Effect.succeed(JSON.stringify(part))

const Keys = Plugin.make("test:keys", {
  routes: [
    Route.public(KeysApi, (handlers) =>
      handlers.handleAll({
        form: ({ params, payload }) => got({ params, payload }),
        formRequired: ({ payload }) => got(payload),
        headers: ({ headers }) => got(headers),
        headersRequired: ({ headers }) => got(headers),
        instance: () => Effect.succeed(Object.create(Instance.prototype)),
        json: ({ payload }) => got(payload),
        jsonRequired: ({ payload }) => got(payload),
        multipart: ({ payload }) => got(payload),
        multipartRequired: ({ payload }) => got(payload),
        query: ({ query }) => got(query),
        queryRequired: ({ query }) => got(query),
        reply: () =>
          Effect.succeed({
            deep: [{}],
            numbers: {},
            record: { constructor: {} },
            text: {},
            unions: {},
            unknown: {},
            withDefault: Object.fromEntries(names.map((name) => [name, "sent"]))
          }),
        replyHeaders: () =>
          Effect.succeed(HttpApiSchema.withHeaders({ body: "sent", headers: none })),
        // To the compiler every object has these keys.
        replyRequired: () => Effect.succeed({})
      })
    )
  ]
})

const app = () => App.make("keys", [Keys])

const form = "application/x-www-form-urlencoded"

const json = (body: unknown) => post("application/json", JSON.stringify(body))

const multipart = (fields: Readonly<Record<string, string>>) =>
  post(
    "multipart/form-data; boundary=b",
    `${Object.entries(fields)
      .map(
        ([name, value]) =>
          `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
      )
      .join("")}--b--\r\n`
  )

const nothing = {
  deep: [{}],
  numbers: {},
  record: { constructor: {} },
  text: "{}",
  unions: {},
  unknown: {},
  withDefault: {}
}

const given = (names: ReadonlyArray<string>) => Object.fromEntries(names.map((name) => [name, "x"]))

const all = given(names)

const made = Object.fromEntries(names.map((name) => [name, "made"]))

describe.each<Place>(["memory", "node", "proxied"])("on %s", (place) => {
  it("what a request lacks is missing", () =>
    both(
      app,
      async ({ send }) => {
        const cases: ReadonlyArray<[path: string, init: RequestInit, got: unknown]> = [
          ["/form/a", post(form, ""), { params: { kind: "a" }, payload: {} }],
          ["/headers", {}, {}],
          ["/json", json(nothing), { ...nothing, text: {}, withDefault: made }],
          ["/multipart", multipart({ other: "1" }), {}],
          ["/query", {}, {}]
        ]
        for (const [path, init, value] of cases) {
          const { body, status } = await send(path, init)
          assert.deepStrictEqual(
            [path, status, JSON.parse(body)],
            [path, 200, JSON.stringify(value)]
          )
        }
      },
      place
    ))

  it("what a request has is taken", () =>
    both(
      app,
      async ({ send }) => {
        const search = new URLSearchParams(all).toString()
        const cases: ReadonlyArray<[path: string, init: RequestInit, got: unknown]> = [
          ["/form-required", post(form, search), all],
          ["/headers-required", { headers: given(headerNames) }, given(headerNames)],
          ["/json-required", json(all), all],
          ["/multipart-required", multipart(all), all],
          [`/query-required?${search}`, {}, all]
        ]
        for (const [path, init, value] of cases) {
          const { body, status } = await send(path, init)
          assert.deepStrictEqual([path, status, JSON.parse(JSON.parse(body))], [path, 200, value])
        }
      },
      place
    ))

  it("a key that a request must have is reported as missing", () =>
    both(
      app,
      async ({ send }) => {
        const cases: ReadonlyArray<
          [path: string, init: RequestInit, location: string, names: ReadonlyArray<string>]
        > = [
          ["/form-required", post(form, ""), "body", names],
          ["/headers-required", {}, "header", headerNames],
          ["/json-required", json({}), "body", names],
          ["/multipart-required", multipart({ other: "1" }), "body", names],
          ["/query-required", {}, "query", names]
        ]
        for (const [path, init, location, names] of cases) {
          const { body, status } = await send(path, init)
          const errors: ReadonlyArray<{ readonly pointer: string }> = JSON.parse(body).errors
          assert.deepStrictEqual(
            [
              path,
              status,
              errors.toSorted(
                (a, b) => names.indexOf(a.pointer.slice(1)) - names.indexOf(b.pointer.slice(1))
              )
            ],
            [
              path,
              400,
              names.map((name) => ({ detail: "Missing key", location, pointer: `/${name}` }))
            ]
          )
        }
      },
      place
    ))

  it("what the value of a handler lacks is not sent, or missed", () =>
    both(
      app,
      async ({ send }) => {
        const sent = async (path: string) => {
          const { body, status } = await send(path)
          return [status, JSON.parse(body)]
        }
        assert.deepStrictEqual(await sent("/instance"), [200, {}])
        assert.deepStrictEqual(await sent("/reply"), [
          200,
          { ...nothing, withDefault: Object.fromEntries(names.map((name) => [name, "sent"])) }
        ])
        const { headers, status } = await send("/reply-headers")
        assert.deepStrictEqual([status, Object.hasOwn(headers, "constructor")], [200, false])
        assert.strictEqual((await send("/reply-required")).status, 500)
      },
      place
    ))
})

describe("a schema that contains itself", () => {
  interface Node {
    readonly children: ReadonlyArray<Node>
  }
  const nodeOf = (fields: Schema.Struct.Fields): Schema.Codec<Node> => {
    const node: Schema.Codec<Node> = Schema.Struct({
      children: Schema.Array(Schema.suspend(() => node)),
      ...fields
    }) as never
    return node
  }

  it("is the same if it has no such key", () => {
    const { ast } = nodeOf({})
    assert.strictEqual(OwnKeys.of(ast), ast)
  })

  it("has such a key at each depth", () => {
    const { ast } = nodeOf({ constructor: Schema.optionalKey(Schema.String) })
    assert.isTrue(OwnKeys.matters(ast))
    const decode = Schema.decodeUnknownSync(Schema.make<Schema.Codec<Node>>(OwnKeys.of(ast)))
    assert.deepStrictEqual(decode({ children: [{ children: [] }] }), {
      children: [{ children: [] }]
    })
  })
})
