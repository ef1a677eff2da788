/** Where the items are kept: the table `items`, which `migrations` makes. */
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import * as SqlSchema from "effect/sql/SqlSchema"
import { Pagination } from "flange"
import { type Item, type ItemChanges, type ItemDraft, ItemId } from "./Item.ts"
import { ItemRow } from "./ItemRow.ts"
import { ItemNotFound } from "./ItemsApi.ts"

export class ItemsRepo extends Context.Service<
  ItemsRepo,
  {
    readonly create: (draft: ItemDraft) => Effect.Effect<Item>
    /** One page, oldest first. */
    readonly list: (query: Pagination.Query) => Effect.Effect<Pagination.Page<Item>>
    readonly read: (id: ItemId) => Effect.Effect<Item, ItemNotFound>
    readonly remove: (id: ItemId) => Effect.Effect<void, ItemNotFound>
    /** Sets every field; a description that the draft lacks is gone. */
    readonly replace: (id: ItemId, draft: ItemDraft) => Effect.Effect<Item, ItemNotFound>
    /** Sets the fields that are given. */
    readonly update: (id: ItemId, changes: ItemChanges) => Effect.Effect<Item, ItemNotFound>
  }
>()("sample/ItemsRepo") {
  static readonly layer = Layer.effect(
    ItemsRepo,
    Effect.gen(function* () {
      const random = yield* SecureRandom.SecureRandom
      const sql = yield* SqlClient

      const insert = SqlSchema.void({
        Request: ItemRow,
        execute: (row) => sql`insert into items ${sql.insert(row)}`
      })

      const selectPage = SqlSchema.findAll({
        Request: Schema.toType(Schema.Struct(Pagination.query)),
        Result: ItemRow,
        // Ids sort by the time they were made.
        execute: (query) =>
          sql`select * from items order by id limit ${query.limit} offset ${Pagination.offset(query)}`
      })

      const selectOne = (end: string) => {
        const select = SqlSchema.findOneOption({
          Request: ItemId,
          Result: ItemRow,
          execute: (id) => sql`select * from items where id = ${id} ${sql.literal(end)}`
        })
        return Effect.fnUntraced(function* (id: ItemId) {
          const item = yield* Effect.orDie(select(id))
          if (Option.isNone(item)) return yield* new ItemNotFound({ id })
          return item.value
        })
      }
      const read = selectOne("")
      // The lock holds until the transaction of the request ends, which is that of
      // Database.transactional() in app.ts. Of two requests that remove an item, the second waits
      // for the first and then finds no item.
      const lock = selectOne("for update")

      const set = (id: ItemId, columns: ItemChanges) =>
        Object.keys(columns).length === 0
          ? Effect.void
          : Effect.orDie(sql`update items set ${sql.update(columns)} where id = ${id}`)

      // A query that fails is a defect: no caller can act on it. The log has it, the reply is 500,
      // or 503 when the database is not there.
      return ItemsRepo.of({
        create: Effect.fn("ItemsRepo.create")(function* (draft) {
          const id = ItemId.make(yield* random.uuidV7())
          const item = { ...draft, createdAt: yield* DateTime.now, id }
          yield* Effect.orDie(insert(item))
          return item
        }),
        list: Effect.fn("ItemsRepo.list")(function* (query) {
          const items = yield* selectPage(query)
          const [row] = yield* sql<{ readonly total: bigint | number }>`
            select count(*) as total from items`
          return Pagination.make(query, items, Number(row?.total))
        }, Effect.orDie),
        read,
        remove: Effect.fn("ItemsRepo.remove")(function* (id) {
          yield* lock(id)
          yield* Effect.orDie(sql`delete from items where id = ${id}`)
        }),
        replace: Effect.fn("ItemsRepo.replace")(function* (id, { description = null, name }) {
          yield* set(id, { description, name })
          return yield* read(id)
        }),
        update: Effect.fn("ItemsRepo.update")(function* (id, changes) {
          yield* set(id, changes)
          return yield* read(id)
        })
      })
    })
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))
}
