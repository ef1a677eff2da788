/**
 * Exercises every endpoint of a running sample API through its typed client.
 *
 * Run: npm start, then in another terminal
 *      node --conditions=flange-source examples/sample-api/client.ts [url]
 */
import { deepEqual, equal } from "node:assert/strict"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as HttpApi from "effect/http-api/HttpApi"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import { Client } from "flange/Contract"
import { ItemNotFound, ItemsApi } from "./items/ItemsApi.ts"

const baseUrl = process.argv[2] ?? "http://localhost:8080"

const program = Effect.gen(function* () {
  // The client is created from the contract alone, without server code.
  const { items } = yield* Client.make(HttpApi.make("sample-api").add(ItemsApi), { baseUrl })

  const { body: lamp, headers } = yield* items.create({ payload: { name: "Lamp" } })
  equal(headers.location, `/v1/items/${lamp.id}`)
  const params = { id: lamp.id }
  yield* Console.log(`created   ${lamp.name} at ${headers.location}`)

  const page = yield* items.list({ query: { limit: 500, page: 1 } })
  yield* Console.log(`listed    ${page.items.length} of ${page.total}`)

  deepEqual(yield* items.read({ params }), lamp)
  yield* Console.log(`read      ${lamp.name}`)

  const replaced = yield* items.replace({
    params,
    payload: { description: "Brass", name: "Desk lamp" }
  })
  equal(replaced.description, "Brass")
  yield* Console.log(`replaced  ${replaced.name}, ${replaced.description}`)

  const updated = yield* items.update({ params, payload: { description: null } })
  deepEqual(updated, { createdAt: lamp.createdAt, id: lamp.id, name: "Desk lamp" })
  yield* Console.log(`updated   ${updated.name}, without a description`)

  yield* items.remove({ params })
  yield* Console.log(`removed   ${updated.name}`)

  const error = yield* Effect.flip(items.read({ params }))
  equal(error instanceof ItemNotFound, true)
  yield* Console.log(`missing   ${error.message}`)
})

await Effect.runPromise(Effect.provide(program, FetchHttpClient.layer))
