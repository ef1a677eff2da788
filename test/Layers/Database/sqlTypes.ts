// What each SQL type is in TypeScript. The tests send these values and read them back, and the
// table of the database guide is made from them.

/** One SQL type of an engine. */
export interface SqlType {
  /** The value that is read, if it is not the one that was sent. */
  readonly read?: unknown
  /** The value that is sent as a parameter. */
  readonly sent: unknown
  /** The type as `create table` has it. */
  readonly sql: string
  /** What is read, in words for the guide. */
  readonly typescript: string
}

const at = new Date("2024-02-29T20:59:58.123Z")
const bytes = new Uint8Array([0, 1, 39, 92, 255])
const document = { list: [1, null, "a"], nested: { yes: true } }
const json = JSON.stringify(document)

/** What the tests create before they use the types of PostgreSQL. */
export const postgresTypes: ReadonlyArray<string> = [
  "create type mood as enum ('happy', 'sad, but fine')",
  "create domain percent as integer check (value between 0 and 100)",
  "create domain slug as text check (value ~ '^[a-z]+$')",
  "create type place as (name text, since timestamptz)"
]

/** The types of PostgreSQL and PGlite. */
export const postgres: ReadonlyArray<SqlType> = [
  { sent: 9_007_199_254_740_993n, sql: "bigint", typescript: "`bigint`" },
  { sent: "101", sql: "bit(3)", typescript: "`string`" },
  { sent: true, sql: "boolean", typescript: "`boolean`" },
  { sent: bytes, sql: "bytea", typescript: "`Uint8Array`" },
  { read: "ab   ", sent: "ab", sql: "char(5)", typescript: "`string`, with spaces at the end" },
  { sent: "192.168.0.0/16", sql: "cidr", typescript: "`string`" },
  { sent: "2024-02-29", sql: "date", typescript: "`string`, such as `2024-02-29`" },
  { sent: 0.1, sql: "double precision", typescript: "`number`" },
  { sent: "192.168.0.1", sql: "inet", typescript: "`string`" },
  { sent: -7, sql: "integer", typescript: "`number`" },
  { sent: [1, 2, 3], sql: "integer[]", typescript: "array of `number`" },
  { read: "[1,6)", sent: "[1,5]", sql: "int4range", typescript: "`string`" },
  {
    read: { days: 3, microseconds: 4_000_000n, months: 14 },
    sent: "1 year 2 months 3 days 4 seconds",
    sql: "interval",
    typescript: "`{ days, microseconds, months }`"
  },
  { read: document, sent: json, sql: "json", typescript: "its value" },
  { read: document, sent: json, sql: "jsonb", typescript: "its value" },
  { sent: "08:00:2b:01:02:03", sql: "macaddr", typescript: "`string`" },
  { sent: "$12.50", sql: "money", typescript: "`string`" },
  { sent: "sad, but fine", sql: "mood (an enum)", typescript: "`string`" },
  {
    read: ["sad, but fine", "happy"],
    sent: '{"sad, but fine",happy}',
    sql: "mood[] (of an enum)",
    typescript: "array of `string`"
  },
  {
    sent: "123456789012345.67890",
    sql: "numeric(20, 5)",
    typescript: "`string`, with every digit"
  },
  { sent: 50, sql: "percent (a domain)", typescript: "that of its base type" },
  { sent: [50, 100], sql: "percent[] (of a domain)", typescript: "array of that type" },
  {
    read: '("Kyoto, Japan","2024-02-29 20:59:58.123+00")',
    sent: '("Kyoto, Japan","2024-02-29 20:59:58.123+00")',
    sql: "place (a composite type)",
    typescript: "`string`"
  },
  { sent: "(1,2)", sql: "point", typescript: "`string`" },
  { sent: 0.5, sql: "real", typescript: "`number`" },
  { sent: 7, sql: "smallint", typescript: "`number`" },
  { sent: "it's 🦆", sql: "text", typescript: "`string`" },
  { sent: ["a,b", 'c"d', "🦆"], sql: "text[]", typescript: "array of `string`" },
  {
    read: 86_398_123_456n,
    sent: "23:59:58.123456",
    sql: "time",
    typescript: "`bigint`, microseconds of the day"
  },
  { sent: at, sql: "timestamp", typescript: "`Date`, in UTC" },
  { sent: at, sql: "timestamptz", typescript: "`Date`" },
  {
    read: '["2024-02-29 20:59:58.123+00",infinity)',
    sent: "[2024-03-01T05:59:58.123+09:00,infinity)",
    sql: "tstzrange",
    typescript: "`string`"
  },
  { sent: "'a':1 'b':2", sql: "tsvector", typescript: "`string`" },
  { sent: "0191b3c4-5d6e-7f80-8a9b-0c1d2e3f4a5b", sql: "uuid", typescript: "`string`" },
  { sent: "ab", sql: "varchar(20)", typescript: "`string`" },
  { sent: "<a>1</a>", sql: "xml", typescript: "`string`" }
]

/** The types of extensions, which PGlite does not have. */
export const extensions: ReadonlyArray<SqlType & { readonly extension: string }> = [
  { extension: "citext", sent: "Ab", sql: "citext", typescript: "`string`" },
  { extension: "hstore", sent: '"a"=>"1", "b"=>NULL', sql: "hstore", typescript: "`string`" },
  { extension: "ltree", sent: "a.b.c", sql: "ltree", typescript: "`string`" }
]

/** The types of MySQL and MariaDB. */
export const mysql: ReadonlyArray<SqlType> = [
  { sent: 9_007_199_254_740_993n, sql: "bigint", typescript: "`bigint`" },
  { sent: 18_446_744_073_709_551_615n, sql: "bigint unsigned", typescript: "`bigint`" },
  { sent: new Uint8Array([1, 2, 3]), sql: "binary(3)", typescript: "`Uint8Array`" },
  { read: new Uint8Array([5]), sent: 5, sql: "bit(3)", typescript: "`Uint8Array`" },
  { sent: bytes, sql: "blob", typescript: "`Uint8Array`" },
  { read: 1, sent: true, sql: "boolean", typescript: "`number`, 0 or 1" },
  { sent: "ab", sql: "char(5)", typescript: "`string`" },
  {
    read: new Date("2024-02-29T00:00:00Z"),
    sent: "2024-02-29",
    sql: "date",
    typescript: "`Date`, midnight in UTC"
  },
  { sent: at, sql: "datetime(3)", typescript: "`Date`, in UTC" },
  {
    sent: "123456789012345.67890",
    sql: "decimal(20, 5)",
    typescript: "`string`, with every digit"
  },
  { sent: 0.1, sql: "double", typescript: "`number`" },
  { sent: "sad", sql: "enum('happy', 'sad')", typescript: "`string`" },
  { sent: 0.5, sql: "float", typescript: "`number`" },
  { sent: -7, sql: "int", typescript: "`number`" },
  { read: document, sent: json, sql: "json", typescript: "its value" },
  { sent: 70_000, sql: "mediumint", typescript: "`number`" },
  { sent: "a,c", sql: "set('a', 'b', 'c')", typescript: "`string`" },
  { sent: 7, sql: "smallint", typescript: "`number`" },
  { sent: "it's 🦆", sql: "text", typescript: "`string`" },
  { sent: "23:59:58", sql: "time", typescript: "`string`" },
  { sent: at, sql: "timestamp(3)", typescript: "`Date`" },
  { sent: 7, sql: "tinyint", typescript: "`number`" },
  { sent: bytes, sql: "varbinary(20)", typescript: "`Uint8Array`" },
  { sent: "ab", sql: "varchar(20)", typescript: "`string`" },
  { sent: 2024, sql: "year", typescript: "`number`" }
]
