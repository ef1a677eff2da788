/**
 * The log of events in PostgreSQL, PGlite, MySQL or MariaDB.
 *
 * An append takes its sequence from the row of its topic, and so holds the lock of that row until its
 * transaction ends. The next append of the topic waits for it. Sequences are therefore committed in their
 * order, and have no gap: a reader never passes an event that is committed later. A transaction that is rolled
 * back gives its sequence back.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import type { SqlClient, TransactionConnection } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as Deadlocks from "../../Plugin/Deadlocks.ts"
import * as OwnTables from "../../Plugin/OwnTables.ts"
import {
  type Backend,
  type Bounds,
  type Entry,
  EventLogError,
  nothing,
  Watchers
} from "./EventLogBackend.ts"
import * as EventLogNotifications from "./EventLogNotifications.ts"

/** The table of the events, and the table of their topics. */
export const tables = { events: "flange_events", topics: "flange_event_topics" }

const { events: eventTable, topics: topicTable } = tables

const pgTables = [
  `create table if not exists ${topicTable} (topic varchar(200) primary key, generation bigint not null, last_sequence bigint not null)`,
  `create table if not exists ${eventTable} (topic varchar(200) not null, sequence bigint not null, event varchar(64) not null, data text not null, created_at bigint not null, primary key (topic, sequence))`,
  `create index if not exists ${eventTable}_created_at on ${eventTable} (created_at)`
]

const ascii = "character set ascii collate ascii_bin"

const mysqlTables = [
  `create table if not exists ${topicTable} (topic varchar(200) ${ascii} primary key, generation bigint not null, last_sequence bigint not null)`,
  `create table if not exists ${eventTable} (topic varchar(200) ${ascii} not null, sequence bigint not null, event varchar(64) ${ascii} not null, data longtext character set utf8mb4 not null, created_at bigint not null, primary key (topic, sequence), key ${eventTable}_created_at (created_at))`
]

/** How many topics one statement asks for. */
const batch = 500

/** How many old events one statement removes. */
const mostRemoved = 1000

/** How often replicas look for old events, on average, in milliseconds. */
const pruneInterval = 60_000

interface Head {
  readonly generation: bigint | number | string
  readonly last: bigint | number | string
}

/** A log in a database, with its tables. */
export interface SqlLog extends Backend {
  /** Creates the tables if they are not there. A role that cannot create tables finds them made. */
  readonly createTables: Effect.Effect<void, SqlError>
  /** Removes old events. Returns whether more may be there. */
  readonly prune: Effect.Effect<boolean, SqlError>
  /** Looks for new events and removes old ones, until the scope closes. */
  readonly start: Effect.Effect<void, never, Scope.Scope>
}

const stored = <A>(operation: string, effect: Effect.Effect<A, SqlError>) =>
  Effect.mapError(effect, (cause) => new EventLogError({ cause, operation }))

/** Creates the log. `pollInterval` is in milliseconds. */
export const make = (
  sql: SqlClient,
  { maxAge, maxEvents }: Bounds,
  pollInterval: number
): SqlLog => {
  const isMySql = sql.onDialectOrElse({ mysql: () => true, orElse: () => false })
  const now = sql.literal(
    isMySql
      ? "cast(unix_timestamp(sysdate(3)) * 1000 as signed)"
      : "cast(extract(epoch from clock_timestamp()) * 1000 as bigint)"
  )
  const events = sql(eventTable)
  const topics = sql(topicTable)
  const watchers = new Watchers()
  /** The topics that are removed in part together, so that not each append does it. */
  const step = Math.max(1, Math.ceil(maxEvents / 10))

  const retrying = Deadlocks.retrying(sql)

  /** Adds an event in one statement, which holds the lock of the topic's row until its transaction ends. */
  const appendPg = (topic: string, event: string, data: string) =>
    sql<Head>`
      with head as (
        insert into ${topics} (topic, generation, last_sequence) values (${topic}, ${now}, 1)
        on conflict (topic) do update set last_sequence = ${topics}.last_sequence + 1
        returning generation, last_sequence
      ), added as (
        insert into ${events} (topic, sequence, event, data, created_at)
        select ${topic}::varchar, last_sequence, ${event}::varchar, ${data}::text, ${now} from head
      )
      select generation, last_sequence as last, pg_notify(${EventLogNotifications.channel}, ${topic}) from head`

  const appendMySql = (topic: string, event: string, data: string) =>
    sql.withTransaction(
      Effect.gen(function* () {
        // This transaction, or that of the request around it, holds the lock of the row until it ends.
        yield* sql`insert into ${topics} (topic, generation, last_sequence) values (${topic}, ${now}, 1) on duplicate key update last_sequence = last_sequence + 1`
        const heads =
          yield* sql<Head>`select generation, last_sequence as last from ${topics} where topic = ${topic}`
        yield* sql`insert into ${events} (topic, sequence, event, data, created_at) values (${topic}, ${heads[0]!.last}, ${event}, ${data}, ${now})`
        return heads
      })
    )

  const append: Backend["append"] = (topic, event, data) =>
    stored(
      "append",
      Effect.gen(function* () {
        const adding = isMySql ? appendMySql(topic, event, data) : appendPg(topic, event, data)
        const [head] = yield* retrying(adding)
        const generation = Number(head!.generation)
        const sequence = Number(head!.last)
        if (sequence > maxEvents && sequence % step === 0) {
          yield* sql`delete from ${events} where topic = ${topic} and sequence <= ${sequence - maxEvents}`
        }
        yield* sql.afterCommit(Effect.sync(() => watchers.wake(topic)))
        return { generation, sequence }
      })
    )

  interface Row extends Head {
    readonly data: string | null
    readonly event: string
    readonly first: bigint | number | string
    readonly sequence: bigint | number | string
  }

  /** Runs a read outside of the transaction of its caller, which may have ended when it is repeated. */
  const outside = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.updateContext(
      effect,
      (context: Context.Context<never>) =>
        // No effect here requires a transaction, so removing it does not change the type.
        Context.omit(sql.transactionService)(
          context as Context.Context<TransactionConnection>
        ) as Context.Context<never>
    )

  const page: Backend["page"] = (topic, after, limit) =>
    stored(
      "read",
      Effect.gen(function* () {
        // One statement has one view of the tables.
        const rows = yield* sql<Row>`
          select h.generation, h.last_sequence as last,
            coalesce((select min(m.sequence) from ${events} m where m.topic = ${topic}), h.last_sequence + 1) as first,
            e.sequence, e.event, e.data
          from ${topics} h left join (
            select topic, sequence, event, data from ${events} where topic = ${topic} and sequence > ${after} order by sequence limit ${sql.literal(String(limit))}
          ) e on e.topic = h.topic
          where h.topic = ${topic} order by e.sequence`
        const [head] = rows
        if (head === undefined) return nothing
        const entries: Array<Entry> = []
        for (const { data, event, sequence } of rows) {
          if (data !== null) entries.push({ data, event, sequence: Number(sequence) })
        }
        return {
          entries,
          first: Number(head.first),
          generation: Number(head.generation),
          last: Number(head.last)
        }
      }).pipe(outside)
    )

  /** The last sequence of each topic that is watched. */
  let seen = new Map<string, string>()

  /** Wakes the watchers of the topics that have changed. */
  const poll = Effect.gen(function* () {
    const watched = [...watchers.topics]
    const found = new Map<string, string>()
    for (let i = 0; i < watched.length; i += batch) {
      const rows = yield* sql<Head & { readonly topic: string }>`
        select topic, generation, last_sequence as last from ${topics} where ${sql.in("topic", watched.slice(i, i + batch))}`
      for (const { generation, last, topic } of rows) {
        const mark = `${generation}-${last}`
        found.set(topic, mark)
        if (seen.get(topic) !== mark) watchers.wake(topic)
      }
    }
    seen = found
  })

  const prune = Effect.gen(function* () {
    const old = sql`created_at < ${now} - ${Math.ceil(maxAge)}`
    const rows = isMySql
      ? yield* Effect.map(
          sql`delete from ${events} where ${old} limit ${sql.literal(String(mostRemoved))}`.raw,
          // What mysql2 returns for a statement that is no query.
          (result) => (result as { readonly affectedRows: number }).affectedRows
        )
      : (yield* sql`delete from ${events} where (topic, sequence) in (select topic, sequence from ${events} where ${old} limit ${sql.literal(String(mostRemoved))}) returning sequence`)
          .length
    return rows >= mostRemoved
  })

  const pruned: Effect.Effect<void, SqlError> = Effect.flatMap(prune, (isMore) =>
    isMore ? Effect.andThen(Effect.sleep(100), pruned) : Effect.void
  )

  return {
    append,
    createTables: OwnTables.create(
      sql,
      sql`select topic from ${topics} where topic = ''`,
      isMySql ? mysqlTables : pgTables
    ),
    page,
    ping: stored("ping", Effect.asVoid(sql`select topic from ${topics} where topic = ''`)),
    prune,
    start: Effect.gen(function* () {
      const lost = Latch.makeUnsafe(false)
      const isListening = yield* EventLogNotifications.listen(sql, watchers, () =>
        lost.openUnsafe()
      )
      const wait = Effect.suspend(() => {
        lost.closeUnsafe()
        if (!isListening()) return Effect.sleep(pollInterval)
        const patience = Math.max(pollInterval, EventLogNotifications.pollInterval)
        return Effect.raceFirst(Effect.sleep(patience), lost.await)
      })
      yield* Effect.forkScoped(
        Effect.forever(Effect.andThen(wait, EventLogNotifications.warned(poll, "look for events")))
      )
      const pause = Effect.flatMap(Random.nextBetween(0.5, 1.5), (jitter) =>
        Effect.sleep(pruneInterval * jitter)
      )
      yield* Effect.forkScoped(
        Effect.forever(
          Effect.andThen(pause, EventLogNotifications.warned(pruned, "remove old events"))
        )
      )
    }),
    watch: (topic, wake) =>
      Effect.asVoid(
        Effect.acquireRelease(
          Effect.sync(() => watchers.add(topic, wake)),
          (remove) => Effect.sync(remove)
        )
      )
  }
}
