/** The caller in the request of a handler. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import {
  App,
  Authentication,
  CurrentIdentity,
  type Identity,
  Middleware,
  Plugin,
  Route
} from "flange"
import * as Auth from "flange/Auth"
import { assert, it } from "vitest"
import { both } from "../codecs.ts"

/** Answers for somebody else than the caller. */
class Impersonation extends HttpApiMiddleware.Service<
  Impersonation,
  { provides: CurrentIdentity; requires: CurrentIdentity }
>()("test/Impersonation") {
  static readonly layer = Layer.succeed(Impersonation, (next) =>
    Effect.flatMap(CurrentIdentity, ({ subject }) =>
      Effect.provideService(
        next,
        CurrentIdentity,
        Auth.identity({ subject: `guest of ${subject}` })
      )
    )
  )
}

const success = Schema.String

class CallersApi extends HttpApiGroup.make("callers").add(
  HttpApiEndpoint.get("plain", "/plain", { success }),
  HttpApiEndpoint.get("raw", "/raw", { success }),
  HttpApiEndpoint.get("replaced", "/replaced", { success }).middleware(Impersonation),
  HttpApiEndpoint.get("streamed", "/streamed", { success: HttpApiSchema.StreamUint8Array() }),
  HttpApiEndpoint.post("written", "/written", { payload: Schema.String, success })
) {}

/** Names the caller by both ways to it. */
const named = ({ identity }: { readonly identity: Identity }) =>
  CurrentIdentity.useSync((current) => `${identity.subject} is ${current.subject}`)

const Callers = Plugin.make("test:callers", {
  layer: Impersonation.layer,
  provides: [Impersonation],
  routes: [
    Route.protected(CallersApi, (handlers) =>
      handlers
        .handleAll({
          plain: named,
          replaced: named,
          streamed: (request) =>
            Effect.map(named(request), (text) => Stream.make(new TextEncoder().encode(text))),
          written: named
        })
        .handleRaw("raw", (request) => Effect.map(named(request), HttpServerResponse.text))
    )
  ]
})

const Battery = Auth.plugin({
  default: Auth.chain([
    Auth.bearer([{ identity: { subject: "ada" }, token: Redacted.make("secret") }])
  ])
})

/** Authenticates as an effect around the rest, as code that knows nothing of the battery does. */
const Own = Plugin.make("test:own", {
  layer: Layer.succeed(
    Authentication.Default,
    Authentication.Default.of((next) =>
      Effect.provideService(next, CurrentIdentity, Auth.identity({ subject: "ada" }))
    )
  ),
  provides: [Authentication.Default]
})

/** A slot that makes an effect of what is inside of it. */
const Around = Plugin.make("test:around", {
  middleware: [
    Middleware.make("around", {
      build: Effect.succeed(() => (next) => next),
      slot: "Logging"
    })
  ]
})

const apps = {
  "the battery": [Battery, Callers],
  "the battery, inside an effect": [Around, Battery, Callers],
  "a service of the app's own": [Own, Callers]
} as const

for (const [who, plugins] of Object.entries(apps)) {
  it(`the request of a protected handler has the caller that ${who} provides`, async () => {
    const replies = await both(
      () => App.make("app", [...plugins]),
      async ({ send }): Promise<Record<string, string>> => {
        const replies: Record<string, string> = {}
        const headers = { authorization: "Bearer secret" }
        for (const path of ["/plain", "/raw", "/replaced", "/streamed"]) {
          replies[path] = (await send(path, { headers })).body
        }
        const { body } = await send("/written", {
          body: '"text"',
          headers: { ...headers, "content-type": "application/json" },
          method: "POST"
        })
        return { ...replies, "/written": body }
      }
    )
    assert.deepStrictEqual(replies, {
      "/plain": '"ada is ada"',
      "/raw": "ada is ada",
      "/replaced": '"guest of ada is guest of ada"',
      "/streamed": "ada is ada",
      "/written": '"ada is ada"'
    })
  })
}
