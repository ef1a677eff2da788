/** Where the items are kept. */
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Pagination } from "flange"
import { type Item, type ItemChanges, type ItemDraft, ItemId } from "./Item.ts"
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
  /** Keeps them in memory, until the process ends. */
  static readonly layer = Layer.effect(
    ItemsRepo,
    Effect.gen(function* () {
      const random = yield* SecureRandom.SecureRandom
      const items = new Map<ItemId, Item>()

      const read = Effect.fnUntraced(function* (id: ItemId) {
        return items.get(id) ?? (yield* new ItemNotFound({ id }))
      })

      const write = (item: Item) => {
        items.set(item.id, item)
        return item
      }

      return ItemsRepo.of({
        create: Effect.fn("ItemsRepo.create")(function* (draft) {
          const id = ItemId.make(yield* random.uuidV7())
          return write({ ...draft, createdAt: yield* DateTime.now, id })
        }),
        list: Effect.fn("ItemsRepo.list")(function* (query) {
          const start = Pagination.offset(query)
          const page = [...items.values()].slice(start, start + query.limit)
          return Pagination.make(query, page, items.size)
        }),
        read,
        remove: Effect.fn("ItemsRepo.remove")(function* (id) {
          if (!items.delete(id)) return yield* new ItemNotFound({ id })
        }),
        replace: Effect.fn("ItemsRepo.replace")(function* (id, draft) {
          const { createdAt } = yield* read(id)
          return write({ ...draft, createdAt, id })
        }),
        update: Effect.fn("ItemsRepo.update")(function* (id, changes) {
          const { description, ...item } = { ...(yield* read(id)), ...changes }
          return write(
            description === undefined || description === null ? item : { ...item, description }
          )
        })
      })
    })
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))
}
