/** The rows of the store in a database, and its statements that read. */
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Statement } from "effect/sql/Statement"
import {
  type Item,
  QueueStoreError,
  type State,
  states,
  type Stats,
  type Store
} from "./QueueStore.ts"
import { tables } from "./SqlTables.ts"

/** A number as drivers return it. */
export type Numeric = bigint | number | string

/** The columns of an item. */
export interface Row {
  readonly attempts: Numeric
  readonly created_at: Numeric
  readonly due_at: Numeric
  readonly element: string
  readonly failure: string | null
  readonly id: string
  readonly priority: Numeric
  readonly result: string | null
  readonly sequence: Numeric
  readonly state: State
  readonly tenant: string
  readonly updated_at: Numeric
}

const itemOf = (row: Row): Item => ({
  attempts: Number(row.attempts),
  createdAt: Number(row.created_at),
  dueAt: Number(row.due_at),
  element: row.element,
  failure: row.failure ?? undefined,
  id: row.id,
  priority: Number(row.priority),
  result: row.result ?? undefined,
  state: row.state,
  tenant: row.tenant,
  updatedAt: Number(row.updated_at)
})

/** The sequence of a claimed row, and the token in its column. */
export interface ClaimedRow {
  readonly claim: string
  readonly sequence: string
}

/** Returns the token of a claimed item, by which its row is found without another index. */
export const tokenOf = (sequence: Numeric, claim: string): string => `${sequence}.${claim}`

/** Reads a token. Returns the sequence 0, which no row has, for a text that is no token. */
export const claimedRow = (token: string): ClaimedRow => {
  const [, sequence = "0", claim = ""] = /^(\d{1,18})\.(.*)$/s.exec(token) ?? []
  return { claim, sequence }
}

/** Returns the texts that PostgreSQL can keep: no item has an id with a NUL character. */
export const storable = (ids: ReadonlyArray<string>): Array<string> =>
  ids.filter((id) => !id.includes("\0"))

/** Turns an error of the database into one of the store. */
export const stored = <A, R>(
  operation: string,
  effect: Effect.Effect<A, SqlError, R>
): Effect.Effect<A, QueueStoreError, R> =>
  Effect.mapError(effect, (cause) => new QueueStoreError({ cause, operation }))

/** Returns the expression of the time of the database. */
export const timeOf = (sql: SqlClient) =>
  sql.literal("cast(extract(epoch from clock_timestamp()) * 1000 as bigint)")

/** Returns how many rows a statement has changed. */
export const changed = (
  sql: SqlClient,
  statement: Statement<unknown>
): Effect.Effect<number, SqlError> =>
  Effect.map(sql`${statement} returning 1`, ({ length }) => length)

/** The most items of a state that are counted. The time of an exact count would grow with the queue. */
export const maxCount = 100_000

/** The methods of a store that read. `most` items of a state are counted. */
export const reading = (
  sql: SqlClient,
  most = maxCount
): Pick<Store, "get" | "list" | "ping" | "queues" | "stats"> => {
  const items = sql(tables.items)
  const now = timeOf(sql)
  const columns = sql.literal(
    "sequence, id, state, tenant, priority, attempts, created_at, due_at, updated_at, element, result, failure"
  )
  return {
    get: (queue, id) =>
      stored(
        "get",
        Effect.map(
          sql<Row>`select ${columns} from ${items} where queue = ${queue} and id = any(${storable([id])}::text[])`,
          ([row]) => (row === undefined ? undefined : itemOf(row))
        )
      ),
    list: (queue, { after = "0", limit, state }) =>
      stored(
        "list",
        Effect.map(
          sql<Row>`select ${columns} from ${items} where queue = ${queue} and state = ${state} and sequence > ${Number(after)} order by sequence limit ${sql.literal(String(Math.trunc(limit) + 1))}`,
          (rows) => {
            const part = rows.slice(0, limit)
            return {
              items: part.map(itemOf),
              next: rows.length > limit ? String(part.at(-1)!.sequence) : undefined
            }
          }
        )
      ),
    ping: stored("ping", Effect.asVoid(sql`select id from ${items} where queue = '' and id = ''`)),
    queues: stored(
      "list queues",
      Effect.map(
        // Reads one entry of the index for each queue.
        sql<{
          readonly queue: string | null
        }>`with recursive names as (select min(queue) as queue from ${items} union all select (select min(i.queue) from ${items} i where i.queue > n.queue) from names n where n.queue is not null) select queue from names where queue is not null union select queue from ${sql(tables.queues)} where paused`,
        (rows) => rows.flatMap(({ queue }) => queue ?? []).sort()
      )
    ),
    stats: (queue) => {
      // The longest wait is that of the items that are claimed first.
      const counted = states.map(
        (state) =>
          sql`select ${state} as state, count(*) as count, ${now} - min(due_at) as oldest from (select due_at from ${items} where queue = ${queue} and state = ${sql.literal(`'${state}'`)} ${sql.literal(state === "waiting" ? "order by tenant, priority desc, sequence" : "")} limit ${sql.literal(String(most + 1))}) counted`
      )
      const paused = sql`select 'paused' as state, count(*) as count, null as oldest from ${sql(tables.queues)} where queue = ${queue} and paused`
      return stored(
        "count",
        Effect.map(
          sql<{
            readonly count: Numeric
            readonly oldest: Numeric | null
            readonly state: "paused" | State
          }>`${sql.join(" union all ", false)([...counted, paused])}`,
          (rows): Stats => {
            const row = (state: "paused" | State) => rows.find((row) => row.state === state)
            const found = (state: "paused" | State) => Number(row(state)?.count ?? 0)
            const count = (state: State) => Math.min(found(state), most)
            const capped = states.filter((state) => found(state) > most)
            return {
              ...(capped.length > 0 && { capped }),
              completed: count("completed"),
              dead: count("dead"),
              delayed: count("delayed"),
              oldestWaiting: Math.max(0, Number(row("waiting")?.oldest ?? 0)),
              paused: found("paused") > 0,
              running: count("running"),
              waiting: count("waiting")
            }
          }
        )
      )
    }
  }
}
