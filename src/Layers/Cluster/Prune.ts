/**
 * Removes messages that are finished. Effect keeps each message and its replies for ever.
 *
 * The activities of a workflow are messages whose replies let it continue after a crash. So all messages of
 * a workflow are kept until it has ended, and those of a child until its parent has gone.
 */
import * as Clock from "effect/Clock"
import * as Snowflake from "effect/cluster/Snowflake"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"

/** How many messages or workflows one statement removes. */
const batch = 500

/** The key in the payload of a child workflow that names its parent. */
const parentKey = "~effect/cluster/ClusterWorkflowEngine/payloadParentKey"

/** Returns an effect that removes one batch of finished messages. It returns whether there may be more. */
export const make = (
  sql: SqlClient,
  prefix: string,
  retention: Duration.Duration
): Effect.Effect<boolean, SqlError> => {
  const messages = sql(`${prefix}_messages`)
  const replies = sql(`${prefix}_replies`)
  // JSON of PostgreSQL has no NUL and no half of a surrogate pair, which the payload of a caller may have. A text
  // without escaped characters has the parent too.
  const parent = sql`regexp_replace(replace(m.payload, ${"\\\\"}, ''), ${"\\\\u[0-9a-fA-F]{4}"}, '', 'g')::jsonb -> ${parentKey}::text`
  const isWorkflow = sql.literal("m.entity_type like 'Workflow/%'")

  const removed = (ids: Effect.Effect<ReadonlyArray<{ readonly id: string }>, SqlError>) =>
    Effect.flatMap(ids, (rows) =>
      rows.length === 0
        ? Effect.succeed(0)
        : Effect.gen(function* () {
            const all = rows.map(({ id }) => id)
            yield* sql`delete from ${replies} where request_id in ${sql.in(all)}`
            yield* sql`delete from ${messages} where id in ${sql.in(all)}`
            return all.length
          })
    )

  /** Ids of snowflakes begin with their time. */
  const before = Effect.map(Clock.currentTimeMillis, (now) =>
    String(
      Snowflake.make({
        machineId: 0 as never, // any machine: only the time is compared
        sequence: 0,
        timestamp: Math.max(Snowflake.constEpochMillis, now - Duration.toMillis(retention))
      })
    )
  )

  return sql.withTransaction(
    Effect.gen(function* () {
      const limit = yield* before
      const plain = yield* removed(
        sql<{ id: string }>`select m.id::text as id from ${messages} m
          where m.processed and not ${isWorkflow}
          and (m.kind <> 0 and m.id < ${limit}::bigint
            or exists (select 1 from ${replies} r where r.request_id = m.id and r.kind = 0 and r.id < ${limit}::bigint))
          order by m.id limit ${batch} for update of m skip locked`
      )
      const ended = yield* removed(
        sql<{ id: string }>`with ended as (
            select m.entity_type, m.entity_id from ${messages} m
            join ${replies} r on r.request_id = m.id and r.kind = 0
            where ${isWorkflow} and m.tag = 'run' and m.processed
            and r.id < ${limit}::bigint and r.payload not like '%"_tag":"Suspended"%'
            and not exists (select 1 from ${messages} o where o.entity_type = m.entity_type
              and o.entity_id = m.entity_id and not o.processed)
            and not exists (select 1 from ${messages} p
              where p.entity_type = 'Workflow/' || (${parent} ->> 'workflowName')
              and p.entity_id = ${parent} ->> 'executionId')
            order by m.id limit ${batch}
          )
          select m.id::text as id from ${messages} m
          join ended e on e.entity_type = m.entity_type and e.entity_id = m.entity_id
          for update of m skip locked`
      )
      return plain >= batch || ended >= batch
    })
  )
}
