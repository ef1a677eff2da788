/**
 * The store in PostgreSQL, PGlite, MySQL or MariaDB.
 *
 * A key has two rows. The lease is committed before the handler runs, so that other requests see it. The
 * reply is inserted in the transaction of the handler. Its primary key lets only one attempt commit: an
 * attempt that has lost its lease rolls back. Times are those of the database.
 *
 * A lease that is released stays for a while, as one that has ended. The database may carry out a claim after
 * its release, on another connection. It finds this row, and does not insert its own.
 */
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Statement } from "effect/sql/Statement"
import * as OwnTables from "../../Plugin/OwnTables.ts"
import { type Attempt, claimed, type Found, KeyStoreError, type Store } from "./KeyStore.ts"

/** The table of the store. */
export const table = "flange_idempotency"

const pgTable = [
  `create table if not exists ${table} (id char(44) primary key, owner char(36) not null, fingerprint char(43) not null, expires_at bigint not null, reply text)`,
  `create index if not exists ${table}_expires_at on ${table} (expires_at)`
]

const mysqlTable = [
  `create table if not exists ${table} (id char(44) character set ascii collate ascii_bin primary key, owner char(36) character set ascii not null, fingerprint char(43) character set ascii collate ascii_bin not null, expires_at bigint not null, reply longtext character set utf8mb4, key ${table}_expires_at (expires_at))`
]

/** How many times a claim starts again because rows went away meanwhile. */
const maxTurns = 5

/** How many expired rows one statement removes. */
const batch = 1000

/** The owner of a lease that is released. No attempt has it, so no late statement extends the lease. */
const released = "00000000-0000-0000-0000-000000000000"

/** How long a row stays after its end, in milliseconds: longer than a statement may wait by default. */
const kept = 600_000

interface Row {
  readonly expired: number
  readonly fingerprint: string
  readonly id: string
  readonly owner: string
  readonly reply: string | null
}

const leaseOf = ({ id }: Attempt): string => `L${id}`

const replyOf = ({ id }: Attempt): string => `R${id}`

/** A store in a database, with its table. */
export interface SqlStore extends Store {
  /** Creates the table if it is not there. A role that cannot create tables finds it made. */
  readonly createTable: Effect.Effect<void, SqlError>
  /** Removes a batch of expired rows. Returns whether more may be there. */
  readonly prune: Effect.Effect<boolean, SqlError>
}

const stored = <A>(operation: string, effect: Effect.Effect<A, SqlError>) =>
  Effect.mapError(effect, (cause) => new KeyStoreError({ cause, operation }))

/** Creates the store. */
export const make = (sql: SqlClient): SqlStore => {
  const isMySql = sql.onDialectOrElse({ mysql: () => true, orElse: () => false })
  const now = sql.literal(
    isMySql
      ? "cast(unix_timestamp(sysdate(3)) * 1000 as signed)"
      : "cast(extract(epoch from clock_timestamp()) * 1000 as bigint)"
  )
  const keys = sql(table)
  const after = (millis: number) => sql`${now} + ${Math.max(1, Math.ceil(millis))}`

  const rowsOf = (attempt: Attempt) =>
    sql<Row>`select id, owner, fingerprint, reply, case when expires_at <= ${now} then 1 else 0 end as expired from ${keys} where id in (${leaseOf(attempt)}, ${replyOf(attempt)})`

  /** Returns how many rows a statement has changed. */
  const changed = (statement: Statement<unknown>): Effect.Effect<number, SqlError> =>
    isMySql
      ? Effect.map(
          statement.raw,
          // What mysql2 returns for a statement that is no query.
          (result) => (result as { readonly affectedRows: number }).affectedRows
        )
      : Effect.map(sql`${statement} returning id`, ({ length }) => length)

  /** Inserts the lease. Returns whether there was none. */
  const insert = (attempt: Attempt, lease: number) => {
    const { fingerprint, owner } = attempt
    const row = sql`(id, owner, fingerprint, expires_at) values (${leaseOf(attempt)}, ${owner}, ${fingerprint}, ${after(lease)})`
    const inserted = isMySql
      ? sql`insert ignore into ${keys} ${row}`
      : sql`insert into ${keys} ${row} on conflict do nothing`
    return Effect.map(changed(inserted), (count) => count === 1)
  }

  /** Takes a lease that has ended. It does not wait for a transaction that has the row. */
  const takeOver = (attempt: Attempt, { owner }: Row, lease: number) =>
    sql.withTransaction(
      Effect.gen(function* () {
        const id = leaseOf(attempt)
        const free =
          yield* sql`select id from ${keys} where id = ${id} and owner = ${owner} and expires_at <= ${now} for update skip locked`
        if (free.length === 0) return
        yield* sql`update ${keys} set owner = ${attempt.owner}, fingerprint = ${attempt.fingerprint}, expires_at = ${after(lease)} where id = ${id}`
      })
    )

  const claim = (
    attempt: Attempt,
    lease: number,
    turn: number,
    latest: Found
  ): Effect.Effect<Found, SqlError> =>
    turn === maxTurns
      ? Effect.succeed(latest)
      : Effect.flatMap(rowsOf(attempt), (rows): Effect.Effect<Found, SqlError> => {
          const again = (found: Found) => claim(attempt, lease, turn + 1, found)
          const reply = rows.find(({ id }) => id === replyOf(attempt))
          const running = rows.find(({ id }) => id === leaseOf(attempt))
          if (reply !== undefined) {
            if (Number(reply.expired) === 0) {
              const { fingerprint, reply: text } = reply
              return Effect.succeed({ _tag: "Done", fingerprint, reply: text ?? "" })
            }
            // The attempt that has replied is over, so its lease is too.
            const lapsed = sql`delete from ${keys} where id = ${leaseOf(attempt)} and owner = ${reply.owner}`
            const gone = sql`delete from ${keys} where id = ${replyOf(attempt)} and expires_at <= ${now}`
            return Effect.andThen(
              running?.owner === reply.owner ? Effect.andThen(lapsed, gone) : gone,
              again(latest)
            )
          }
          if (running === undefined) {
            return Effect.flatMap(insert(attempt, lease), (isMine) =>
              isMine ? Effect.succeed(claimed) : again(latest)
            )
          }
          if (running.owner === attempt.owner) return Effect.succeed(claimed)
          const busy: Found = { _tag: "Running", fingerprint: running.fingerprint }
          return Number(running.expired) === 0
            ? Effect.succeed(busy)
            : Effect.andThen(
                takeOver(attempt, running, lease),
                again(running.owner === released ? latest : busy)
              )
        })

  /** Releases the lease of an attempt, also one that is not inserted yet. */
  const release = (attempt: Attempt) => {
    const { fingerprint, owner } = attempt
    const isMine = sql`${keys}.owner = ${owner}`
    const row = sql`insert into ${keys} (id, owner, fingerprint, expires_at) values (${leaseOf(attempt)}, ${released}, ${fingerprint}, ${now})`
    return isMySql
      ? sql`${row} on duplicate key update expires_at = if(${isMine}, ${now}, expires_at), owner = if(${isMine}, ${released}, owner)`
      : sql`${row} on conflict (id) do update set expires_at = ${now}, owner = ${released} where ${isMine}`
  }

  // The time at which the statement began. With a time that goes on, the index does not limit what is read.
  const began = sql.literal(
    isMySql
      ? "cast(unix_timestamp(now(3)) * 1000 as signed)"
      : "cast(extract(epoch from statement_timestamp()) * 1000 as bigint)"
  )
  const old = sql`expires_at <= ${began} - ${sql.literal(String(kept))}`
  const expired = isMySql
    ? sql`delete from ${keys} where ${old} limit ${sql.literal(String(batch))}`
    : sql`delete from ${keys} where id in (select id from ${keys} where ${old} order by expires_at limit ${batch} for update skip locked)`

  return {
    claim: (attempt, lease) =>
      stored(
        "claim",
        claim(attempt, lease, 0, { _tag: "Running", fingerprint: attempt.fingerprint })
      ),
    complete: (attempt, reply, ttl) =>
      stored(
        "complete",
        sql`insert into ${keys} (id, owner, fingerprint, expires_at, reply) values (${replyOf(attempt)}, ${attempt.owner}, ${attempt.fingerprint}, ${after(ttl)}, ${reply})`.pipe(
          Effect.as(true),
          Effect.catch((error) =>
            error.reason._tag === "UniqueViolation" ? Effect.succeed(false) : Effect.fail(error)
          )
        )
      ),
    createTable: OwnTables.create(
      sql,
      sql`select id from ${keys} where id = ''`,
      isMySql ? mysqlTable : pgTable
    ),
    isTransactional: true,
    ping: stored("ping", sql`select id from ${keys} where id = ''`),
    prune: Effect.map(changed(expired), (count) => count >= batch),
    release: (attempt) => stored("release", release(attempt)),
    renew: (attempt, lease) =>
      stored(
        "renew",
        sql`update ${keys} set expires_at = ${after(lease)} where id = ${leaseOf(attempt)} and owner = ${attempt.owner}`
      )
  }
}
