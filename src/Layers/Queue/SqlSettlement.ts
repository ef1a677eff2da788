/** How the store in PostgreSQL or PGlite settles claims. */
import type { SqlClient } from "effect/sql/SqlClient"
import type { Fragment, Statement } from "effect/sql/Statement"
import type { Outcome, Settlement } from "./QueueStore.ts"
import { timeOf } from "./SqlRows.ts"
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

/**
 * Returns a function that returns the statement that settles claims. Its rows are the items whose claims were
 * not lost. `told` is an expression that tells other processes.
 */
export const make = (sql: SqlClient) => {
  const items = sql(SqlTables.tables.items)
  const now = timeOf(sql)

  /** Finds the row of each claim of `e` that was not lost. */
  const claimed = (queue: string) =>
    sql`cross join lateral (select keep, sequence from ${items} where queue = ${queue} and id = e.id and token = e.token offset 0) i`

  /** Stores successes without a result. */
  const plain = (queue: string, settlements: ReadonlyArray<Settlement>) =>
    sql<{ readonly id: string }>`
      with ended as (
        select e.token, i.keep, i.sequence from unnest(${settlements.map(({ id }) => id)}::text[], ${settlements.map(({ token }) => token)}::text[]) as e (id, token)
        ${claimed(queue)}
      ), removed as (
        delete from ${items} where token = any(array(select distinct token from ended))
          and sequence = any(array(select sequence from ended where not keep)) returning id
      ), kept as (
        update ${items} set state = 'completed', result = null, token = null, updated_at = ${now}, wake_at = null
        where token = any(array(select distinct token from ended))
          and sequence = any(array(select sequence from ended where keep)) returning id
      )
      select id from removed union all select id from kept`

  const every = (
    queue: string,
    settlements: ReadonlyArray<Settlement>,
    told: Fragment | undefined
  ) => {
    const outcomes = settlements.map(({ outcome }) => columnsOf(outcome))
    return sql<{ readonly id: string }>`
      with ended as (
        select e.*, i.keep, i.sequence from unnest(
          ${settlements.map(({ id }) => id)}::text[], ${settlements.map(({ token }) => token)}::text[], ${settlements.map(({ outcome }) => outcome._tag)}::text[],
          ${outcomes.map(([delay]) => String(delay))}::text[], ${outcomes.map(([, text]) => text ?? "")}::text[]
        ) as e (id, token, outcome, delay, text)
        ${claimed(queue)}
      ), removed as (
        delete from ${items} where token = any(array(select token from ended))
          and sequence = any(array(select sequence from ended where outcome = 'Completed' and not keep)) returning id
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
          and i.sequence = any(array(select sequence from ended where outcome <> 'Completed' or keep)) returning i.id
      )
      ${told === undefined ? sql.literal("") : sql`, told as (select ${told})`}
      select id, ${sql.literal(told === undefined ? "0" : "(select count(*) from told)")} as told from removed
      union all select id, 0 from moved`
  }

  return (
    queue: string,
    settlements: ReadonlyArray<Settlement>,
    told: Fragment | undefined
  ): Statement<{ readonly id: string }> =>
    settlements.every(isPlain) ? plain(queue, settlements) : every(queue, settlements, told)
}
