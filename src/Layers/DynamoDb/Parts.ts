/** The parts of transactions. */
import type * as Effect from "effect/Effect"
import type { InvalidItem, ItemTooLarge, ItemUndecodable } from "../../Contract/DynamoErrors.ts"
import type { Attributes, KeyAttributes, TransactionRead, TransactionWrite } from "./Backend.ts"

/** Where a part of a transaction is, as errors name it. */
export interface Place {
  readonly key: KeyAttributes
  readonly table: string
}

/** A write of a transaction. The methods of `transact` of a table create it. */
export interface Write {
  readonly prepare: Effect.Effect<
    { readonly place: Place; readonly write: TransactionWrite },
    InvalidItem | ItemTooLarge
  >
}

/** A read of a transaction. `transact.get` of a table creates it. */
export interface Read<out Item> {
  readonly decode: (stored: Attributes) => Effect.Effect<Item, ItemUndecodable>
  readonly prepare: Effect.Effect<
    { readonly place: Place; readonly read: TransactionRead },
    InvalidItem
  >
}
