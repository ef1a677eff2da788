import { describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import { AdminRoute, App, AppRuntime, ConsolePanel, Plugin } from "flange"
import { TestApp } from "flange/Testing"

class Shelf extends Context.Service<Shelf, { readonly entries: number }>()("test/Shelf") {}

const page = new URL("./panel.js", import.meta.url)
const ShelfPlugin = Plugin.make("shelf", {
  contributes: [
    AdminRoute.make(
      "shelf",
      { description: "Entries of the shelf", method: "GET", path: "/shelf" },
      Effect.gen(function* () {
        const { entries } = yield* Shelf
        const { method } = yield* HttpServerRequest.HttpServerRequest
        return HttpServerResponse.jsonUnsafe({ entries, method })
      })
    ),
    AdminRoute.make(
      "clear-shelf",
      { description: "Forgets all entries", method: "DELETE", path: "/shelf" },
      Effect.succeed(HttpServerResponse.empty())
    ),
    ConsolePanel.make("shelf", { data: "/shelf", page: { module: page }, title: "Shelf" })
  ],
  layer: Layer.succeed(Shelf, { entries: 7 }),
  provides: [Shelf]
})

const runtimeOf = Effect.gen(function* () {
  return yield* (yield* TestApp.make(App.make("shop", [ShelfPlugin]))).run(AppRuntime)
})

describe("routes of the admin port", () => {
  it.effect("a route that is no GET changes something", () =>
    Effect.gen(function* () {
      const { contributions } = yield* runtimeOf
      expect(contributions(AdminRoute.kind).map(({ data, name }) => [name, data])).toEqual([
        [
          "shelf",
          { changes: false, description: "Entries of the shelf", method: "GET", path: "/shelf" }
        ],
        [
          "clear-shelf",
          { changes: true, description: "Forgets all entries", method: "DELETE", path: "/shelf" }
        ]
      ])
    })
  )

  it.effect("the handler of a route has the services of the app and its request", () =>
    Effect.gen(function* () {
      const { contributions } = yield* runtimeOf
      const [shelf] = contributions(AdminRoute.kind)
      const request = HttpServerRequest.fromWeb(new Request("http://localhost/shelf"))
      const response = yield* (
        shelf!.value as Effect.Effect<
          HttpServerResponse.HttpServerResponse,
          unknown,
          HttpServerRequest.HttpServerRequest
        >
      ).pipe(Effect.provideService(HttpServerRequest.HttpServerRequest, request))
      expect(yield* Effect.promise(() => HttpServerResponse.toWeb(response).json())).toEqual({
        entries: 7,
        method: "GET"
      })
    })
  )

  it.effect("a panel of the console is data", () =>
    Effect.gen(function* () {
      const { contributions } = yield* runtimeOf
      expect(contributions(ConsolePanel.kind)).toEqual([
        {
          data: { data: "/shelf", page: { module: page }, title: "Shelf" },
          name: "shelf",
          plugin: "shelf",
          value: undefined
        }
      ])
    })
  )

  it("a route that uses a service of no plugin needs it in requires", () => {
    const route = AdminRoute.make(
      "shelf",
      { description: "Entries of the shelf", method: "GET", path: "/shelf" },
      Effect.map(Shelf, ({ entries }) => HttpServerResponse.jsonUnsafe({ entries }))
    )
    // @ts-expect-error `Shelf` is missing in requires
    expect(Plugin.make("other", { contributes: [route] }).id).toBe("other")
  })
})
