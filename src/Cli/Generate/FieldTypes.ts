/** The types of fields: the schema of each, its column, its row, and values for tests. */
import { list } from "./Code.ts"

/** A type of fields. The texts are TypeScript, except `column`. */
export interface FieldType {
  /** The SQL type, which PostgreSQL, PGlite, MySQL and MariaDB know. */
  readonly column: string
  /** Values that the schema refuses. */
  readonly refused: ReadonlyArray<string>
  /** The schema of the column, if a row holds another value than JSON. */
  readonly row?: string
  /** Returns the schema, with the text before it on its line. */
  readonly schema: (before: string) => string
  /** Declarations and imports that the schemas use: the names of `helpers`. */
  readonly uses: ReadonlyArray<keyof typeof helpers>
  /** Two values that the schema accepts, as JSON. The second one is at a limit, if there are limits. */
  readonly values: readonly [string, string]
}

/** A declaration that schemas of fields use, in the file of the schemas or in that of the row. */
export interface Helper {
  readonly imports: ReadonlyArray<string>
  readonly text: string
}

/** The declarations that schemas of fields share. */
export const helpers = {
  isDay: {
    imports: ["effect/DateTime", "effect/Option"],
    text: `/** A day of the calendar from the year 1000 on, which every database stores. */
const isDay = Schema.makeFilter(
  (text: string) =>
    text >= "1000" &&
    Option.exists(DateTime.make(text), (day) => DateTime.formatIsoDateUtc(day) === text),
  { expected: "a day such as 2024-02-29", toJsonSchema: () => ({ format: "date" }) }
)`
  },
  isDecimal: {
    imports: ["effect/BigDecimal"],
    text: `/** A number that a column \`decimal(19, 4)\` stores unchanged. */
const isDecimal = Schema.makeFilter(
  (value: BigDecimal.BigDecimal) => {
    const { scale, value: digits } = BigDecimal.normalize(value)
    return scale <= 4 && digits.toString().replace("-", "").length - scale <= 15
  },
  { expected: "a number with at most 15 digits before the point and 4 after it" }
)`
  },
  isText: {
    imports: [],
    text: `/** Text that every database stores unchanged: without NUL and lone surrogates. */
const isText = Schema.isPattern(/^[^\\0\\ud800-\\udfff]*$/u, {
  expected: "text without NUL and lone surrogates",
  toJsonSchema: () => ({})
})`
  },
  isTimestamp: {
    imports: ["effect/DateTime"],
    text: `/** MySQL stores timestamps from 1970 to 2038. */
const isTimestamp = Schema.makeFilter(
  (at: DateTime.Utc) => {
    const seconds = DateTime.toEpochMillis(at) / 1000
    return seconds >= 1 && seconds < 2 ** 31
  },
  { expected: "a time between 1970 and 2038" }
)`
  }
} satisfies Record<string, Helper>

/** The declarations that schemas of rows share. */
export const rowHelpers = {
  DateColumn: {
    imports: ["effect/SchemaGetter"],
    text: `/** PostgreSQL returns a day as text, and MySQL as the date of its midnight in UTC. */
const DateColumn = Schema.Union([
  Schema.String,
  Schema.Date.pipe(
    Schema.decodeTo(Schema.String, {
      decode: SchemaGetter.transform((date) => date.toISOString().slice(0, 10)),
      encode: SchemaGetter.transform((day) => new Date(day))
    })
  )
])`
  },
  BooleanColumn: {
    imports: [],
    text: `/** PostgreSQL returns a boolean, and MySQL 0 or 1. */
const BooleanColumn = Schema.Union([Schema.Boolean, Schema.BooleanFromBit])`
  }
} satisfies Record<string, Helper>

/** Returns a schema with checks. */
const checked =
  (schema: string, ...checks: ReadonlyArray<string>) =>
  (before: string) =>
    checks.length === 0 ? before + schema : list(0, `${before}${schema}.check`, "(", checks)

const types = {
  boolean: {
    column: "boolean",
    refused: [`"yes"`, "1"],
    row: "BooleanColumn",
    schema: checked("Schema.Boolean"),
    uses: [],
    values: ["true", "false"]
  },
  date: {
    column: "date",
    refused: [`"2023-02-29"`, `"29.2.2024"`, "7"],
    row: "DateColumn",
    schema: checked("Schema.String", "isDay"),
    uses: ["isDay"],
    values: [`"2024-02-29"`, `"1000-01-01"`]
  },
  datetime: {
    column: "timestamp(3)",
    refused: [`"yesterday"`, `"1969-12-31T23:59:59.000Z"`, `"2038-01-19T03:14:08.000Z"`],
    row: "Schema.DateTimeUtcFromDate",
    schema: checked("Schema.DateTimeUtcFromString", "isTimestamp"),
    uses: ["isTimestamp"],
    values: [`"2024-02-29T23:59:58.123Z"`, `"2038-01-19T03:14:07.999Z"`]
  },
  decimal: {
    column: "decimal(19, 4)",
    refused: [`"12.34567"`, `"1234567890123456"`, `"much"`, "12.5"],
    schema: checked("Schema.BigDecimalFromString", "isDecimal"),
    uses: ["isDecimal"],
    values: [`"12.5"`, `"-123456789012345.6789"`]
  },
  int: {
    column: "integer",
    refused: ["1.5", "2147483648", `"7"`],
    schema: checked(
      "Schema.Int",
      "Schema.isBetween({ maximum: 2_147_483_647, minimum: -2_147_483_648 })"
    ),
    uses: [],
    values: ["7", "-2147483648"]
  },
  number: {
    column: "double precision",
    refused: [`"7"`],
    schema: checked("Schema.Finite"),
    uses: [],
    values: ["1.5", "-1e300"]
  },
  string: {
    column: "varchar(200)",
    refused: [`""`, `"x".repeat(201)`, "7"],
    schema: checked("Schema.String", "Schema.isBetweenLength(1, 200)", "isText"),
    uses: ["isText"],
    values: [`"Ada"`, `"x".repeat(200)`]
  },
  text: {
    column: "text",
    refused: [`"x".repeat(10_001)`, "7"],
    schema: checked("Schema.String", "Schema.isMaxLength(10_000)", "isText"),
    uses: ["isText"],
    values: [`"A lamp"`, `"x".repeat(10_000)`]
  },
  uuid: {
    column: "char(36)",
    refused: [`"7"`],
    schema: checked("Schema.String", "Schema.isUUID()"),
    uses: [],
    values: [`"c73bcdcc-2669-4bf6-81d3-e4ae73fb11fd"`, `"0198c0de-0000-7000-8000-000000000000"`]
  }
} satisfies Record<string, FieldType>

/** The types without arguments. */
export const plainTypes: Readonly<Record<string, FieldType>> = types

/** The names of all types, for messages. */
export const typeNames: ReadonlyArray<string> = [...Object.keys(types), "enum"].sort()

/** Creates the type of a field that has one of some values. */
export const enumOf = (values: ReadonlyArray<string>): FieldType => {
  const quoted = values.map((value) => JSON.stringify(value))
  return {
    column: "varchar(50)",
    refused: [`"x".repeat(51)`, "7"],
    schema: (before) => list(0, `${before}Schema.Literals(`, "[", quoted, ")"),
    uses: [],
    values: [quoted[0]!, quoted.at(-1)!]
  }
}
