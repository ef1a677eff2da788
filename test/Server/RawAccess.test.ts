/** Plain routers behind authentication. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { HttpApiMiddleware } from "effect/http-api/HttpApiMiddleware"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import {
  App,
  Authentication,
  Catalogue,
  CurrentIdentity,
  OptionalIdentity,
  Plugin,
  Route
} from "flange"
import * as Auth from "flange/Auth"
import { MockAuth } from "flange/Auth/Testing"
import * as RateLimit from "flange/RateLimit"
import { TestApp } from "flange/Testing"

const chainOf = (subject: string) =>
  Auth.chain(
    [Auth.bearer([{ identity: { subject }, token: Redacted.make(`token-of-${subject}`) }])],
    {
      unauthenticated: "anonymous"
    }
  )

const who = Effect.map(CurrentIdentity, ({ subject }) => HttpServerResponse.text(subject))
const maybe = Effect.map(OptionalIdentity, (identity) =>
  HttpServerResponse.text(
    Option.match(identity, { onNone: () => "nobody", onSome: ({ subject }) => subject })
  )
)

const FilesPlugin = Plugin.make("app:files", {
  routes: [
    Route.raw(
      "files",
      Layer.mergeAll(
        HttpRouter.add("GET", "/files/:name", who),
        HttpRouter.add("*", "/any/*", who)
      ),
      { access: "protected" }
    ),
    Route.raw("partner", HttpRouter.add("GET", "/partner", who), {
      access: "protected",
      chain: "partner"
    }),
    Route.raw("maybe", HttpRouter.add("GET", "/maybe", maybe), { access: "optional" }),
    Route.raw("open", HttpRouter.add("GET", "/open", HttpServerResponse.text("open")), {
      access: "public"
    })
  ]
})

const AuthPlugin = Auth.plugin({ chains: { partner: chainOf("pat") }, default: chainOf("ada") })

const bearer = (subject: string) => ({ headers: { authorization: `Bearer token-of-${subject}` } })

const places = [
  ["in memory", TestApp.make],
  ["through a socket", TestApp.listening]
] as const

describe.each(places)("a plain router, %s,", (_place, boot) => {
  it.live("is behind authentication if its group is protected", () =>
    Effect.gen(function* () {
      const audit = Auth.AuditLog.memory()
      const test = yield* boot(App.make("files", [audit.plugin, AuthPlugin, FilesPlugin]))
      const text = (path: string, options = {}) =>
        Effect.map(test.get(path, options), ({ status, text }) => (status === 200 ? text : status))
      for (const path of ["/files/a", "/any/a/b", "/partner"]) {
        ;(yield* test.get(path))
          .expectProblem("UNAUTHENTICATED", 401)
          .expectHeader("www-authenticate", 'Bearer realm="api"')
      }
      ;(yield* test.post("/any/a")).expectStatus(401)
      assert.strictEqual(yield* text("/files/a", bearer("ada")), "ada")
      assert.strictEqual(yield* text("/any/a/b", bearer("ada")), "ada")
      assert.strictEqual(yield* text("/files/a", bearer("pat")), 401)
      assert.strictEqual(yield* text("/partner", bearer("pat")), "pat")
      assert.strictEqual(yield* text("/partner", bearer("ada")), 401)
      assert.strictEqual(yield* text("/maybe"), "nobody")
      assert.strictEqual(yield* text("/maybe", bearer("ada")), "ada")
      assert.strictEqual(yield* text("/maybe", bearer("pat")), 401)
      assert.strictEqual(yield* text("/open"), "open")
      assert.isTrue(audit.events.some(({ route }) => route === "GET /files/:name"))
      // Each request is authenticated once.
      const { length } = audit.events
      yield* text("/files/a", bearer("ada"))
      assert.strictEqual(audit.events.length, length + 1)
    })
  )

  it.live("is behind whatever stands in for the battery", () =>
    Effect.gen(function* () {
      const app = App.make("files", [AuthPlugin, FilesPlugin])
      const mock = MockAuth.as("eve", { chains: ["partner"] })
      const mocked = yield* boot(app, { replace: [[AuthPlugin, mock]] })
      assert.strictEqual((yield* mocked.get("/files/a")).text, "eve")
      assert.strictEqual((yield* mocked.get("/partner")).text, "eve")
      const nobody = MockAuth.anonymous({ chains: ["partner"] })
      const refused = yield* boot(app, { replace: [[AuthPlugin, nobody]] })
      ;(yield* refused.get("/files/a")).expectStatus(401)
    })
  )

  it.live("is behind middleware of Effect that authenticates", () =>
    Effect.gen(function* () {
      const naive: HttpApiMiddleware<CurrentIdentity, typeof Catalogue.Unauthenticated, never> = (
        next
      ) => Effect.provideService(next, CurrentIdentity, Auth.identity({ subject: "naive" }))
      const Naive = Plugin.make("app:naive", {
        layer: Layer.succeed(Authentication.Default, naive),
        provides: [Authentication.Default]
      })
      const Denying = Plugin.make("app:denying", {
        layer: Layer.succeed(Authentication.Default, () =>
          Effect.fail(new Catalogue.Unauthenticated())
        ),
        provides: [Authentication.Default]
      })
      const Only = Plugin.make("app:only", {
        routes: [Route.raw("only", HttpRouter.add("GET", "/only", who), { access: "protected" })]
      })
      const test = yield* boot(App.make("naive", [Naive, Only]))
      assert.strictEqual((yield* test.get("/only")).text, "naive")
      const denied = yield* boot(App.make("denied", [Denying, Only]))
      ;(yield* denied.get("/only")).expectStatus(401)
    })
  )

  it.live("is limited for each caller", () =>
    Effect.gen(function* () {
      const test = yield* boot(App.make("files", [AuthPlugin, RateLimit.plugin, FilesPlugin]), {
        config: { rateLimit: { limit: 2 } }
      })
      const status = Effect.map(test.get("/files/a", bearer("ada")), (reply) => reply.status)
      assert.deepStrictEqual([yield* status, yield* status, yield* status], [200, 200, 429])
    })
  )
})

it.live("a protected plain router without authentication is an assembly problem", () =>
  Effect.gen(function* () {
    // The compiler refuses this list.
    const app = App.make("files", [FilesPlugin] as never) as unknown as App.App<"files", []>
    const exit = yield* Effect.exit(TestApp.make(app))
    assert.include(String(exit), "flange/Authentication/default")
  })
)
