/** What the log and the report of a stop say of handlers and jobs that ignore their interruption. */
import { assert, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { App, Plugin, Route } from "flange"
import * as Jobs from "flange/Jobs"
import * as Queue from "flange/Queue"
import { TestApp } from "flange/Testing"

const config = { app: { drainTimeout: "50 millis", releaseTimeout: "50 millis" } }

/** A piece of work that begins and ignores its interruption until the test ends. */
const stubborn = Effect.gen(function* () {
  const [begun, end] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
  yield* Effect.addFinalizer(() => Deferred.succeed(end, undefined))
  const work = Effect.uninterruptible(
    Effect.andThen(Deferred.succeed(begun, undefined), Deferred.await(end))
  )
  return { begun: Deferred.await(begun), work }
})

/** Closes the scope of an app, and returns its message. */
const messageOf = (scope: Scope.Closeable) =>
  Effect.map(Effect.exit(Scope.close(scope, Exit.void)), (exit) =>
    Exit.isSuccess(exit) ? "" : Cause.pretty(exit.cause)
  )

it.live("a handler is named by its route", () =>
  Effect.gen(function* () {
    const { begun, work } = yield* stubborn
    class StuckApi extends HttpApiGroup.make("stuck").add(
      HttpApiEndpoint.get("read", "/stuck/:id", { params: { id: Schema.String } })
    ) {}
    const Stuck = Plugin.make("app:stuck", {
      routes: [Route.public(StuckApi, (handlers) => handlers.handle("read", () => work))]
    })
    const scope = yield* Scope.make()
    const test = yield* Scope.provide(TestApp.make(App.make("shop", [Stuck]), { config }), scope)
    yield* Effect.forkChild(test.get("/stuck/7"))
    yield* begun
    yield* messageOf(scope)
    assert.includeMembers(
      test.logs.map(({ message }) => message),
      [
        "Handlers did not end after their interruption, and the app stops without them: GET /stuck/:id"
      ]
    )
  })
)

it.live("a job is named in the error", () =>
  Effect.gen(function* () {
    const { begun, work } = yield* stubborn
    const Orders = Plugin.make("app:orders", {
      contributes: [Jobs.Job.every("orders:expire", "100 millis", work)]
    })
    const scope = yield* Scope.make()
    const app = App.make("shop", [Jobs.plugin, Orders])
    yield* Scope.provide(TestApp.make(app, { config }), scope)
    yield* begun
    const message = yield* messageOf(scope)
    assert.include(message, 'App "shop" stopped, but this did not end within 50ms:')
    assert.include(message, '  - job "orders:expire"\n')
  })
)

it.live("a handler of items is named by its queue", () =>
  Effect.gen(function* () {
    const { begun, work } = yield* stubborn
    const Mails = Queue.make("mails", { payload: Schema.String })
    const Mailer = Plugin.make("app:mailer", { contributes: [Mails.worker(() => work)] })
    const scope = yield* Scope.make()
    const app = App.make("shop", [Queue.plugin, Mailer])
    const test = yield* Scope.provide(TestApp.make(app, { config }), scope)
    yield* test.run(Mails.enqueue("hello"))
    yield* begun
    const message = yield* messageOf(scope)
    assert.include(message, '  - queue "mails" (1 handler)\n')
  })
)
