import * as Http from "node:http"
import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { App, Plugin, Route } from "flange"
import { TestApp } from "flange/Testing"
import { assert, describe } from "vitest"

class CacheApi extends HttpApiGroup.make("cache").add(
  HttpApiEndpoint.get("read", "/cache/:key", {
    params: { key: Schema.String },
    success: Schema.String
  }),
  Route.method("PURGE")("purge", "/cache/:key", {
    params: { key: Schema.String },
    success: Schema.Struct({ purged: Schema.String })
  })
) {}

const app = App.make("cache", [
  Plugin.make("test:cache", {
    routes: [
      Route.public(CacheApi, (handlers) =>
        handlers.handleAll({
          purge: ({ params }) => Effect.succeed({ purged: params.key }),
          read: ({ params }) => Effect.succeed(params.key)
        })
      )
    ]
  })
])

/** With Node's own client: `fetch` changes the case of some methods. */
const send = (method: string, url: string) =>
  Effect.promise(
    () =>
      new Promise<{
        readonly allow: string | undefined
        readonly body: string
        readonly status: number
      }>((resolve, reject) => {
        const request = Http.request(url, { method }, (response) => {
          let body = ""
          response.on("data", (chunk) => (body += chunk))
          response.on("end", () =>
            resolve({ allow: response.headers.allow, body, status: response.statusCode! })
          )
        })
        request.on("error", reject)
        request.end()
      })
  )

describe("methods", () => {
  for (const listener of ["node", "proxied"]) {
    it.live(`of a contract's own are routed and in Allow on the ${listener} listener`, () =>
      Effect.gen(function* () {
        const { url } = yield* TestApp.listening(app, { config: { server: { listener } } })
        assert.deepStrictEqual(yield* send("PURGE", `${url}/cache/a`), {
          allow: undefined,
          body: '{"purged":"a"}',
          status: 200
        })
        const wrong = yield* send("DELETE", `${url}/cache/a`)
        assert.deepInclude(wrong, { allow: "GET, HEAD, OPTIONS, PURGE", status: 405 })
        assert.strictEqual((yield* send("HEAD", `${url}/cache/a`)).status, 200)
      })
    )
  }
})
