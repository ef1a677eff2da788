/** An app with every battery that has metrics, for the tests of their names. */
import { connect } from "node:net"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import { Action, App, HealthCheck, Plugin, Preset, Route } from "flange"
import * as Auth from "flange/Auth"
import * as Database from "flange/Database"
import * as Metrics from "flange/Metrics"
import * as RateLimit from "flange/RateLimit"
import * as Redis from "flange/Redis"
import { TestApp } from "flange/Testing"
import { scriptedServer } from "../Redis/server.ts"
import { accept, Collector, status } from "../Telemetry/Collector.ts"

class Refused extends Schema.TaggedError<Refused>()("Refused", {}) {}

/** An action that fails with `Refused` for `false`. */
export const Try = Action.make("try", { error: Refused, payload: Schema.Boolean })

class ThingsApi extends HttpApiGroup.make("things").add(
  HttpApiEndpoint.post("broken", "/broken", { payload: Schema.Struct({ name: Schema.String }) }),
  HttpApiEndpoint.get("read", "/things", { success: Schema.String }),
  HttpApiEndpoint.post("write", "/things", { payload: Schema.Struct({ name: Schema.String }) })
) {}

const token = "token-of-ada-of-the-tests"

/** The credentials of the only caller. */
export const ada = { authorization: `Bearer ${token}` }

/** The app without metrics. Its component `store` is down from the start if `isDown` says so. */
const plugins = (isDown: boolean) =>
  [
    ...Preset.api,
    Database.plugin,
    Database.autocommit,
    RateLimit.plugin,
    Auth.plugin({
      default: Auth.chain([
        Auth.bearer([{ identity: { subject: "ada" }, token: Redacted.make(token) }])
      ])
    }),
    Plugin.make("test:things", {
      actions: [
        Action.implement(Try, (isRight) => (isRight ? Effect.void : Effect.fail(new Refused())))
      ],
      health: {
        store: HealthCheck.make(
          isDown ? Effect.fail(new Error("The store is down")) : Effect.void,
          { class: "informational" }
        )
      },
      requires: [SqlClient.SqlClient],
      routes: [
        Route.protected(
          ThingsApi,
          Effect.fnUntraced(function* (handlers) {
            const sql = yield* SqlClient.SqlClient
            return handlers.handleAll({
              broken: () => Effect.orDie(Effect.asVoid(sql`select * from nowhere`)),
              read: () => Effect.as(Effect.orDie(sql`select 1`), "thing"),
              write: () => Effect.void
            })
          })
        )
      ]
    })
  ] as const

/** Creates the app without metrics. */
export const unmeasured = () => App.make("everything", plugins(false))

/** Creates the app. The place of the plugin in the list does not matter. */
export const make = (isDown = false) => App.make("everything", [...plugins(isDown), Metrics.plugin])

const withRedis = App.make("everything", [...plugins(false), Redis.plugin, Metrics.plugin])

/** Boots the app, makes every metric appear, and returns the text of `/metrics`. */
export const scrape = Effect.scoped(
  Effect.gen(function* () {
    const collector = yield* Collector.make
    collector.answer = status(400)
    const redis = yield* scriptedServer
    const app = yield* TestApp.listening(withRedis, {
      config: {
        redis: { url: redis.url },
        telemetry: { endpoint: collector.url, sampler: "always_on", traces: { delay: "1 millis" } }
      }
    })
    yield* app.get("/things")
    yield* app.get("/things", { headers: ada })
    for (const path of ["/broken", "/things"]) {
      yield* app.post(path, { headers: ada, json: { name: "chair" } })
    }
    yield* Effect.flip(app.run(Try.call(false)))
    const command = yield* Effect.forkChild(
      Effect.flip(app.run(Redis.Redis.use((redis) => redis.send("GET", "a"))))
    )
    yield* redis.received(1)
    redis.answer("-WRONGTYPE The key has another type")
    yield* Fiber.join(command)
    const { hostname, port } = new URL(app.url)
    yield* Effect.callback<void>((resume) => {
      const socket = connect(Number(port), hostname)
      socket.on("close", () => resume(Effect.void)).resume()
      socket.end("NOT A REQUEST\r\n\r\n")
    })
    // The first request was dropped, because the collector has rejected it.
    const isSent = () => collector.received.some(({ signal }) => signal === "traces")
    yield* Effect.promise(() => collector.until(isSent))
    collector.answer = accept
    const sent = collector.received.length
    yield* app.get("/things", { headers: ada })
    yield* Effect.promise(() =>
      collector.until(() =>
        collector.received.slice(sent).some(({ signal }) => signal === "traces")
      )
    )
    // Without a collection there is no duration of one.
    yield* Effect.sync(collect)
    // Collections and exports are counted a moment after they happen.
    const late = ["flange_telemetry_dropped", "flange_telemetry_exported", "v8js_gc_duration"]
    return yield* Effect.map(app.get("/metrics"), ({ text }) => text).pipe(
      Effect.repeat({ until: (text) => late.every((name) => text.includes(name)) })
    )
  })
)

/** Fills the young part of the heap until V8 collects it. */
const collect = () => {
  let kept: Array<object> = []
  for (let i = 0; i < 2_000_000; i++) {
    kept.push({ i })
    if (kept.length > 1000) kept = []
  }
}
