/** How the store in PostgreSQL or PGlite settles claims. */
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Fragment } from "effect/sql/Statement"
import type { Outcome, Settlement } from "./QueueStore.ts"
import { type ClaimedRow, claimedRow, type Numeric, timeOf } from "./SqlRows.ts"
import * as SqlTables from "./SqlTables.ts"

/** Returns the delay and the text of an outcome, as columns. */
const columnsOf = (outcome: Outcome): readonly [delay: number, text: string | null] => {
  switch (outcome._tag) {
    case "Completed":
      return [0, outcome.result ?? null]
    case "Dead":
      return [0, outcome.failure]
    case "Released":
      return [0, null]
    case "Retry":
      return [Math.max(0, Math.ceil(outcome.delay)), outcome.failure]
  }
}

const isPlain = ({ outcome }: Settlement): boolean =>
  outcome._tag === "Completed" && outcome.result === undefined

/** A row whose claim was not lost. */
interface Settled {
  readonly sequence: Numeric
}

/**
 * Returns a function that settles claims. It returns the sequences of those that were not lost. `told` is an
 * expression that tells other processes.
 */
export const make = (sql: SqlClient) => {
  const items = sql(SqlTables.tables.items)
  const now = timeOf(sql)

  /** Stores successes without a result. All rows belong to one claim. */
  const plain = (claim: string, rows: ReadonlyArray<ClaimedRow>) => {
    const own = sql`sequence = any(${rows.map(({ sequence }) => sequence)}::bigint[]) and token = ${claim}`
    return sql<Settled>`
      with removed as (delete from ${items} where ${own} and not keep returning sequence),
      kept as (
        update ${items} set state = 'completed', result = null, token = null, updated_at = ${now}, wake_at = null
        where ${own} and keep returning sequence
      )
      select sequence from removed union all select sequence from kept`
  }

  const every = (settlements: ReadonlyArray<Settlement>, told: Fragment | undefined) => {
    const rows = settlements.map(({ token }) => claimedRow(token))
    const outcomes = settlements.map(({ outcome }) => columnsOf(outcome))
    return sql<Settled>`
      with ended as (
        select e.*, i.keep from unnest(
          ${rows.map(({ sequence }) => sequence)}::bigint[], ${rows.map(({ claim }) => claim)}::text[], ${settlements.map(({ outcome }) => outcome._tag)}::text[],
          ${outcomes.map(([delay]) => String(delay))}::text[], ${outcomes.map(([, text]) => text ?? "")}::text[]
        ) as e (sequence, token, outcome, delay, text)
        cross join lateral (select keep from ${items} where sequence = e.sequence and token = e.token offset 0) i
      ), removed as (
        delete from ${items} where token = any(array(select token from ended))
          and sequence = any(array(select sequence from ended where outcome = 'Completed' and not keep)) returning sequence
      ), moved as (
        update ${items} i set
          state = case e.outcome when 'Completed' then 'completed' when 'Dead' then 'dead' when 'Released' then 'waiting'
            else case when e.delay::bigint > 0 then 'delayed' else 'waiting' end end,
          attempts = i.attempts - case e.outcome when 'Released' then 1 else 0 end,
          due_at = case e.outcome when 'Retry' then ${now} + e.delay::bigint else i.due_at end,
          failure = case when e.outcome in ('Dead', 'Retry') then e.text else i.failure end,
          result = case e.outcome when 'Completed' then nullif(e.text, '') else i.result end,
          token = null, updated_at = ${now},
          wake_at = case when e.outcome = 'Retry' and e.delay::bigint > 0 then ${now} + e.delay::bigint end
        from ended e where i.token = e.token and i.sequence = e.sequence
          and i.sequence = any(array(select sequence from ended where outcome <> 'Completed' or keep)) returning i.sequence
      )
      ${told === undefined ? sql.literal("") : sql`, told as (select ${told})`}
      select sequence, ${sql.literal(told === undefined ? "0" : "(select count(*) from told)")} as told from removed
      union all select sequence, 0 from moved`
  }

  return (
    settlements: ReadonlyArray<Settlement>,
    told: Fragment | undefined
  ): Effect.Effect<ReadonlySet<string>, SqlError> => {
    const rows = settlements.map(({ token }) => claimedRow(token))
    const { claim } = rows[0]!
    const isOne = settlements.every(isPlain) && rows.every((row) => row.claim === claim)
    return Effect.map(
      isOne ? plain(claim, rows) : every(settlements, told),
      (settled) => new Set(settled.map(({ sequence }) => String(sequence)))
    )
  }
}
