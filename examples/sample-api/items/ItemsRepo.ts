/** The repository of the items, on the table `items` that `migrations` creates. */
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { SqlError } from "effect/sql/SqlError"
import type { Pagination } from "flange/Contract"
import * as Database from "flange/Database"
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
    /** Sets every field; a description that the draft lacks is removed. */
    readonly replace: (id: ItemId, draft: ItemDraft) => Effect.Effect<Item, ItemNotFound>
    /** Sets the fields that are given. */
    readonly update: (id: ItemId, changes: ItemChanges) => Effect.Effect<Item, ItemNotFound>
  }
>()("sample/ItemsRepo") {
  static readonly layer = Layer.effect(
    ItemsRepo,
    Effect.gen(function* () {
      const random = yield* SecureRandom.SecureRandom
      const items = yield* Database.table("items", { key: "id", row: ItemRow })

      // A failed query is a defect, because a caller cannot handle it. It is logged, and the reply
      // is 500, or 503 if the database cannot be reached.
      const orNotFound = Effect.fnUntraced(function* (
        id: ItemId,
        query: Effect.Effect<Option.Option<Item>, SqlError>
      ) {
        const item = yield* Effect.orDie(query)
        if (Option.isNone(item)) return yield* new ItemNotFound({ id })
        return item.value
      })

      return ItemsRepo.of({
        create: Effect.fn("ItemsRepo.create")(function* (draft) {
          const id = ItemId.make(yield* random.uuidV7())
          const item = { ...draft, createdAt: yield* DateTime.now, id }
          yield* Effect.orDie(items.insert(item))
          return item
        }),
        // Ids sort by creation time.
        list: (query) => Effect.orDie(items.page(query)),
        read: (id) => orNotFound(id, items.find(id)),
        remove: (id) => Effect.asVoid(orNotFound(id, items.remove(id))),
        replace: (id, { description = null, name }) =>
          orNotFound(id, items.update(id, { description, name })),
        update: (id, changes) => orNotFound(id, items.update(id, changes))
      })
    })
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))
}
