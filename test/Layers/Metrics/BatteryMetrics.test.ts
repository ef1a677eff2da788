import { connect } from "node:net"
import { expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as SqlClient from "effect/sql/SqlClient"
import { App } from "flange"
import * as Database from "flange/Database"
import * as Metrics from "flange/Metrics"
import { TestApp, type TestResponse } from "flange/Testing"
import { describe } from "vitest"
import { mysql, onEach, pglite, postgres } from "../Database/backends.ts"
import { ada, make, Try, unmeasured } from "./everything.ts"
import { samplesOf, valueOf } from "./samples.ts"

const textOf = (app: { readonly get: (path: string) => Effect.Effect<TestResponse> }) =>
  Effect.map(app.get("/metrics"), ({ text }) => text)

it.effect("decisions about callers are counted by chain and outcome", () =>
  Effect.gen(function* () {
    const app = yield* TestApp.make(make())
    yield* app.get("/things")
    for (let i = 0; i < 2; i++) yield* app.get("/things", { headers: ada })
    const text = yield* textOf(app)
    const decisions = (outcome: string) =>
      valueOf(text, "flange_auth_decisions_total", {
        flange_auth_chain: "default",
        flange_auth_outcome: outcome
      })
    expect(decisions("denied")).toBe(1)
    expect(decisions("success")).toBe(2)
  })
)

it.effect("requests of a rate limit are counted by outcome, from 0", () =>
  Effect.gen(function* () {
    const app = yield* TestApp.make(make(), { config: { rateLimit: { limit: 2 } } })
    const requests = (outcome: string) =>
      Effect.map(textOf(app), (text) =>
        valueOf(text, "flange_rate_limit_requests_total", {
          flange_rate_limit_name: "default",
          flange_rate_limit_outcome: outcome
        })
      )
    expect(yield* requests("limited")).toBe(0)
    for (let i = 0; i < 3; i++) yield* app.get("/things", { headers: ada })
    expect(yield* requests("allowed")).toBe(2)
    expect(yield* requests("limited")).toBe(1)
    const exempt = yield* TestApp.make(make(), {
      config: { rateLimit: { exempt: ["caller:default:ada"] } }
    })
    yield* exempt.get("/things", { headers: ada })
    expect(
      valueOf(yield* textOf(exempt), "flange_rate_limit_requests_total", {
        flange_rate_limit_outcome: "exempt"
      })
    ).toBe(1)
  })
)

it.effect("a component has the value 1 for the state that it is in", () =>
  Effect.gen(function* () {
    for (const isDown of [false, true]) {
      const app = yield* TestApp.make(make(isDown))
      yield* app.get("/readyz")
      const states = samplesOf(yield* textOf(app)).filter(
        ({ labels, name }) =>
          name === "flange_health_component" && labels["flange_health_component"] === "store"
      )
      expect(states.map(({ labels, value }) => [labels["flange_health_state"], value])).toEqual([
        ["degraded", 0],
        ["down", isDown ? 1 : 0],
        ["unknown", 0],
        ["up", isDown ? 0 : 1]
      ])
      expect(states[0]!.labels["flange_health_class"]).toBe("informational")
    }
  })
)

it.effect("runs of actions are measured by name and error", () =>
  Effect.gen(function* () {
    const app = yield* TestApp.make(make())
    yield* app.run(Try.call(true))
    for (let i = 0; i < 2; i++) yield* Effect.flip(app.run(Try.call(false)))
    const runs = samplesOf(yield* textOf(app)).filter(
      ({ labels, name }) =>
        name === "flange_action_duration_seconds_count" && labels["flange_action_name"] === "try"
    )
    expect(runs.map(({ labels, value }) => [labels["error_type"], value])).toEqual([
      [undefined, 1],
      ["Refused", 2]
    ])
  })
)

it.effect("an app without the battery measures nothing", () =>
  Effect.gen(function* () {
    const app = yield* TestApp.make(unmeasured())
    ;(yield* app.get("/things", { headers: ada })).expectStatus(200)
    yield* app.run(Try.call(true))
    const ids = Metric.snapshotUnsafe(Context.empty()).map(({ id }) => id)
    expect(ids.filter((id) => /^(?:db|flange|http)\./.test(id))).toEqual([])
  })
)

const app = App.make("pool", [Database.plugin, Metrics.plugin])

onEach([pglite, postgres, mysql], "The metrics of the database", (backend) => {
  it.live("count connections that are in use, and idle ones", () =>
    Effect.gen(function* () {
      const url = yield* backend.fresh
      const test = yield* TestApp.make(app, {
        config: { database: { maxConnections: 1, runMigrations: false, url } }
      })
      const count = (state: string) =>
        Effect.map(textOf(test), (text) =>
          valueOf(text, "db_client_connection_count", { db_client_connection_state: state })
        )
      const sql = yield* test.run(SqlClient.SqlClient)
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* sql.reserve
          expect([yield* count("idle"), yield* count("used")]).toEqual([0, 1])
        })
      )
      expect([yield* count("idle"), yield* count("used")]).toEqual([1, 0])
      const text = yield* textOf(test)
      expect(valueOf(text, "db_client_connection_max")).toBe(1)
      expect(valueOf(text, "db_client_connection_pending_requests")).toBe(0)
      for (const name of ["use", "wait"]) {
        expect(valueOf(text, `db_client_connection_${name}_time_seconds_count`)).toBeGreaterThan(0)
      }
    })
  )

  it.live("measure statements by operation, table and error", () =>
    Effect.gen(function* () {
      const url = yield* backend.fresh
      const test = yield* TestApp.make(app, { config: { database: { runMigrations: false, url } } })
      const sql = yield* test.run(SqlClient.SqlClient)
      yield* sql`create table lamps (id int)`
      for (let id = 0; id < 2; id++) yield* sql`insert into lamps (id) values (${id})`
      yield* sql.withTransaction(sql`select id from lamps`)
      yield* Effect.flip(sql`select id from nowhere`)
      const text = yield* textOf(test)
      const count = (operation: string, table: string) =>
        samplesOf(text)
          .filter(
            ({ labels, name }) =>
              name === "db_client_operation_duration_seconds_count" &&
              labels["db_collection_name"] === table &&
              labels["db_operation_name"] === operation
          )
          .map(({ labels, value }) => [labels["db_system_name"], labels["error_type"], value])
      const system = backend.kind === "mysql" ? "mysql" : "postgresql"
      expect(count("INSERT", "lamps")).toEqual([[system, undefined, 2]])
      expect(count("SELECT", "lamps")).toEqual([[system, undefined, 1]])
      expect(count("SELECT", "nowhere")).toEqual([[system, expect.any(String), 1]])
    })
  )

  it.live("count waits that end without a connection", () =>
    Effect.gen(function* () {
      const url = yield* backend.fresh
      const test = yield* TestApp.make(app, {
        config: {
          database: { acquireTimeout: "2 seconds", maxConnections: 1, runMigrations: false, url }
        }
      })
      const sql = yield* test.run(SqlClient.SqlClient)
      const timeouts = Effect.map(textOf(test), (text) =>
        valueOf(text, "db_client_connection_timeouts_total")
      )
      const before = yield* timeouts
      expect(before).toBeDefined()
      yield* Effect.scoped(Effect.andThen(sql.reserve, Effect.flip(sql`select 1`)))
      expect(yield* timeouts).toBe(before! + 1)
    })
  )
})

describe.each(["node", "proxied"] as const)("on the listener %s", (listener) => {
  it.live("requests that are refused before they have a route are counted by code", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.listening(make(), { config: { server: { listener } } })
      const { hostname, port } = new URL(test.url)
      yield* Effect.callback<void>((resume) => {
        const socket = connect(Number(port), hostname)
        socket.on("close", () => resume(Effect.void)).resume()
        socket.end("NOT A REQUEST\r\n\r\n")
      })
      expect(
        valueOf(yield* textOf(test), "flange_server_refused_requests_total", {
          error_type: "MALFORMED_REQUEST",
          http_response_status_code: "400"
        })
      ).toBe(1)
    })
  )
})
