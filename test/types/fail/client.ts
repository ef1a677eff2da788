// Calls of the typed client that do not fit the contract.
import * as Effect from "effect/Effect"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { Client, Pagination } from "flange/Contract"

const api = HttpApi.make("shop").add(
  HttpApiGroup.make("items").add(
    HttpApiEndpoint.get("list", "/items", {
      query: { ...Pagination.query, word: Schema.String }
    }),
    HttpApiEndpoint.delete("remove", "/items/:id", { params: { id: Schema.Int } })
  )
)

type Items = Client.ForApi<typeof api>["items"]

export const wrongParameter = (items: Items) => items.remove({ params: { id: "1" } })
// ^ expect: Type 'string' is not assignable to type 'number'

export const noParameter = (items: Items) => items.remove({ params: {} })
// ^ expect: Property 'id' is missing

export const noDefault = (items: Items) => items.list({ query: { page: 2 } })
// ^ expect: Property 'word' is missing

export const wrongLimit = (items: Items) => items.list({ query: { limit: "2", word: "" } })
// ^ expect: Type 'string' is not assignable to type 'number'

export const unknownEndpoint = (items: Items) => items.read({ params: { id: 1 } })
// ^ expect: Property 'read' does not exist

export const unhandled = (items: Items): Effect.Effect<void, "no error"> =>
  items.remove({ params: { id: 1 } })
// ^ expect: Type 'HttpClientError | InvalidParameter | SchemaError' is not assignable to type '"no error"'

export const unknownOption = Client.make(api, { base: "http://localhost" })
// ^ expect: 'base' does not exist in type
