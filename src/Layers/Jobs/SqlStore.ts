/**
 * Runs in PostgreSQL or PGlite.
 *
 * A claim holds a lock of its job until it commits. It refuses a due time that is not after the newest
 * claimed one, so that a process that was paused cannot run one again, even after its row was pruned. It also
 * refuses one that is later than the clock of the database, which would stop the job until then. Leases are
 * times of the database.
 */
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as OwnTables from "../../Plugin/OwnTables.ts"
import { JobStoreError } from "./JobsErrors.ts"
import { type Keep, lease, type Run, type RunStatus, type RunStore } from "./RunStore.ts"

/** How many milliseconds before its due time by the clock of the database a run may be claimed. */
const earliest = 1000

/** The table of the store. */
export const table = "flange_job_runs"

const statements = [
  `create table if not exists ${table} (id char(36) primary key, app varchar(200) not null, job varchar(100) not null, due_at bigint not null, trigger varchar(10) not null, status varchar(10) not null, owner char(36) not null, attempt integer not null, lease_until bigint not null, started_at bigint not null, ended_at bigint, error text, unique (app, job, due_at, trigger))`,
  `create index if not exists ${table}_running on ${table} (app, lease_until) where status in ('running', 'released')`
]

interface Row {
  readonly attempt: number
  readonly due_at: number | string
  readonly ended_at: number | string | null
  readonly error: string | null
  readonly id: string
  readonly job: string
  readonly owner: string
  readonly started_at: number | string
  readonly status: RunStatus
  readonly trigger: Run["trigger"]
}

const runOf = (row: Row): Run => ({
  attempt: row.attempt,
  dueAt: Number(row.due_at),
  endedAt: row.ended_at === null ? undefined : Number(row.ended_at),
  error: row.error ?? undefined,
  id: row.id,
  job: row.job,
  owner: row.owner,
  startedAt: Number(row.started_at),
  status: row.status,
  trigger: row.trigger
})

const stored = <A>(operation: string, effect: Effect.Effect<A, SqlError>) =>
  Effect.mapError(effect, (cause) => new JobStoreError({ cause, operation }))

/** Creates the table if it is not there. */
export const createTable = (sql: SqlClient): Effect.Effect<void, SqlError> =>
  OwnTables.create(sql, sql`select id from ${sql(table)} where id = ''`, statements)

/** Creates the store of one process. Apps with different ids share the table and no run. */
export const make = (sql: SqlClient, app: string, owner: string, keep: Keep): RunStore => {
  const runs = sql(table)
  const now = sql.literal("cast(extract(epoch from clock_timestamp()) * 1000 as bigint)")
  const until = sql`${now} + ${lease}::bigint`
  const isOf = (job: string) => sql`app = ${app} and job = ${job}`

  const claim: RunStore["claim"] = ({
    dueAt,
    id,
    isEarlyAllowed,
    job,
    now: at,
    overlap,
    trigger
  }) =>
    stored(
      "claim",
      sql.withTransaction(
        Effect.gen(function* () {
          yield* sql`select pg_advisory_xact_lock(hashtextextended(${`${table}:${app}:${job}`}, 0))`
          const [found] = yield* sql<{ is_early: boolean; later: number | string | null }>`
            select ${dueAt}::bigint > ${now} + ${earliest}::bigint as is_early,
              (select max(due_at) from ${runs} where ${isOf(job)} and trigger = ${trigger} and due_at >= ${dueAt}) as later`
          const later = found?.later ?? undefined
          if (trigger === "schedule") {
            if (later !== undefined) return "taken"
            if (found?.is_early === true && !isEarlyAllowed) return "early"
          }
          const busy =
            yield* sql`select id from ${runs} where ${isOf(job)} and status in ('running', 'released')`
          const isBusy = busy.length > 0 && overlap !== "cancel"
          if (isBusy && (overlap === "queue" || trigger === "manual")) return "busy"
          if (!isBusy && busy.length > 0) {
            yield* sql`update ${runs} set status = 'cancelled', ended_at = ${at} where ${isOf(job)} and status in ('running', 'released')`
          }
          yield* sql`insert into ${runs} (id, app, job, due_at, trigger, status, owner, attempt, lease_until, started_at, ended_at)
            values (${id}, ${app}, ${job}, ${later === undefined ? dueAt : Number(later) + 1}, ${trigger}, ${isBusy ? "skipped" : "running"}, ${owner}, 1, ${until}, ${at}, ${isBusy ? at : null})`
          return isBusy ? "busy" : "claimed"
        })
      )
    )

  return {
    claim,
    end: (id, { error, now: at, status }) =>
      stored(
        "end",
        Effect.map(
          sql`update ${runs} set status = ${status}, ended_at = ${at}, error = ${error ?? null}, lease_until = 0 where id = ${id} and owner = ${owner} and status in ('running', ${status}) returning id`,
          (rows) => rows.length === 1
        )
      ),
    history: (job, limit) =>
      stored(
        "history",
        Effect.map(
          sql<Row>`select * from ${runs} where ${isOf(job)} order by started_at desc, due_at desc limit ${limit}`,
          (rows) => rows.map(runOf)
        )
      ),
    lastDue: (job) =>
      stored(
        "lastDue",
        Effect.map(
          sql<{
            due: number | string | null
          }>`select max(due_at) as due from ${runs} where ${isOf(job)} and trigger = 'schedule'`,
          ([row]) => (row === undefined || row.due === null ? undefined : Number(row.due))
        )
      ),
    prune: (job, at) =>
      stored(
        "prune",
        Effect.asVoid(
          sql`delete from ${runs} r using (select id, row_number() over (order by due_at desc) as place from ${runs} where ${isOf(job)}) o
            where r.id = o.id and r.status not in ('running', 'released') and o.place > 1
            and r.due_at < (select max(due_at) from ${runs} where ${isOf(job)} and trigger = r.trigger)
            and (o.place > ${keep.count} or r.started_at < ${at - keep.age})`
        )
      ),
    pruneOthers: (jobs, at) =>
      stored(
        "prune",
        Effect.asVoid(
          sql`delete from ${runs} where app = ${app} and started_at < ${at - keep.age}
            and not (job = any(string_to_array(${jobs.join(",")}, ',')))`
        )
      ),
    recent: (jobs, limit) =>
      stored(
        "history",
        Effect.map(
          sql<Row>`select r.* from unnest(string_to_array(${jobs.join(",")}, ',')) as names (name)
            cross join lateral (select * from ${runs} where app = ${app} and job = names.name
              order by due_at desc, started_at desc limit ${limit}) r`,
          (rows) => rows.map(runOf)
        )
      ),
    renew: (ids) =>
      ids.length === 0
        ? Effect.succeed([])
        : stored(
            "renew",
            Effect.map(
              sql<{
                id: string
              }>`update ${runs} set lease_until = ${until} where id in ${sql.in(ids)} and owner = ${owner} and status = 'running' returning id`,
              (rows) => rows.map(({ id }) => id)
            )
          ),
    takeOver: (jobs, isExpired, running) =>
      jobs.length === 0
        ? Effect.succeed([])
        : stored(
            "takeOver",
            Effect.map(
              sql<Row>`update ${runs} set owner = ${owner}, attempt = attempt + 1, status = 'running', ended_at = null, lease_until = ${until}
                where id in (select id from ${runs} where app = ${app} and job = any(string_to_array(${jobs.join(",")}, ','))
                  and ((status = 'released' and owner <> ${owner})
                    or (${isExpired} and status = 'running' and lease_until < ${now}))
                  and not (id = any(string_to_array(${running.join(",")}, ',')))
                  order by due_at limit 20 for update skip locked) returning *`,
              (rows) => rows.map(runOf)
            )
          ),
    time: stored(
      "time",
      Effect.map(sql<{ time: number | string }>`select ${now} as time`, ([row]) =>
        Number(row?.time)
      )
    ),
    transaction: (effect) =>
      Effect.catchTag(sql.withTransaction(effect), "SqlError", (cause) =>
        Effect.fail(new JobStoreError({ cause, operation: "transaction" }))
      ) as never // a `SqlError` of the effect itself ends as the same failure of the run
  }
}
