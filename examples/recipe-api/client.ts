/**
 * Exercises every endpoint of a running recipe API through its typed client.
 *
 * Run: npm run example:recipe, then in another terminal
 *      export TOKEN=$(npm run -s example:recipe -- token alice --scopes orders:write)
 *      node --conditions=flange-source examples/recipe-api/client.ts [url]
 */
import { deepEqual, equal } from "node:assert/strict"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as HttpApi from "effect/http-api/HttpApi"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import { Client } from "flange/Contract"
import { MeApi } from "./me/MeApi.ts"
import { OrderId } from "./orders/Order.ts"
import { OrdersApi } from "./orders/OrdersApi.ts"
import { StatusApi } from "./status/StatusApi.ts"
import { StringsApi } from "./strings/StringsApi.ts"

const baseUrl = process.argv[2] ?? "http://localhost:8080"
const token = process.env["TOKEN"] ?? ""

// The client is created from the contracts alone, without server code.
const RecipeApi = HttpApi.make("recipe-api").add(MeApi, OrdersApi, StatusApi, StringsApi)

/** Creates a client that adds `credentials` to its requests. */
const clientWith = (
  credentials: (request: HttpClientRequest.HttpClientRequest) => HttpClientRequest.HttpClientRequest
) =>
  Client.make(RecipeApi, {
    baseUrl,
    transformClient: HttpClient.mapRequest(credentials)
  })

const program = Effect.gen(function* () {
  const anonymous = yield* clientWith((request) => request)
  const alice = yield* clientWith(HttpClientRequest.bearerToken(token))

  const { status } = yield* anonymous.status.read()
  yield* Console.log(`status     ${status}`)

  const { upper } = yield* anonymous.strings.upper({ query: { text: "hello" } })
  equal(upper, "HELLO")
  yield* Console.log(`upper      ${upper}`)

  const me = yield* alice.me.read()
  yield* Console.log(`me         ${me.subject}, by ${me.authMethod}, may ${me.scopes.join(" ")}`)

  const draft = { customer: "Acme", items: ["lamp", "cable"] }
  const { body, headers } = yield* alice.orders.create({ payload: draft })
  equal(headers.location, `/v1/orders/${body.order.id}`)
  yield* Console.log(`created    ${body.order.items.join(" and ")} for ${body.order.customer}`)

  const page = yield* alice.orders.list({ query: { customer: "acme", limit: 500, page: 1 } })
  yield* Console.log(`listed     ${page.orders.length} of ${page.total}`)

  deepEqual(yield* alice.orders.read({ params: { orderId: body.order.id } }), body)
  yield* Console.log(`read       ${body.order.status}, placed by ${body.order.createdBy}`)

  // Errors are classes of the contract: the compiler knows which ones this call may fail with.
  const orderId = OrderId.make("0198c0de-0000-7000-8000-000000000000")
  const missing = yield* alice.orders.read({ params: { orderId } }).pipe(
    Effect.as("found"),
    Effect.catchTags({
      OrderNotFound: ({ message }) => Effect.succeed(message),
      Unauthenticated: ({ message }) => Effect.succeed(message)
    })
  )
  yield* Console.log(`missing    ${missing}`)

  const refused = yield* Effect.flip(anonymous.orders.create({ payload: draft }))
  equal(refused._tag, "Unauthenticated")
  yield* Console.log(`refused    ${refused.message}`)
})

await Effect.runPromise(Effect.provide(program, FetchHttpClient.layer))
