/** A repository that requires a transaction. */
import { expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Layer from "effect/Layer"
import { SqlClient } from "effect/sql/SqlClient"
import { App, Plugin, Route } from "flange"
import * as Database from "flange/Database"
import { TestApp } from "flange/Testing"

class Rooms extends Context.Service<Rooms, { readonly book: Effect.Effect<void> }>()("test/Rooms") {
  static readonly layer = Layer.effect(
    Rooms,
    Effect.gen(function* () {
      const { required } = yield* Database.InTransaction
      return { book: required }
    })
  )
}

const post = (path: "auto" | "booked") => HttpApiEndpoint.post(path, `/${path}`)

const RoomsPlugin = Plugin.make("app:rooms", {
  layer: Rooms.layer,
  provides: [Rooms],
  requires: [Database.InTransaction],
  routes: [
    Route.public(
      HttpApiGroup.make("rooms").add(
        post("booked"),
        post("auto").annotate(Database.Transactional, false)
      ),
      (handlers) =>
        Effect.map(Rooms, ({ book }) =>
          handlers.handleAll({ auto: () => book, booked: () => book })
        )
    )
  ]
})

const app = App.make("hotel", [Database.plugin, Database.transactional(), RoomsPlugin])

const memory = { config: { database: { url: "pglite://memory" } } }

const expectRefused = (exit: Exit.Exit<unknown, unknown>) =>
  expect(Exit.isFailure(exit) ? String(exit.cause) : "succeeded").toContain(
    "This code requires a transaction, and none is open. In a request, add `Database.transactional()` to the plugins of the app"
  )

it.live("a method that requires a transaction runs in one, and nowhere else", () =>
  Effect.gen(function* () {
    const test = yield* TestApp.make(app, memory)
    const booked = yield* test.post("/booked")
    booked.expectStatus(204)
    const auto = yield* test.post("/auto")
    auto.expectStatus(500)
    const { book } = yield* test.run(Rooms)
    expectRefused(yield* Effect.exit(book))
    const sql = yield* test.run(SqlClient)
    yield* sql.withTransaction(book)
    const over = yield* Deferred.make<void>()
    const outliving = yield* sql.withTransaction(
      Effect.forkDetach(Effect.exit(Effect.andThen(Deferred.await(over), book)))
    )
    yield* Deferred.succeed(over, undefined)
    expectRefused(yield* Fiber.join(outliving))
    expectRefused(
      yield* Effect.exit(
        sql.withTransaction(
          Effect.provideService(Database.outsideTransaction(book), SqlClient, sql)
        )
      )
    )
  })
)

it.live("an app without Database.transactional provides it with its layer", () =>
  Effect.gen(function* () {
    const own = Plugin.make("app:rooms", {
      layer: Rooms.layer.pipe(Layer.provide(Database.InTransaction.layer)),
      provides: [Rooms],
      requires: [SqlClient]
    })
    const test = yield* TestApp.make(App.make("hotel", [Database.plugin, own]), memory)
    const { book } = yield* test.run(Rooms)
    expectRefused(yield* Effect.exit(book))
    const sql = yield* test.run(SqlClient)
    yield* sql.withTransaction(book)
  })
)
