/** Two services that call each other over sockets, with SQL between, make one trace. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import { App, Middleware, Plugin, Route, type Sample, TraceContext } from "flange"
import * as Database from "flange/Database"
import { TestApp } from "flange/Testing"
import { attributesOf, type Kept, kept, parentOf } from "../tracing.ts"

const database = { database: { url: "pglite://memory" } }

class StockApi extends HttpApiGroup.make("stock").add(
  HttpApiEndpoint.get("left", "/stock/:sku", {
    params: { sku: Schema.String },
    success: Schema.Int
  }).annotate(Database.Transactional, true)
) {}

class ShopApi extends HttpApiGroup.make("shop").add(
  HttpApiEndpoint.get("offer", "/offers/:sku", {
    params: { sku: Schema.String },
    success: Schema.String
  })
) {}

/** The headers of the requests that a service has got. */
const received = (headers: Array<Record<string, string | undefined>>) =>
  Plugin.make("test:received", {
    middleware: [
      Middleware.before("received", {
        build: Effect.succeed(() => (request) => {
          const names = ["b3", "traceparent", "tracestate"]
          headers.push(Object.fromEntries(names.map((name) => [name, request.header(name)])))
          return Middleware.pass
        }),
        slot: "TransportSecurity"
      })
    ]
  })

const Stock = Plugin.make("test:stock", {
  requires: [SqlClient],
  routes: [
    Route.public(
      StockApi,
      Effect.fnUntraced(function* (handlers) {
        const sql = yield* SqlClient
        return handlers.handleAll({
          left: () =>
            Effect.orDie(
              Effect.map(
                sql<{ n: number }>`select count(*)::int as n from pg_am`,
                ([row]) => row!.n
              )
            )
        })
      })
    )
  ]
})

/** Asks the stock at this URL. */
const shop = (url: string) =>
  Plugin.make("test:shop", {
    requires: [SqlClient],
    routes: [
      Route.public(
        ShopApi,
        Effect.fnUntraced(function* (handlers) {
          const sql = yield* SqlClient
          const client = HttpClient.mapRequestEffect(
            yield* HttpClient.HttpClient,
            TraceContext.withState
          )
          const ask = (sku: string): Effect.Effect<string, HttpClientError.HttpClientError> =>
            Effect.flatMap(client.get(`${url}/stock/${sku}?sig=s3cret`), ({ text }) => text)
          return handlers.handleAll({
            offer: ({ params }) =>
              Effect.orDie(Effect.andThen(sql`select 1 as one`, ask(params.sku)))
          })
        }, Effect.provide(FetchHttpClient.layer))
      )
    ]
  })

const both = (sample?: Sample) =>
  Effect.gen(function* () {
    const headers: Array<Record<string, string | undefined>> = []
    const [shopTrace, stockTrace] = [kept(sample), kept()]
    const stock = yield* TestApp.listening(
      App.make("stock", [stockTrace.plugin, received(headers), Database.plugin, Stock]),
      { config: database }
    )
    const front = yield* TestApp.listening(
      App.make("shop", [shopTrace.plugin, Database.plugin, shop(stock.url)]),
      { config: database }
    )
    return { front, headers, shopTrace, stock, stockTrace }
  })

const traceId = "0af7651916cd43dd8448eb211c80319c"

describe("two services", () => {
  it.live("make one trace of a sampled request", () =>
    Effect.gen(function* () {
      const { front, headers, shopTrace, stock, stockTrace } = yield* both()
      ;(yield* front.get("/offers/lamp", {
        headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01`, tracestate: "a=1" }
      })).expectStatus(200)
      const spans = [...shopTrace.spans, ...stockTrace.spans].filter(
        (span) => span.traceId === traceId
      )
      const tree = spans.map((span) => [
        span.name,
        spans.find(({ spanId }) => spanId === parentOf(span))?.name ?? parentOf(span)
      ])
      assert.deepStrictEqual(tree, [
        ["GET /offers/:sku", "b7ad6b7169203331"],
        ["shop.offer", "GET /offers/:sku"],
        ["SELECT", "shop.offer"],
        ["GET", "shop.offer"],
        ["GET /stock/:sku", "GET"],
        ["stock.left", "GET /stock/:sku"],
        ["sql.transaction", "stock.left"],
        ["SELECT pg_am", "sql.transaction"]
      ])
      assert.strictEqual(headers[0]!["tracestate"], "a=1")
      const { attributes, kind } = shopTrace.named("GET")
      const { port } = new URL(stock.url)
      assert.strictEqual(kind, "client")
      assert.deepInclude(Object.fromEntries(attributes), {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
        "server.port": Number(port),
        "url.full": `http://127.0.0.1:${port}/stock/lamp?sig=REDACTED`
      })
    })
  )

  it.live("agree that a request is not sampled", () =>
    Effect.gen(function* () {
      const { front, headers, shopTrace, stockTrace } = yield* both(() => false)
      const served = (trace: Kept) => trace.spans.filter(({ kind }) => kind === "server")
      ;(yield* front.get("/offers/lamp", {
        headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` }
      })).expectStatus(200)
      assert.match(headers[0]!["traceparent"]!, new RegExp(`^00-${traceId}-[\\da-f]{16}-00$`))
      assert.deepStrictEqual([served(shopTrace), served(stockTrace)], [[], []])
    })
  )
})

describe("the span of a call", () => {
  it.live("shows no credentials, and the status of a failure", () =>
    Effect.gen(function* () {
      const { named, tracer } = kept()
      const client = HttpClient.make(() => Effect.die("not sent"))
      yield* client
        .get("http://ada:s3cret@a.example:8080/b?sig=s3cret&c=1")
        .pipe(Effect.exit, Effect.withSpan("root"), Effect.withTracer(tracer))
      const attributes = attributesOf(named("GET"))
      assert.notInclude(JSON.stringify(attributes), "s3cret")
      assert.strictEqual(attributes["server.address"], "a.example")
    })
  )
})
