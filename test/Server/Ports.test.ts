import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { App, BindError, Config, Middleware, Plugin, Route } from "flange"
import { TestApp } from "flange/Testing"
import * as Port from "../../src/Server/Route/Port.ts"

const Text = { success: Schema.String }
const OwnApi = HttpApiGroup.make("own").add(HttpApiEndpoint.get("hello", "/hello", Text))
const BackApi = HttpApiGroup.make("back").add(
  HttpApiEndpoint.get("hello", "/back", Text),
  HttpApiEndpoint.get("wait", "/wait", Text)
)
const BackConfig = Config.section("back", { host: Schema.String, port: Schema.Int })

const seen: Array<string> = []
const recorded = (name: string) =>
  Middleware.before(name, {
    build: Effect.succeed(({ path }) => () => {
      seen.push(`${name} ${path}`)
      return Middleware.pass
    }),
    slot: "Custom"
  })

const make = (wait: Effect.Effect<string>, acquired = () => {}) =>
  App.make("ports", [
    Plugin.make("own", {
      layer: Layer.effectDiscard(Effect.sync(acquired)),
      middleware: [recorded("app")],
      routes: [
        Route.public(OwnApi, (handlers) =>
          handlers.handleAll({ hello: () => Effect.succeed("front") })
        )
      ]
    }),
    Plugin.make("back", {
      config: [BackConfig],
      contributes: [
        Port.make("back", {
          middleware: [recorded("port")],
          place: BackConfig.useSync((place) => place),
          routes: [
            Route.public(BackApi, (handlers) =>
              handlers.handleAll({ hello: () => Effect.succeed("back"), wait: () => wait })
            )
          ]
        })
      ],
      defaults: { back: { host: "127.0.0.1", port: 0 } }
    })
  ])
const app = make(Effect.never)

describe("ports", () => {
  for (const boot of [TestApp.make, TestApp.listening]) {
    it.live(
      `a port of an app of TestApp.${boot.name} has the routes and middleware of its own`,
      () =>
        Effect.gen(function* () {
          seen.length = 0
          const test = yield* boot(app)
          const back = test.port("back")
          ;(yield* test.get("/hello")).expectStatus(200).expectJson("front")
          ;(yield* back.get("/back")).expectStatus(200).expectJson("back")
          ;(yield* test.get("/back")).expectProblem("ROUTE_NOT_FOUND", 404)
          ;(yield* back.get("/hello")).expectProblem("ROUTE_NOT_FOUND", 404)
          expect(seen).toEqual(["app /hello", "port /back", "app *", "port *"])
          const { back: client } = yield* back.client(HttpApi.make("back").add(BackApi))
          expect(yield* client.hello()).toBe("back")
        })
    )
  }

  it.live("a port that is taken is named with the keys that move it, and nothing is acquired", () =>
    Effect.gen(function* () {
      const taken = createServer()
      yield* Effect.callback<void>(
        (resume) => void taken.listen(0, "127.0.0.1", () => resume(Effect.void))
      )
      yield* Effect.addFinalizer(() => Effect.sync(() => taken.close()))
      const { port } = taken.address() as AddressInfo
      let acquired = false
      const observed = make(Effect.never, () => {
        acquired = true
      })
      const error = yield* Effect.flip(TestApp.listening(observed, { config: { back: { port } } }))
      expect(error).toBeInstanceOf(BindError)
      expect(error.message).toBe(
        `Cannot listen on http://127.0.0.1:${port} for the port "back": something else listens there. Stop it, or set back.port to a free port.`
      )
      expect(acquired).toBe(false)
    })
  )

  it("an app without a socket opens no port", async () => {
    const web = App.toWebHandler(app)
    expect((await web.handler(new Request("http://app/hello"))).status).toBe(200)
    expect((await web.handler(new Request("http://app/back"))).status).toBe(404)
    await web.dispose()
  })

  it.live("a request to a port is answered while the app drains, and the drain waits for it", () =>
    Effect.gen(function* () {
      const begun = yield* Deferred.make<void>()
      const end = yield* Deferred.make<string>()
      const waiting = make(Effect.andThen(Deferred.succeed(begun, undefined), Deferred.await(end)))
      const scope = yield* Scope.make()
      const test = yield* TestApp.listening(waiting).pipe(Scope.provide(scope))
      const back = test.port("back")
      const slow = yield* Effect.forkChild(back.get("/wait"))
      yield* Deferred.await(begun)
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      // The app has stopped listening, and its port still answers.
      yield* Effect.tryPromise(() => fetch(`${test.url}/hello`)).pipe(
        Effect.exit,
        Effect.repeat({ until: Exit.isFailure })
      )
      ;(yield* back.get("/back")).expectStatus(200)
      yield* Deferred.succeed(end, "done")
      ;(yield* Fiber.join(slow)).expectStatus(200).expectJson("done")
      yield* Fiber.join(closing)
      expect(yield* Effect.exit(Effect.tryPromise(() => fetch(back.url)))).toMatchObject({
        _tag: "Failure"
      })
    })
  )

  it.effect("an unknown port is refused with the ports that there are", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(app)
      expect(() => test.port("front")).toThrow('App "ports" has no port "front". It has: back.')
    })
  )
})
