/** The table `flange_migrations`: one row for each applied migration. */
import * as Effect from "effect/Effect"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type * as Statement from "effect/sql/Statement"
import type { Migration } from "./MigrationFiles.ts"

/** An applied migration. */
export interface Applied {
  readonly appliedAt: Date
  readonly checksum: string
  readonly id: bigint
  readonly name: string
}

/** The table in the schema of PostgreSQL, or the database of MySQL, of a client. */
export interface MigrationTable {
  /** Creates the table. A table of an earlier version gets ids of 64 bits. */
  readonly create: Effect.Effect<void, SqlError>
  /** Records a migration. */
  readonly insert: (migration: Migration, durationMs: number) => Effect.Effect<void, SqlError>
  /** Reads the applied migrations in the order of their numbers. */
  readonly read: Effect.Effect<ReadonlyArray<Applied>, SqlError>
  /** Gives an applied migration the name and the checksum of its file. */
  readonly update: (migration: Migration) => Effect.Effect<void, SqlError>
}

const quoted = (quote: string, parts: ReadonlyArray<string>): string =>
  parts.map((part) => quote + part.replaceAll(quote, quote + quote) + quote).join(".")

/**
 * Finds the place of the table. Its name is qualified, because a migration may change the
 * schema of its session.
 */
export const make = (sql: SqlClient.SqlClient): Effect.Effect<MigrationTable, SqlError> =>
  Effect.gen(function* () {
    const isMySql = sql.onDialectOrElse({ mysql: () => true, orElse: () => false })
    const [place] = yield* sql<{ readonly name: string | null }>`
      select ${sql.literal(isMySql ? "database()" : "current_schema()")} as name`
    const schema = place?.name ?? (isMySql ? "" : "public")
    const table: Statement.Fragment = sql.literal(
      quoted(isMySql ? "`" : '"', [schema, "flange_migrations"])
    )

    const idType = Effect.map(
      sql<{ readonly type: string }>`
        select data_type as type from information_schema.columns
        where table_schema = ${schema} and table_name = 'flange_migrations' and column_name = 'id'`,
      ([column]) => column?.type
    )

    const widen = sql.literal(isMySql ? "modify id bigint not null" : "alter column id type bigint")

    return {
      create: Effect.gen(function* () {
        const type = yield* idType
        if (type === undefined) {
          yield* sql`create table if not exists ${table} (
            id bigint primary key,
            name varchar(255) not null,
            checksum char(64) not null,
            duration_ms integer not null,
            applied_at timestamp not null default current_timestamp
          )`
        } else if (type !== "bigint") {
          yield* sql`alter table ${table} ${widen}`
        }
      }),
      insert: ({ checksum, id, name }, durationMs) =>
        Effect.asVoid(
          sql`insert into ${table} ${sql.insert({ checksum, duration_ms: durationMs, id, name })}`
        ),
      read: Effect.flatMap(idType, (type) =>
        type === undefined
          ? Effect.succeed([])
          : Effect.map(
              sql<Omit<Applied, "id"> & { readonly id: bigint | number }>`
                select id, name, checksum, applied_at as ${sql("appliedAt")} from ${table} order by id`,
              // A table of an earlier version has smaller ids.
              (rows) => rows.map((row) => ({ ...row, id: BigInt(row.id) }))
            )
      ),
      update: ({ checksum, id, name }) =>
        Effect.asVoid(sql`update ${table} set ${sql.update({ checksum, name })} where id = ${id}`)
    }
  })
