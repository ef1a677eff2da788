import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Metric from "effect/Metric"
import * as Schema from "effect/Schema"
import * as Tracer from "effect/Tracer"
import { App, HealthCheck, Plugin, Route } from "flange"
import * as DynamoDb from "flange/DynamoDb"
import { readErrors } from "flange/DynamoDb/Contract"
import { TestDynamoDb } from "flange/DynamoDb/Testing"
import * as Metrics from "flange/Metrics"
import { TestApp } from "flange/Testing"
import { dynaliteServer } from "./backends.ts"
import { User, Users } from "./conformance.ts"

const app = App.make("shop", [Metrics.plugin, DynamoDb.plugin])

const credentials = { accessKeyId: "a", region: "eu-central-1", secretAccessKey: "b" }

const boot = (dynamoDb: object) =>
  TestApp.make(app, { environment: "production", values: { dynamoDb } })

const users = DynamoDb.DynamoDb.useSync((dynamo) => dynamo.table(Users))

describe("DynamoDb.plugin", () => {
  it.effect("refuses a configuration that cannot work, and names what is wrong", () =>
    Effect.gen(function* () {
      for (const [section, part] of [
        [{ accessKeyId: "a" }, "accessKeyId and secretAccessKey belong together"],
        [{ endpoint: "localhost:8000" }, 'a URL without a path, such as "http://127.0.0.1:8000"'],
        [{ tablePrefix: "a/b" }, "letters, digits and the characters _ . -"]
      ] as const) {
        const exit = yield* Effect.exit(Effect.scoped(boot(section)))
        expect(exit._tag === "Failure" && Cause.pretty(exit.cause)).toContain(part)
      }
    })
  )

  it.live("boots without a server, and is reported as down until its tables can be used", () =>
    Effect.gen(function* () {
      const checks = app.plugins
        .flatMap(({ manifest }) => manifest.contributions)
        .filter(({ kind }) => kind === HealthCheck.kind.name)
      expect(checks.map(({ name }) => name)).toEqual(["dynamoDb"])
      const away = yield* boot({ ...credentials, endpoint: "http://127.0.0.1:1", maxAttempts: 1 })
      const ping = DynamoDb.DynamoDb.use((dynamo) => dynamo.ping)
      expect(yield* Effect.flip(away.run(ping))).toMatchObject({ _tag: "DynamoUnavailable" })
      const endpoint = yield* dynaliteServer
      const near = yield* boot({ ...credentials, endpoint, tablePrefix: "p-" })
      yield* near.run(ping)
      yield* near.run(users)
      const missing = { _tag: "TableNotFound", table: "p-users" }
      expect(yield* Effect.flip(near.run(ping))).toMatchObject(missing)
      yield* near.run(DynamoDb.DynamoDb.use((dynamo) => dynamo.create(Users)))
      yield* near.run(ping)
    })
  )

  it.live("has a duration and a span for each call, which have the table and never the key", () =>
    Effect.gen(function* () {
      const endpoint = yield* dynaliteServer
      const test = yield* boot({ ...credentials, endpoint, tablePrefix: "p-" })
      const spans: Array<Tracer.Span> = []
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          spans.push(span)
          return span
        }
      })
      const calls = Effect.gen(function* () {
        yield* DynamoDb.DynamoDb.use((dynamo) => dynamo.create(Users))
        const opened = yield* users
        yield* opened.put({ id: "confidential", visits: 1 })
        yield* Effect.flip(opened.put({ id: "confidential", visits: 1 }, { if: "absent" }))
        return Metric.snapshotUnsafe(yield* Effect.context<never>())
      })
      const found = yield* test.run(Effect.withTracer(calls, tracer))
      const series = found
        .filter(({ id }) => id.startsWith("flange.dynamo_db"))
        .map(({ attributes }) => [
          attributes?.["operation"],
          attributes?.["table"],
          attributes?.["result"]
        ])
      expect(series.toSorted()).toEqual([
        ["create", "p-users", "ok"],
        ["put", "p-users", "ConditionFailed"],
        ["put", "p-users", "ok"]
      ])
      const client = spans.filter(({ kind }) => kind === "client")
      expect(client.map(({ name }) => name)).toEqual([
        "dynamo_db.create",
        "dynamo_db.put",
        "dynamo_db.put"
      ])
      expect(Object.fromEntries(client[1]!.attributes)).toEqual({
        "db.collection.name": "p-users",
        "db.operation.name": "put",
        "db.system.name": "aws.dynamodb"
      })
    })
  )

  it.live("a test has tables in memory, and errors of a contract have no key and no reason", () =>
    Effect.gen(function* () {
      class UsersApi extends HttpApiGroup.make("users").add(
        HttpApiEndpoint.get("read", "/users/:id", {
          error: readErrors,
          params: { id: Schema.String },
          success: Schema.NullOr(User)
        })
      ) {}
      const Service = Plugin.make("shop:users", {
        requires: [DynamoDb.DynamoDb],
        routes: [
          Route.public(UsersApi, (handlers) =>
            Effect.map(users, (opened) =>
              handlers.handleAll({
                read: ({ params }) =>
                  Effect.map(
                    opened.get({ id: params.id === "long" ? "x".repeat(3000) : params.id }),
                    (user) => user ?? null
                  )
              })
            )
          )
        ]
      })
      const shop = App.make("shop", [DynamoDb.plugin, Service])
      const booted = (tables: ReadonlyArray<typeof Users>) =>
        TestApp.make(shop, { replace: [[DynamoDb.plugin, TestDynamoDb.layer(tables)]] })
      const test = yield* booted([Users])
      yield* test.run(Effect.flatMap(users, (opened) => opened.put({ id: "7", visits: 2 })))
      ;(yield* test.get("/users/7")).expectStatus(200).expectJson({ id: "7", visits: 2 })
      ;(yield* test.get("/users/8")).expectStatus(200).expectJson(null)
      const long = yield* test.get("/users/long")
      expect(long.expectProblem("INVALID_ITEM", 400).text).not.toContain("test-users")
      const missing = yield* (yield* booted([])).get("/users/7")
      expect(missing.expectProblem("TABLE_NOT_FOUND", 500).text).not.toContain('"users"')
    })
  )
})
