/** DynamoDB in tests. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { DynamoDb } from "./DynamoDb.ts"
import { make } from "./Make.ts"
import * as MemoryBackend from "./MemoryBackend.ts"
import type { Any } from "./Table.ts"

/**
 * Creates a layer with empty tables in memory, transactions included. Give it to a test, or to `replace` of
 * `TestApp.make` in the place of `DynamoDb.plugin`. Other tables than `tables` do not exist until `create`.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import { DynamoDb, Table } from "flange/DynamoDb"
 * import { TestDynamoDb } from "flange/DynamoDb/Testing"
 *
 * const User = Schema.Struct({ id: Schema.String, name: Schema.String })
 * const Users = Table.make("users", { partitionKey: "id", schema: User })
 *
 * const name = Effect.gen(function* () {
 *   const users = (yield* DynamoDb).table(Users)
 *   yield* users.put({ id: "7", name: "Ada" })
 *   return (yield* users.get({ id: "7" }))?.name
 * })
 * await Effect.runPromise(Effect.provide(name, TestDynamoDb.layer([Users]))) // => "Ada"
 * ```
 */
export const layer = (tables: ReadonlyArray<Any> = []): Layer.Layer<DynamoDb> =>
  Layer.effect(
    DynamoDb,
    Effect.gen(function* () {
      const dynamo = yield* make(MemoryBackend.make(), { attempts: 8, prefix: "" })
      yield* Effect.orDie(Effect.forEach(tables, dynamo.create, { discard: true }))
      return dynamo
    })
  )
