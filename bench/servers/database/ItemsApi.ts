/** The contract of stock HttpApi and of Flange. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import type { SqlClient } from "effect/sql/SqlClient"
import { many, pageSize } from "./Contract.ts"

const Item = Schema.Struct({ id: Schema.Int, name: Schema.String, price: Schema.Int })

const NewItem = Schema.Struct({
  name: Schema.String.check(Schema.isBetweenLength(1, 100)),
  price: Schema.Int
})

const params = { id: Schema.Int }

/** Reads that may run without a transaction. */
export const ReadsApi = HttpApiGroup.make("reads").add(
  HttpApiEndpoint.get("many", "/items/:id/many", { params, success: Schema.Array(Item) }),
  HttpApiEndpoint.get("page", "/items", {
    query: { after: Schema.Int },
    success: Schema.Array(Item)
  }),
  HttpApiEndpoint.get("read", "/items/:id", { params, success: Item })
)

export const WritesApi = HttpApiGroup.make("writes").add(
  HttpApiEndpoint.post("insert", "/items", {
    payload: NewItem,
    success: Item.pipe(HttpApiSchema.status(201))
  }),
  HttpApiEndpoint.post("raise", "/items/:id/raise", { params, success: Item })
)

type Item = typeof Item.Type

const first = ([item]: ReadonlyArray<Item>): Item => item!

export const reads = (sql: SqlClient) => {
  const read = (id: number) =>
    Effect.orDie(
      Effect.map(sql<Item>`select id, name, price from flange_bench_items where id = ${id}`, first)
    )
  return {
    many: ({ params: { id } }: { readonly params: { readonly id: number } }) =>
      Effect.forEach(Array.from({ length: many }), (_, i) => read(id + i)),
    page: ({ query: { after } }: { readonly query: { readonly after: number } }) =>
      Effect.orDie(
        sql<Item>`select id, name, price from flange_bench_items where id > ${after} order by id limit ${sql.literal(String(pageSize))}`
      ),
    read: ({ params: { id } }: { readonly params: { readonly id: number } }) => read(id)
  }
}

export const writes = (sql: SqlClient) => ({
  insert: ({ payload: { name, price } }: { readonly payload: typeof NewItem.Type }) =>
    Effect.orDie(
      Effect.map(
        sql<Item>`insert into flange_bench_inserted (name, price) values (${name}, ${price}) returning id, name, price`,
        first
      )
    ),
  raise: ({ params: { id } }: { readonly params: { readonly id: number } }) =>
    Effect.gen(function* () {
      const [found] =
        // Holds the row until the request's own transaction ends.
        yield* sql<Item>`select id, name, price from flange_bench_items where id = ${id} for update`
      return first(
        yield* sql<Item>`update flange_bench_items set price = ${found!.price + 1} where id = ${id} returning id, name, price`
      )
    }).pipe(Effect.orDie)
})
