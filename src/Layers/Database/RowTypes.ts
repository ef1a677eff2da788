/**
 * Explains why a row does not fit the schema that decodes it: with the type of the value, which an
 * error of a schema does not have.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as Nearest from "../../Config/Nearest.ts"
import * as Middleware from "../../Server/Route/Middleware.ts"

type Row = Readonly<Record<string, unknown>>

/** How many rows are kept, each the first one of its query. */
const most = 16

/** How long they are kept, in milliseconds: a row may be large. */
const keptFor = 1000

/** The rows that were read last, the last one first. A decoder fails right after its query. */
let rows: Array<Row> = []

/** Keeps the first row of a query. */
export const see = (found: ReadonlyArray<object>): void => {
  const [first] = found
  if (first === undefined) return
  if (rows.length === 0) {
    setTimeout(() => {
      rows = []
    }, keptFor).unref()
  }
  if (rows.unshift(first as Row) > most) rows.pop()
}

/** What to write for a value of each type, if the schema expects another one. */
const remedies: ReadonlyArray<{
  readonly is: (value: unknown, expected: string) => boolean
  readonly remedy: string
  readonly type: string
}> = [
  {
    is: (value) => typeof value === "bigint",
    remedy:
      "count(*), sum() of integers and columns of that type are. Use Schema.BigInt, or cast it in SQL: count(*)::int on PostgreSQL",
    type: "a bigint"
  },
  {
    is: (value, expected) => typeof value === "string" && /number|finite|integer/.test(expected),
    remedy:
      "numeric and decimal have every digit. Use Schema.FiniteFromString or Schema.BigDecimalFromString, or cast it in SQL: price::float8 on PostgreSQL",
    type: "a string"
  },
  {
    is: (value, expected) => typeof value === "string" && /date/i.test(expected),
    remedy: "date is on PostgreSQL. Use Schema.DateFromString",
    type: "a string"
  },
  {
    is: (value, expected) => typeof value === "number" && /boolean/.test(expected),
    remedy: "boolean is 0 or 1 on MySQL. Use Schema.BooleanFromBit",
    type: "a number"
  },
  {
    is: (value) => value instanceof Date,
    remedy: "timestamps are. Use Schema.Date, or cast it in SQL: created_at::text on PostgreSQL",
    type: "a Date"
  },
  {
    is: (value) => value instanceof Uint8Array,
    remedy: "bytea and blob are. Use Schema.Uint8Array",
    type: "a Uint8Array"
  },
  {
    is: (value) => value === null,
    remedy: "use Schema.NullOr, or coalesce() in SQL",
    type: "null"
  },
  {
    is: (value) => typeof value === "object",
    remedy: "json, arrays and intervals are values already. Use the schema of the value",
    type: "an object"
  }
]

const formatted = SchemaIssue.makeFormatterStandardSchemaV1()

/** Returns a sentence for the column of an issue; undefined if no row explains it. */
const explained = (message: string, column: string): string | undefined => {
  for (const row of rows) {
    if (!Object.hasOwn(row, column)) continue
    const value = row[column]
    const known = remedies.find(({ is }) => is(value, message))
    if (known !== undefined) return `"${column}" is ${known.type} in the row: ${known.remedy}.`
  }
  const missing = /missing/i.test(message)
    ? rows.find((row) => !Object.hasOwn(row, column))
    : undefined
  if (missing === undefined) return undefined
  const columns = Object.keys(missing)
  const nearest = Nearest.nearest(column, columns)
  return nearest === undefined
    ? `The row has no column "${column}". Its columns are ${columns.join(", ")}.`
    : `The row has no column "${column}". Did you mean "${nearest}"? Name it in SQL: ${nearest} as "${column}".`
}

/** How many nested causes are searched. */
const deepest = 8

/** Adds explanations to the message of an error of a schema. */
const explain = (error: unknown): void => {
  let current = error
  for (let depth = 0; depth < deepest && hasProperty(current, "cause"); depth++) {
    if (Schema.isSchemaError(current)) break
    current = current.cause
  }
  if (!Schema.isSchemaError(current) || Object.hasOwn(current, "message")) return
  const sentences = formatted(current.issue).issues.flatMap(({ message, path = [] }) => {
    const column = path.map((part) => (typeof part === "object" ? part.key : part)).at(-1)
    return typeof column === "string" ? (explained(message, column) ?? []) : []
  })
  if (sentences.length === 0) return
  const value = [current.message, ...new Set(sentences)].join("\n  ")
  Object.defineProperty(current, "message", { configurable: true, value, writable: true })
}

/** Explains the errors of schemas with which handlers fail. */
export const middleware = Middleware.aroundHandler("row-types", {
  build: Effect.succeed(
    () => (handler) =>
      Effect.tapCause(handler, (cause) =>
        Effect.sync(() => {
          for (const reason of cause.reasons) {
            if (Cause.isFailReason(reason)) explain(reason.error)
            else if (Cause.isDieReason(reason)) explain(reason.defect)
          }
        })
      )
  )
})
