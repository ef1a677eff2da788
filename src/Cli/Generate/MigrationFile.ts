/** The file of a migration that creates a table. */
import { article, file } from "./Code.ts"
import type { Field } from "./Fields.ts"
import type { Name, Names } from "./Names.ts"
import * as SqlWords from "./SqlWords.ts"

/** A file below the folder of the migrations. */
export interface Migration {
  readonly extension: "sql" | "ts"
  readonly text: string
}

/** The columns, with the names as `quote` writes them. */
const createTable = (
  { plural }: Names,
  fields: ReadonlyArray<Field>,
  quote: (name: string) => string
): ReadonlyArray<string> => {
  // Without `null`, a timestamp of an old MariaDB is `not null`.
  const columns = fields.map(
    ({ column, isOptional, type }) =>
      `${quote(column)} ${type.column} ${isOptional ? "null" : "not null"}`
  )
  return [
    `create table ${quote(plural.snake)} (`,
    ...["id char(36) primary key", ...columns, "created_at timestamp(3) not null"].map(
      (column, at) => `  ${column}${at <= columns.length ? "," : ""}`
    ),
    ")"
  ]
}

/**
 * Returns the migration of a table. It is SQL, or TypeScript if a name is a word of SQL: databases
 * quote names in different ways.
 */
export const make = (names: Names, fields: ReadonlyArray<Field>): Migration => {
  const needsQuotes = [names.plural.snake, ...fields.map(({ column }) => column)].some(SqlWords.has)
  if (!needsQuotes) {
    const lines = createTable(names, fields, (name) => name)
    return {
      extension: "sql",
      text: `-- Understood by PostgreSQL, PGlite, MySQL and MariaDB alike.\n${lines.join("\n")};\n`
    }
  }
  const quote = (name: string) => (SqlWords.has(name) ? `\${sql("${name}")}` : name)
  return {
    extension: "ts",
    text: file([
      `/** Creates the table of ${article(names.singular.words)}. \`sql(...)\` quotes the names that are words of SQL. */
import * as Effect from "effect/Effect"
import { SqlClient } from "effect/sql/SqlClient"`,
      `export default Effect.gen(function* () {
  const sql = yield* SqlClient
  yield* sql\`
    ${createTable(names, fields, quote).join("\n    ")}\`
})`
    ])
  }
}

/** Returns the text of a migration without statements. */
export const empty = ({ words }: Name, isModule: boolean): string =>
  isModule
    ? file([
        `/** The migration "${words}". Its transaction is rolled back if it fails. */
import * as Effect from "effect/Effect"
import { SqlClient } from "effect/sql/SqlClient"`,
        `export default Effect.gen(function* () {
  const sql = yield* SqlClient
  yield* sql\`select 1\`
})`
      ])
    : `-- The migration "${words}". MySQL commits each create and alter: write one of them in a file.\n`
