/** The key `__proto__` in the parts of a request that clients name, with both codecs. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import { App, Plugin, Route } from "flange"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { both, type Place, post } from "./codecs.ts"
import { boot, type Counted } from "./counted.ts"

const any = Schema.Record(Schema.String, Schema.Unknown)

const texts = Schema.Record(Schema.String, Schema.String)

const declared = Schema.Struct({ a: Schema.optionalKey(Schema.String) })

const success = Schema.String

class KeysApi extends HttpApiGroup.make("keys").add(
  HttpApiEndpoint.post("both", "/both", {
    headers: texts,
    payload: declared.pipe(HttpApiSchema.asMultipart()),
    success
  }),
  HttpApiEndpoint.get("declared", "/declared", { query: declared, success }),
  HttpApiEndpoint.post("form", "/form", {
    payload: texts.pipe(HttpApiSchema.asFormUrlEncoded()),
    success
  }),
  HttpApiEndpoint.get("header", "/header", { headers: texts, success }),
  HttpApiEndpoint.post("json", "/json", { payload: any, success }),
  HttpApiEndpoint.post("mixed", "/mixed", {
    payload: [any, declared.pipe(HttpApiSchema.asMultipart())],
    success
  }),
  HttpApiEndpoint.post("multipart", "/multipart", {
    payload: texts.pipe(HttpApiSchema.asMultipart()),
    success
  }),
  HttpApiEndpoint.get("payload", "/payload", { payload: declared.fields, success }),
  HttpApiEndpoint.get("query", "/query", { query: texts, success }),
  HttpApiEndpoint.post("text", "/text", {
    payload: Schema.Struct({ data: Schema.fromJsonString(any) }).pipe(
      HttpApiSchema.asFormUrlEncoded()
    ),
    success
  })
) {}

const ok = () => Effect.succeed("taken")

const Keys = Plugin.make("test:keys", {
  routes: [
    Route.public(KeysApi, (handlers) =>
      handlers.handleAll({
        both: ok,
        declared: ok,
        form: ok,
        header: ok,
        json: ok,
        mixed: ok,
        multipart: ok,
        payload: ok,
        query: ok,
        text: ok
      })
    )
  ]
})

const app = () => App.make("keys", [Keys])

const form = "application/x-www-form-urlencoded"

const json = "application/json"

const multipart = (disposition: string, value = "x") =>
  post(
    "multipart/form-data; boundary=b",
    `--b\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${value}\r\n--b--\r\n`
  )

type Case = readonly [path: string, init: RequestInit, location: string, pointer: string]

const refused: ReadonlyArray<Case> = [
  ["/json", post(json, '{"__proto__":1}'), "body", "/__proto__"],
  ["/json", post(json, '{"a":[{"__pr\\u006fto__":1}]}'), "body", "/a/0/__proto__"],
  ["/mixed", post(json, '{"__proto__":1}'), "body", "/__proto__"],
  ["/query?__proto__=1", {}, "query", "/__proto__"],
  ["/query?a=1&__%70roto__=1", {}, "query", "/__proto__"],
  ["/query?__proto__", {}, "query", "/__proto__"],
  ["/query?__proto__=1&__proto__=2", {}, "query", "/__proto__"],
  ["/declared?__proto__=1", {}, "query", "/__proto__"],
  ["/payload?__%70roto__=1", {}, "query", "/__proto__"],
  ["/form", post(form, "__proto__=1"), "body", "/__proto__"],
  ["/form", post(form, "a=1&%5f%5fproto%5F_=1"), "body", "/__proto__"],
  ["/multipart", multipart('name="__proto__"'), "body", "/__proto__"],
  ["/multipart", multipart('name="__proto__"; filename="a.txt"'), "body", "/__proto__"],
  ["/mixed", multipart('name="__proto__"'), "body", "/__proto__"]
]

const taken: ReadonlyArray<readonly [path: string, init: RequestInit]> = [
  ["/json", post(json, '{"a":"__proto__","constructor":{"prototype":1}}')],
  ["/query?a=__proto__&constructor=1&proto=1&a[__proto__]=1", {}],
  ["/form", post(form, "a=__proto__&constructor=1&__proto=1")],
  ["/header", {}],
  ["/mixed", multipart('name="a"')],
  ["/multipart", multipart('name="constructor"', "__proto__")]
]

describe.each(["node", "proxied"] as const)("a header on %s", (name) => {
  let app: Counted
  beforeAll(async () => {
    app = await boot(name, [Keys])
  })
  afterAll(() => app.stop())

  it.each([
    ["/header", "GET", ""],
    ["/both", "POST", "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 0\r\n"]
  ])("named __proto__ is refused by %s", async (path, method, headers) => {
    const client = await app.connect()
    client.send(`${method} ${path} HTTP/1.1\r\nHost: a\r\n${headers}__Proto__: x\r\n\r\n`)
    const { body, status } = await client.reply()
    client.destroy()
    assert.deepStrictEqual(
      [status, JSON.parse(body).errors],
      [
        400,
        [
          {
            detail: 'The key "__proto__" is not allowed',
            location: "header",
            pointer: "/__proto__"
          }
        ]
      ]
    )
  })
})

describe.each<Place>(["memory", "node", "proxied"])("on %s", (place) => {
  it("the key __proto__ is refused in every part of a request as it is in JSON", () =>
    both(
      app,
      async ({ send }) => {
        for (const [path, init, location, pointer] of refused) {
          const reply = await send(path, init)
          const { code, errors } = JSON.parse(reply.body)
          assert.deepStrictEqual(
            [path, reply.status, code, errors],
            [
              path,
              400,
              "MALFORMED_REQUEST",
              [{ detail: 'The key "__proto__" is not allowed', location, pointer }]
            ]
          )
        }
      },
      place
    ))

  it("a text of JSON in another part is refused for the key __proto__", () =>
    both(
      app,
      async ({ send }) => {
        const reply = await send(
          "/text",
          post(form, `data=${encodeURIComponent('{"a":{"__proto__":1}}')}`)
        )
        const { code, errors } = JSON.parse(reply.body)
        assert.deepStrictEqual(
          [reply.status, code, errors],
          [
            400,
            "VALIDATION_FAILED",
            [
              {
                detail: 'The key "__proto__" is not allowed',
                location: "body",
                pointer: "/data/a/__proto__"
              }
            ]
          ]
        )
      },
      place
    ))

  it("other names and the text __proto__ are taken", () =>
    both(
      app,
      async ({ send }) => {
        for (const [path, init] of taken) {
          const { body, status } = await send(path, init)
          assert.deepStrictEqual([path, status, body], [path, 200, '"taken"'])
        }
      },
      place
    ))
})
