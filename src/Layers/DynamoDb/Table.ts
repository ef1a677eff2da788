/** Descriptions of tables: the schema of the items, and the keys. */
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import type { Definition, KeySchema, KeyType } from "./Backend.ts"

/** The schema of the items of a table: a `Schema.Struct` or a `Schema.Class`. */
export interface ItemSchema extends Schema.Codec<object, unknown> {
  readonly fields: Schema.Struct.Fields
}

/** The attributes that are text or a number when they are stored. */
export type IndexKeyName<S extends ItemSchema> = Extract<
  {
    [Name in keyof S["fields"]]: S["fields"][Name]["Encoded"] extends number | string ? Name : never
  }[keyof S["fields"]],
  keyof S["Type"] & string
>

type RequiredName<Item> = {
  [Name in keyof Item]-?: {} extends Pick<Item, Name> ? never : Name
}[keyof Item]

/** The attributes that may be a key of the table: those of `IndexKeyName` that each item has. */
export type KeyName<S extends ItemSchema> = Extract<IndexKeyName<S>, RequiredName<S["Type"]>>

/** The key of an index. */
export interface IndexKey<Name extends PropertyKey = PropertyKey> {
  readonly partitionKey: Name
  readonly sortKey?: Name | undefined
}

/** The keys of indexes by name. */
export type Indexes<Item> = Readonly<Record<string, IndexKey<keyof Item>>>

/** The schema of a table. */
export interface SchemaOf<Item> extends Schema.Codec<Item, unknown> {
  readonly fields: Schema.Struct.Fields
}

/** A description of a table. `make` creates it. */
export interface Table<
  Item,
  PartitionKey extends keyof Item,
  SortKey extends keyof Item,
  I extends Indexes<Item>
> {
  readonly definition: Definition
  readonly indexes: I
  readonly partitionKey: PartitionKey
  readonly schema: SchemaOf<Item>
  readonly sortKey: SortKey | undefined
}

/** A table of any items. */
export interface Any {
  readonly definition: Definition
}

/** Returns the one type of the values of a key. */
const typesOf = (ast: SchemaAST.AST): ReadonlySet<KeyType | "other"> => {
  if (SchemaAST.isUnion(ast)) return new Set(ast.types.flatMap((type) => [...typesOf(type)]))
  if (SchemaAST.isString(ast) || SchemaAST.isTemplateLiteral(ast)) return new Set(["S"])
  if (SchemaAST.isNumber(ast)) return new Set(["N"])
  if (!SchemaAST.isLiteral(ast)) return new Set(["other"])
  return new Set([
    typeof ast.literal === "string" ? "S" : typeof ast.literal === "number" ? "N" : "other"
  ])
}

const typeOf = (table: string, fields: Schema.Struct.Fields, name: string): KeyType => {
  const field = fields[name]
  const [type = "other", ...more] =
    field === undefined ? [] : typesOf(Schema.toEncoded(Schema.toCodecJson(field)).ast)
  const mixed: ReadonlySet<string> = new Set(more)
  // The form in JSON has texts for numbers that are not finite, which no key may be.
  const isNumber = type === "N" || mixed.has("N")
  if (field !== undefined && isNumber && SchemaAST.isNumber(Schema.toEncoded(field).ast)) return "N"
  if (type === "other" || mixed.size > 0) {
    throw new TypeError(
      `The key ${JSON.stringify(name)} of the table ${JSON.stringify(table)} is stored neither as text nor as a number. Choose an attribute whose schema encodes to one of them.`
    )
  }
  return type
}

const validName = /^[A-Za-z0-9_.-]{3,255}$/

/**
 * Describes a table. `name` is without the prefix `dynamoDb.tablePrefix`. Throws if the name, or the schema of a
 * key, is not possible.
 *
 * An item is stored in the form that its schema has in JSON: dates and bytes are text, sets are lists.
 *
 * @example
 * ```ts
 * import * as Schema from "effect/Schema"
 * import { Table } from "flange/DynamoDb"
 *
 * const Order = Schema.Struct({
 *   customer: Schema.String,
 *   id: Schema.String,
 *   status: Schema.Literals(["open", "sent"]),
 *   total: Schema.Int
 * })
 *
 * const Orders = Table.make("orders", {
 *   indexes: { byStatus: { partitionKey: "status", sortKey: "total" } },
 *   partitionKey: "customer",
 *   schema: Order,
 *   sortKey: "id"
 * })
 * Orders.definition.types // => { customer: "S", id: "S", status: "S", total: "N" }
 * ```
 */
export const make = <
  S extends ItemSchema,
  const PartitionKey extends KeyName<S>,
  const SortKey extends KeyName<S> = never,
  const I extends Readonly<Record<string, IndexKey<IndexKeyName<S>>>> = {}
>(
  name: string,
  options: {
    /** The global secondary indexes. They have all attributes of the items. */
    readonly indexes?: I | undefined
    /** The attribute that is the partition key. Each item has it, stored as text or as a number. */
    readonly partitionKey: PartitionKey
    /** The schema of the items. */
    readonly schema: S
    /** The attribute that is the sort key, if an item is found by two attributes. */
    readonly sortKey?: SortKey | undefined
  }
): Table<S["Type"], PartitionKey, SortKey, I> => {
  if (!validName.test(name)) {
    throw new TypeError(
      `The name ${JSON.stringify(name)} of a table is refused. Write 3 to 255 letters, digits and the characters _ . -`
    )
  }
  const { indexes, partitionKey, schema, sortKey } = options
  const definition = describe(name, schema.fields, { partitionKey, sortKey }, indexes ?? {})
  return {
    definition,
    // Without the option its type is that of an empty record.
    indexes: indexes ?? ({} as I),
    partitionKey,
    schema,
    sortKey
  }
}

const keyOf = ({ partitionKey, sortKey }: IndexKey<string>): KeySchema => ({
  partition: partitionKey,
  sort: sortKey
})

const describe = (
  name: string,
  fields: Schema.Struct.Fields,
  key: IndexKey<string>,
  indexes: Readonly<Record<string, IndexKey<string>>>
): Definition => {
  const keys = [key, ...Object.values(indexes)]
  const names = new Set(
    keys.flatMap(({ partitionKey, sortKey }) =>
      sortKey === undefined ? [partitionKey] : [partitionKey, sortKey]
    )
  )
  return {
    indexes: Object.fromEntries(
      Object.entries(indexes).map(([index, each]) => [index, keyOf(each)])
    ),
    key: keyOf(key),
    name,
    types: Object.fromEntries(
      [...names].toSorted().map((each) => [each, typeOf(name, fields, each)])
    )
  }
}
