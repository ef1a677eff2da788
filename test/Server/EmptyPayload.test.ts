/** Payloads that may be undefined, and requests without a body, with both codecs. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import { App, Plugin, Route } from "flange"
import * as OpenApi from "flange/OpenApi"
import { assert, describe, it } from "vitest"
import { both, type Place } from "./codecs.ts"
import { boot, type Counted } from "./counted.ts"

const Item = Schema.Struct({ id: Schema.Int })

/** The types of texts and bytes do not have undefined. */
const maybe = <S extends Schema.Top>(schema: S) => Schema.UndefinedOr(schema) as unknown as S

const form = Schema.UndefinedOr(Item)

const success = Schema.String

class EmptyApi extends HttpApiGroup.make("empty").add(
  HttpApiEndpoint.post("bytes", "/bytes", {
    payload: maybe(Schema.Uint8Array).pipe(HttpApiSchema.asUint8Array()),
    success
  }),
  HttpApiEndpoint.post("default", "/default", {
    payload: Item.pipe(Schema.withDecodingDefault(Effect.succeed({ id: 7 }))),
    success
  }),
  HttpApiEndpoint.post("form", "/form", {
    payload: form.pipe(HttpApiSchema.asFormUrlEncoded()),
    success
  }),
  HttpApiEndpoint.post("json", "/json", { payload: Schema.UndefinedOr(Item), success }),
  HttpApiEndpoint.post("last", "/last", {
    payload: Schema.Union([Item, Schema.Undefined]),
    success
  }),
  HttpApiEndpoint.post("list", "/list", {
    payload: [Schema.Undefined, Schema.String.pipe(HttpApiSchema.asText())],
    success
  }),
  HttpApiEndpoint.post("mixed", "/mixed", {
    payload: [Item, maybe(Schema.String).pipe(HttpApiSchema.asText())],
    success
  }),
  HttpApiEndpoint.post("multipart", "/multipart", {
    payload: form.pipe(HttpApiSchema.asMultipart()),
    success
  }),
  HttpApiEndpoint.post("nullish", "/nullish", { payload: Schema.NullishOr(Item), success }),
  HttpApiEndpoint.post("required", "/required", { payload: Item, success }),
  HttpApiEndpoint.post("requiredText", "/required-text", {
    payload: Schema.NonEmptyString.pipe(HttpApiSchema.asText()),
    success
  }),
  HttpApiEndpoint.post("text", "/text", {
    payload: maybe(Schema.String).pipe(HttpApiSchema.asText()),
    success
  })
) {}

const show = ({ payload }: { readonly payload: unknown }) =>
  Effect.succeed(
    payload instanceof Uint8Array
      ? "bytes"
      : payload === undefined
        ? "none"
        : JSON.stringify(payload)
  )

const Empty = Plugin.make("test:empty", {
  routes: [
    Route.public(EmptyApi, (handlers) =>
      handlers.handleAll({
        bytes: show,
        default: show,
        form: show,
        json: show,
        last: show,
        list: show,
        mixed: show,
        multipart: show,
        nullish: show,
        required: show,
        requiredText: show,
        text: show
      })
    )
  ]
})

const app = () => App.make("empty", [Empty])

/** The path and the media type of each payload that may be undefined. */
const types = {
  "/bytes": "application/octet-stream",
  "/form": "application/x-www-form-urlencoded",
  "/json": "application/json",
  "/last": "application/json",
  "/list": "application/json",
  "/mixed": "text/plain",
  "/text": "text/plain"
} as const

const post = (init: RequestInit = {}): RequestInit => ({ method: "POST", ...init })

describe.each<Place>(["memory", "node", "proxied"])("on %s", (place) => {
  it("a payload that may be undefined is undefined without a body", () =>
    both(
      app,
      async ({ send }) => {
        for (const [path, type] of [...Object.entries(types), ["/multipart", undefined] as const]) {
          const typed = type === undefined ? [] : [post({ headers: { "content-type": type } })]
          for (const init of [post(), ...typed]) {
            const { body, status } = await send(path, init)
            assert.deepStrictEqual([path, status, body], [path, 200, '"none"'])
          }
        }
        // As `curl -d ''` sends it.
        const headers = {
          "content-length": "0",
          "content-type": "application/x-www-form-urlencoded"
        }
        const other = post({ body: "", headers })
        for (const path of ["/json", "/list", "/text"]) {
          assert.strictEqual((await send(path, other)).body, '"none"')
        }
        assert.strictEqual((await send("/required", other)).status, 415)
        assert.strictEqual((await send("/default", post())).body, JSON.stringify('{"id":7}'))
        assert.strictEqual((await send("/nullish", post())).body, '"null"')
      },
      place
    ))

  it("a payload that may be undefined may have a value", () =>
    both(
      app,
      async ({ send }) => {
        const body = new FormData()
        body.append("id", "1")
        for (const [path, init, value] of [
          [
            "/json",
            { body: '{"id":1}', headers: { "content-type": "application/json" } },
            '{"id":1}'
          ],
          ["/json", { body: "null", headers: { "content-type": "application/json" } }, "none"],
          ["/form", { body: new URLSearchParams("id=1") }, '{"id":1}'],
          ["/multipart", { body }, '{"id":1}'],
          ["/text", { body: "a", headers: { "content-type": "text/plain" } }, '"a"'],
          ["/mixed", { body: "a", headers: { "content-type": "text/plain" } }, '"a"'],
          [
            "/mixed",
            { body: '{"id":1}', headers: { "content-type": "application/json" } },
            '{"id":1}'
          ],
          [
            "/bytes",
            { body: "a", headers: { "content-type": "application/octet-stream" } },
            "bytes"
          ]
        ] as const) {
          const reply = await send(path, post(init))
          assert.deepStrictEqual(
            [path, reply.status, reply.body],
            [path, 200, JSON.stringify(value)]
          )
        }
      },
      place
    ))

  it("a body without a media type and another payload are refused as before", () =>
    both(
      app,
      async ({ send }) => {
        for (const [path, init, status] of [
          ["/json", { body: Buffer.from('{"id":1}') }, 415],
          ["/text", { body: Buffer.from("a") }, 415],
          ["/mixed", { body: Buffer.from("a") }, 415],
          ["/multipart", { body: Buffer.from("{}") }, 415],
          ["/json", { body: "a", headers: { "content-type": "text/plain" } }, 415],
          ["/multipart", { body: "{}", headers: { "content-type": "application/json" } }, 415],
          ["/required", {}, 400],
          ["/required-text", {}, 415]
        ] as const) {
          const reply = await send(path, post(init))
          assert.deepStrictEqual([path, reply.status], [path, status], reply.body)
        }
      },
      place
    ))
})

describe.each(["node", "proxied"] as const)("bytes on %s", (name) => {
  it.each([
    ["no length", ""],
    ["a length of 0", "Content-Length: 0\r\n"],
    ["no chunks", "Transfer-Encoding: chunked\r\n"]
  ])("a request with %s has an empty body", async (_, header) => {
    const app: Counted = await boot(name, [Empty])
    try {
      for (const path of [...Object.keys(types), "/multipart"]) {
        const client = await app.connect()
        const end = header.startsWith("Transfer") ? "0\r\n\r\n" : ""
        client.send(`POST ${path} HTTP/1.1\r\nHost: a\r\n${header}\r\n${end}`)
        const { body, status } = await client.reply("POST")
        client.destroy()
        assert.deepStrictEqual([path, status, String(body)], [path, 200, '"none"'])
      }
    } finally {
      await app.stop()
    }
  })
})

describe("the document", () => {
  it("has optional bodies for payloads that may be undefined", async () => {
    const web = App.toWebHandler(App.make("empty", [OpenApi.plugin, Empty]))
    const response = await web.handler(new Request("http://app/openapi.json"))
    const { paths } = (await response.json()) as {
      paths: Record<string, { post?: { requestBody: { required?: boolean } } }>
    }
    await web.dispose()
    const required = Object.entries(paths).flatMap(([path, { post }]) =>
      post?.requestBody.required === true ? [path] : []
    )
    assert.deepStrictEqual(required.toSorted(), ["/required", "/required-text"])
  })
})
