import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import { App, Plugin, Route } from "flange"
import * as Auth from "flange/Auth"
import { unguarded } from "flange/Auth/Contract"
import * as Database from "flange/Database"
import * as Idempotency from "flange/Idempotency"
import { Idempotent } from "flange/Idempotency/Contract"
import { TestApp } from "flange/Testing"

const AuthPlugin = Auth.plugin({ default: Auth.chain([], { unauthenticated: "anonymous" }) })

const keyed = Idempotent.keyed()
const ok = () => Effect.void
const send = unguarded(HttpApiEndpoint.post("send", "/send"))

const groupOf = <E extends HttpApiEndpoint.Constraint>(endpoint: E) =>
  HttpApiGroup.make("mail").add(endpoint)

const messages = (app: App.Any) =>
  Effect.map(Effect.flip(TestApp.make(app as never)), (error) => String((error as Error).message))

const place =
  'UnkeyedEndpoint: POST /send ("send" of group "mail", plugin "app:mail") has Idempotent'

describe("an app with keys is refused if an endpoint", () => {
  it.effect("may not know its caller", () =>
    Effect.gen(function* () {
      const Mail = groupOf(send.annotate(Idempotent, keyed))
      const routes = [
        Route.bare(Mail, (h) => h.handleAll({ send: ok })),
        Route.optional(Mail, (h) => h.handleAll({ send: ok })),
        Route.public(Mail, (h) => h.handleAll({ send: ok }))
      ]
      for (const route of routes) {
        const MailPlugin = Plugin.make("app:mail", { routes: [route] })
        const message = yield* messages(
          App.make("shop", [Idempotency.plugin, AuthPlugin, MailPlugin])
        )
        assert.include(message, place)
        assert.include(message, "Write Route.protected, or remove the annotation.")
      }
    })
  )

  it.effect("changes nothing, or has a body that is no whole value", () =>
    Effect.gen(function* () {
      const handlers = (h: { handleAll: (all: object) => unknown }) => h.handleAll({ send: ok })
      const cases = [
        [
          unguarded(HttpApiEndpoint.get("send", "/send")).annotate(Idempotent, keyed),
          "only POST, PUT, PATCH and DELETE have keys. Remove the annotation."
        ],
        [
          unguarded(
            HttpApiEndpoint.post("send", "/send", {
              payload: Schema.Struct({ a: Schema.String }).pipe(HttpApiSchema.asMultipart())
            })
          ).annotate(Idempotent, keyed),
          "its payload is multipart"
        ],
        [
          unguarded(
            HttpApiEndpoint.post("send", "/send", { success: HttpApiSchema.StreamUint8Array() })
          ).annotate(Idempotent, keyed),
          "its success is a stream"
        ]
      ] as const
      for (const [endpoint, advice] of cases) {
        const MailPlugin = Plugin.make("app:mail", {
          routes: [Route.protected(groupOf(endpoint) as never, handlers as never)]
        })
        const message = yield* messages(
          App.make("shop", [Idempotency.plugin, AuthPlugin, MailPlugin] as never)
        )
        assert.include(message, advice)
      }
    })
  )

  it.effect("does not commit in the transaction in which its key is kept", () =>
    Effect.gen(function* () {
      const MailPlugin = Plugin.make("app:mail", {
        routes: [
          Route.protected(groupOf(send.annotate(Idempotent, keyed)), (h) =>
            h.handleAll({ send: ok })
          )
        ]
      })
      const message = yield* messages(
        App.make("shop", [
          Database.plugin,
          Database.autocommit,
          Idempotency.withDatabase,
          AuthPlugin,
          MailPlugin
        ])
      )
      assert.include(message, place)
      assert.include(message, "or list Database.transactional().")
    })
  )

  it.effect("reads its requests itself", () =>
    Effect.gen(function* () {
      const MailPlugin = Plugin.make("app:mail", {
        routes: [
          Route.protected(groupOf(send.annotate(Idempotent, keyed)), (h) =>
            h.handleRaw("send", () => Effect.succeed(HttpServerResponse.empty()))
          )
        ]
      })
      const app = App.make("shop", [Idempotency.plugin, AuthPlugin, MailPlugin])
      const exit = yield* Effect.exit(TestApp.make(app))
      assert.include(String(exit), "The handler of mail.send is one of handleRaw")
    })
  )
})

it.effect("a plugin without the chosen backend refuses to start", () =>
  Effect.gen(function* () {
    const app = App.make("shop", [Idempotency.plugin], {
      config: { values: { idempotency: { backend: "redis" } } }
    })
    const message = yield* messages(app)
    assert.include(
      message,
      'idempotency.backend is "redis", and Idempotency.plugin does not have it. List Redis.plugin and Idempotency.withRedis in its place, or choose "memory".'
    )
  })
)
