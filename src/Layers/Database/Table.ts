/** The queries that most tables need, typed by the schema of a row. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as String from "effect/String"
import * as OwnKeys from "../../Contract/OwnKeys.ts"
import * as Pagination from "../../Contract/Pagination.ts"
import * as RowTypes from "./RowTypes.ts"

interface RowSchema extends Schema.Codec<object, object> {
  readonly fields: Readonly<Record<string, Schema.Codec<unknown, unknown>>>
}

/** The fields to set. An absent field stays as it is, and null removes an optional one. */
export type Changes<Row> = {
  readonly [Name in keyof Row]?: Row[Name] | ({} extends Pick<Row, Name> ? null : never)
}

/** The queries of a table with rows of type `Row`, whose key is the field `Key`. */
export interface Table<Row, Key extends keyof Row> {
  /** Reads the row with this key. */
  readonly find: (key: Row[Key]) => Effect.Effect<Option.Option<Row>, SqlError>
  /** Adds a row. */
  readonly insert: (row: Row) => Effect.Effect<void, SqlError>
  /** Reads one page, in the order of the keys. */
  readonly page: (query: Pagination.Query) => Effect.Effect<Pagination.Page<Row>, SqlError>
  /** Removes the row with this key and returns it. Of concurrent callers only one gets the row. */
  readonly remove: (key: Row[Key]) => Effect.Effect<Option.Option<Row>, SqlError>
  /** Sets fields of the row with this key and returns the whole row. */
  readonly update: (
    key: Row[Key],
    changes: Changes<Omit<Row, Key>>
  ) => Effect.Effect<Option.Option<Row>, SqlError>
}

/**
 * Creates the queries of a table from the schema of its rows.
 *
 * - The column of a field has its name in snake case: `createdAt` is `created_at`.
 * - An absent optional field is null in the table.
 * - A row that does not match the schema is a defect.
 *
 * Write a query that is not here with `SqlClient`.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 * import * as Schema from "effect/Schema"
 * import { SqlClient } from "effect/sql/SqlClient"
 * import * as Database from "flange/Database"
 *
 * const Pet = Schema.Struct({
 *   id: Schema.Int,
 *   name: Schema.String,
 *   ownerName: Schema.optionalKey(Schema.String)
 * })
 *
 * const program = Effect.gen(function* () {
 *   const sql = yield* SqlClient
 *   yield* sql`create table pets (id integer primary key, name text not null, owner_name text)`
 *   const pets = yield* Database.table("pets", { key: "id", row: Pet })
 *   yield* pets.insert({ id: 1, name: "Rex" })
 *   yield* pets.update(1, { ownerName: "Ada" })
 *   return yield* pets.find(1)
 * })
 *
 * const pet = await Effect.runPromise(Effect.provide(program, Database.layerMemory))
 * Option.getOrThrow(pet) // => { id: 1, name: "Rex", ownerName: "Ada" }
 * ```
 */
export const table = <Row extends RowSchema, Key extends keyof Row["fields"] & keyof Row["Type"]>(
  name: string,
  options: {
    /** The field of the primary key. */
    readonly key: Key
    /** The schema of a row. */
    readonly row: Row
  }
): Effect.Effect<Table<Row["Type"], Key>, never, SqlClient.SqlClient> =>
  Effect.map(SqlClient.SqlClient, (sql) => {
    const { key, row } = options
    const { fields }: RowSchema = row
    const keyName = key as string // the names of fields are strings
    const keyField = fields[keyName]!
    const columnOf = String.camelToSnake
    const keyColumn = sql(columnOf(keyName))

    const encodeRow = OwnKeys.encodeUnknownEffect(row)
    const decodeRow = OwnKeys.decodeUnknownEffect(row)
    const fieldNames = Object.keys(fields)

    const decode = (columns: object) => {
      const values = new Map(Object.entries(columns))
      const found: Record<string, unknown> = {}
      for (const field of fieldNames) {
        const value = values.get(columnOf(field))
        if (value !== null || !SchemaAST.isOptional(fields[field]!.ast)) found[field] = value
      }
      RowTypes.see([found])
      return Effect.orDie(decodeRow(found))
    }

    const where = (value: Row["Type"][Key]) =>
      Effect.map(
        Effect.orDie(Schema.encodeEffect(keyField)(value)),
        (encoded) => sql`where ${keyColumn} = ${encoded}`
      )

    const select = Effect.fnUntraced(function* (value: Row["Type"][Key], end: string) {
      const [first] =
        yield* sql`select * from ${sql(name)} ${yield* where(value)} ${sql.literal(end)}`
      return first === undefined ? Option.none() : Option.some(yield* decode(first))
    })

    const find = (value: Row["Type"][Key]) => select(value, "")

    return {
      find,
      insert: Effect.fnUntraced(function* (value) {
        const encoded = new Map(Object.entries(yield* Effect.orDie(encodeRow(value))))
        const columns = fieldNames.map((field) => [columnOf(field), encoded.get(field) ?? null])
        yield* sql`insert into ${sql(name)} ${sql.insert(Object.fromEntries(columns))}`
      }),
      page: Effect.fnUntraced(function* (query) {
        const rows = yield* sql`
          select * from ${sql(name)} order by ${keyColumn}
          limit ${query.limit} offset ${Pagination.offset(query)}`
        const [count] = yield* sql<{ readonly total: bigint | number | string }>`
          select count(*) as total from ${sql(name)}`
        return Pagination.make(query, yield* Effect.forEach(rows, decode), Number(count?.total))
      }),
      remove: (value) =>
        sql.withTransaction(
          Effect.gen(function* () {
            // This transaction, or that of the request around it, holds the lock until it ends.
            const found = yield* select(value, "for update")
            yield* sql`delete from ${sql(name)} ${yield* where(value)}`
            return found
          })
        ),
      update: Effect.fnUntraced(function* (value, changes) {
        const columns: Record<string, unknown> = {}
        const given = new Map(Object.entries(changes))
        for (const field of fieldNames) {
          if (field === keyName || !given.has(field)) continue
          const schema = fields[field]!
          const change = given.get(field)
          columns[columnOf(field)] =
            change === null && SchemaAST.isOptional(schema.ast)
              ? null
              : yield* Effect.orDie(OwnKeys.encodeUnknownEffect(schema)(change))
        }
        if (Object.keys(columns).length > 0) {
          yield* sql`update ${sql(name)} set ${sql.update(columns)} ${yield* where(value)}`
        }
        return yield* find(value)
      })
    }
  })
