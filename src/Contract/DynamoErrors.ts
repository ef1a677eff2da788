/** The errors of DynamoDB. */
import * as Schema from "effect/Schema"
import * as ApiError from "./ApiError.ts"

const Key = Schema.Record(Schema.String, Schema.Union([Schema.Finite, Schema.String]))

/** DynamoDB refused a request: the credentials, a permission, or what the request asks for. */
export class DynamoRefused extends ApiError.make<DynamoRefused>()(
  "DynamoRefused",
  {
    code: "DYNAMO_REFUSED",
    detail: "The service may not do this with its table",
    meaning: "DynamoDB refuses the credentials of the service, or the form of a request.",
    remedy: "Read `reason` in the log. Correct the credentials, the policy, or the request.",
    status: 500
  },
  { operation: Schema.String, reason: Schema.String, table: Schema.String }
) {}

/** DynamoDB has no capacity left for a table. The client has tried several times. */
export class DynamoThrottled extends ApiError.make<DynamoThrottled>()(
  "DynamoThrottled",
  {
    code: "DYNAMO_THROTTLED",
    detail: "The tables of the service are busy",
    meaning: "DynamoDB refused a request several times because a table has no capacity left.",
    remedy: "Send the request again later. Raise the capacity, or spread the partition keys.",
    status: 503
  },
  { operation: Schema.String, reason: Schema.String, table: Schema.String }
) {}

/** DynamoDB did not answer, or failed. */
export class DynamoUnavailable extends ApiError.make<DynamoUnavailable>()(
  "DynamoUnavailable",
  {
    code: "DYNAMO_UNAVAILABLE",
    detail: "The tables of the service cannot be used now",
    meaning: "DynamoDB does not answer, or failed.",
    remedy: "Send the request again later. The log has the reason.",
    status: 503
  },
  { operation: Schema.String, reason: Schema.String, table: Schema.String }
) {}

/** A value cannot be stored: it does not fit its schema, or DynamoDB has no such key or number. */
export class InvalidItem extends ApiError.make<InvalidItem>()(
  "InvalidItem",
  {
    code: "INVALID_ITEM",
    detail: ({ attribute, reason }) => `The attribute ${attribute} is refused: ${reason}`,
    internal: ["table"],
    meaning: "An attribute of an item cannot be stored. Nothing was sent to DynamoDB.",
    remedy:
      "Correct the attribute. Keys are numbers, or text from 1 byte to 2048 bytes, of a sort key to 1024.",
    status: 400
  },
  { attribute: Schema.String, reason: Schema.String, table: Schema.String }
) {}

/** An item is larger than DynamoDB stores. */
export class ItemTooLarge extends ApiError.make<ItemTooLarge>()(
  "ItemTooLarge",
  {
    code: "ITEM_TOO_LARGE",
    detail: ({ limit }) => `The item is larger than ${limit} bytes`,
    internal: ["table"],
    meaning: "An item has more than 400 KiB with the names of its attributes. It is not stored.",
    remedy: "Send less. Keep large content in an object store, and its key in the item.",
    status: 413
  },
  { limit: Schema.Int, table: Schema.String }
) {}

/** An item of a table is not one of its schema. The error has no values but those of the key. */
export class ItemUndecodable extends ApiError.make<ItemUndecodable>()(
  "ItemUndecodable",
  {
    code: "ITEM_UNDECODABLE",
    detail: "An item of the service cannot be read",
    meaning: "An item of a table is not one of the schema of the table.",
    remedy: "Read `key`, `paths` and `table` in the log. Correct the item or the schema.",
    status: 500
  },
  { key: Key, paths: Schema.Array(Schema.String), table: Schema.String }
) {}

/** There is no table, or no index, of this name. */
export class TableNotFound extends ApiError.make<TableNotFound>()(
  "TableNotFound",
  {
    code: "TABLE_NOT_FOUND",
    detail: "A table of the service does not exist",
    meaning: "DynamoDB has no table of this name in its region and account.",
    remedy: "Create the table, or correct `dynamoDb.tablePrefix`, the region or the endpoint.",
    status: 500
  },
  { table: Schema.String }
) {}
