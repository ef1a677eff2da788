/**
 * The store in PostgreSQL or PGlite.
 *
 * Each operation is one statement over a batch. A waiting item is claimed with `for update skip locked`, so
 * workers do not wait for each other. The delays and leases that have ended are looked for when the next one
 * is due, at least each `checkInterval`. Times are those of the database.
 *
 * Rows of a batch are looked up one by one, by `offset 0` and `any(array(...))`: a join would be planned by
 * statistics, which are wrong for a table whose rows change all the time. The column `token` of a running item
 * has the token of its claim, and `Claimed.token` is `<sequence>.<token>`.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as Deadlocks from "../../Plugin/Deadlocks.ts"
import * as OwnTables from "../../Plugin/OwnTables.ts"
import * as Failure from "./Failure.ts"
import { QueueBackendError } from "./QueueErrors.ts"
import type { Claim, Claimed, ClaimOptions, Store } from "./QueueStore.ts"
import * as SqlNotifications from "./SqlNotifications.ts"
import {
  changed,
  claimedRow,
  type Numeric,
  reading,
  storable,
  stored,
  timeOf,
  tokenOf
} from "./SqlRows.ts"
import * as SqlSettlement from "./SqlSettlement.ts"
import * as SqlTables from "./SqlTables.ts"

/** How many rows one statement moves or removes. */
const batch = 1000

/** A store in a database, with its tables. */
export interface SqlStore extends Store {
  /** Creates the tables if they are not there. A role that cannot create tables finds them made. */
  readonly createTables: Effect.Effect<void, SqlError>
  /** Listens for the items of other processes until the scope closes, if the database can. */
  readonly start: Effect.Effect<void, never, Scope.Scope>
}

/** What the store remembers of a queue. Times are those of `performance.now`. */
export interface Memory {
  /** When delays and leases are to be looked for again. */
  checkAt: number
  /** The items that a check has made dead and that no claim has returned yet: the claim after it may fail. */
  readonly dead: Array<Claim["dead"][number]>
  /** Whether the last claim has seen items of several tenants. */
  hasTenants: boolean
  /** The tenant that was served last. */
  lastTenant: string
}

/** What a claim returns of a row. */
interface TakenRow {
  readonly age: Numeric
  readonly attempts: Numeric
  readonly element: string
  readonly id: string
  /** The order in which the items are handed out: by place, then by priority and sequence. */
  readonly place: Numeric
  readonly priority: Numeric
  readonly sequence: Numeric
  readonly tenant: string
}

/** Returns the memory of each queue. */
export const memories = () => {
  const all = new Map<string, Memory>()
  return (queue: string): Memory => {
    const found = all.get(queue)
    if (found !== undefined) return found
    const made: Memory = { checkAt: 0, dead: [], hasTenants: false, lastTenant: "" }
    all.set(queue, made)
    return made
  }
}

/** Returns the ids of the claims whose rows are not among those with the sequences. */
const lostOf = (
  claims: ReadonlyArray<Pick<Claimed, "id" | "token">>,
  sequences: ReadonlySet<string>
): ReadonlyArray<string> =>
  claims.length === sequences.size
    ? []
    : claims.flatMap(({ id, token }) => (sequences.has(claimedRow(token).sequence) ? [] : [id]))

/** Creates the store. `checkInterval` is in milliseconds. */
export const make = (sql: SqlClient, checkInterval = 1000): SqlStore => {
  const items = sql(SqlTables.tables.items)
  const queues = sql(SqlTables.tables.queues)
  const now = timeOf(sql)
  const memory = memories()
  const retrying = Deadlocks.retrying(sql)
  const settle = SqlSettlement.make(sql)
  const wakers = new SqlNotifications.Wakers((queue) => {
    memory(queue).checkAt = 0
  })
  const notify = (queue: string, isDelayed: boolean) =>
    sql`pg_notify(${SqlNotifications.channel}, ${SqlNotifications.payloadOf(queue, isDelayed)})`
  const wakeLater = (queue: string, isDelayed: boolean) =>
    sql.afterCommit(Effect.sync(() => wakers.wake(queue, isDelayed)))
  const isPaused = (queue: string) =>
    sql`exists (select 1 from ${queues} where queue = ${queue} and paused)`

  /**
   * Moves the items whose delay or lease has ended. Returns those that are dead by it, and the milliseconds until
   * the next one.
   */
  const advance = (queue: string, { endsLeases, maxAttempts }: ClaimOptions) => {
    const states = sql.literal(endsLeases ? "'delayed', 'running'" : "'delayed'")
    const timed = sql`queue = ${queue} and state in ('delayed', 'running')`
    return Effect.map(
      sql<{
        readonly attempts: Numeric | null
        readonly id: string | null
        readonly next: Numeric | null
      }>`
        with ended as (
          select sequence from ${items} where ${timed} and wake_at <= ${now} and state in (${states})
          order by wake_at limit ${sql.literal(String(batch))} for update skip locked
        ), moved as (
          update ${items} i set
            state = case when i.state = 'running' and i.attempts >= ${maxAttempts} then 'dead' else 'waiting' end,
            failure = case when i.state = 'running' and i.attempts >= ${maxAttempts} then ${Failure.encode(Failure.lost(maxAttempts))} else i.failure end,
            token = null, updated_at = ${now}, wake_at = null
          from ended where i.sequence = ended.sequence returning i.attempts, i.id, i.state
        )
        select m.attempts, m.id, n.next from (
          select case when (select count(*) from moved) >= ${sql.literal(String(batch))} then 0
            else (select min(wake_at) - ${now} from ${items} where ${timed} and wake_at > ${now}) end as next
        ) n left join moved m on m.state = 'dead'`,
      (rows) => {
        const next = rows[0]?.next ?? undefined
        return {
          dead: rows.flatMap(({ attempts, id }) =>
            id === null ? [] : [{ attempts: Number(attempts), id }]
          ),
          next: next === undefined ? undefined : Math.max(0, Number(next))
        }
      }
    )
  }

  /** What a claim sets in the rows `i`. */
  const taken = ({ lease, token }: ClaimOptions) =>
    sql`state = 'running', attempts = i.attempts + 1, token = ${token}, updated_at = t.now, wake_at = t.now + ${Math.ceil(lease)}
      from (select ${now} as now offset 0) t`

  /** What a claim returns of the rows `i`. */
  const returned = sql.literal(
    "i.id, i.element, i.attempts, i.priority, i.sequence, i.tenant, t.now - i.due_at as age"
  )

  /** Claims items of the next tenant, but nothing if several tenants have some. */
  const claimOfOne = (queue: string, options: ClaimOptions) => {
    const waiting = sql`queue = ${queue} and state = 'waiting'`
    return sql<TakenRow>`
      with tenant as (
        select (select tenant from ${items} where ${waiting} order by tenant limit 1) as first,
          (select tenant from ${items} where ${waiting} order by tenant desc limit 1) as last
      )
      update ${items} i set ${taken(options)}
      where i.ctid = any(array(
        select ctid from ${items} where ${waiting} and tenant = (select first from tenant where first = last) and not ${isPaused(queue)}
        order by priority desc, sequence limit ${sql.literal(String(options.limit))} for update skip locked
      ))
      returning ${returned}, 0 as place`
  }

  /** Claims the same number of each tenant, so that no row is locked that is not claimed. */
  const claimOfAll = (queue: string, options: ClaimOptions) => {
    const waiting = sql`queue = ${queue} and state = 'waiting'`
    const last = memory(queue).lastTenant
    const count = sql.literal(String(options.limit))
    return sql<TakenRow>`
      with recursive later (tenant, n) as (
        (select tenant, 1 from ${items} where ${waiting} and tenant > ${last} and not ${isPaused(queue)} order by tenant limit 1)
        union all
        select x.tenant, l.n + 1 from later l cross join lateral (
          select tenant from ${items} where ${waiting} and tenant > l.tenant order by tenant limit 1
        ) x where l.n < ${count}
      ), earlier (tenant, n) as (
        (select tenant, 1 from ${items} where ${waiting} and tenant <= ${last} and not ${isPaused(queue)} order by tenant limit 1)
        union all
        select x.tenant, e.n + 1 from earlier e cross join lateral (
          select tenant from ${items} where ${waiting} and tenant > e.tenant and tenant <= ${last} order by tenant limit 1
        ) x where e.n < ${count}
      ), turns as (
        select tenant, row_number() over (order by part, tenant) as turn from (
          select 1 as part, tenant from later union all select 2, tenant from earlier
        ) every_tenant order by part, tenant limit ${count}
      ), total as (select count(*) as tenants from turns),
      picked as (
        select p.sequence, (p.place - 1) * ${count} + t.turn as place from turns t cross join total cross join lateral (
          select sequence, row_number() over () as place from (
            select sequence from ${items} where ${waiting} and tenant = t.tenant
            order by priority desc, sequence limit greatest(1, ${count} / total.tenants) for update skip locked
          ) own limit ${count}
        ) p limit ${count}
      )
      update ${items} i set ${taken(options)}, picked
      where i.sequence = any(array(select sequence from picked)) and i.sequence = picked.sequence
      returning ${returned}, picked.place`
  }

  const claim = (queue: string, options: ClaimOptions) =>
    Effect.gen(function* () {
      const known = memory(queue)
      if (performance.now() >= known.checkAt) {
        known.checkAt = performance.now() + checkInterval
        const { dead, next } = yield* advance(queue, options)
        known.dead.push(...dead)
        if (next !== undefined) {
          known.checkAt = Math.min(known.checkAt, performance.now() + next)
        }
      }
      const { token } = options
      const found: Array<Claimed> = []
      const claimed = (rows: ReadonlyArray<TakenRow>) => {
        const inTurn = [...rows].sort(
          (a, b) =>
            Number(a.place) - Number(b.place) ||
            Number(b.priority) - Number(a.priority) ||
            Number(a.sequence) - Number(b.sequence)
        )
        for (const { age, attempts, element, id, sequence, tenant } of inTurn) {
          known.lastTenant = tenant
          found.push({
            age: Math.max(0, Number(age)),
            attempts: Number(attempts),
            element,
            id,
            token: tokenOf(sequence, token)
          })
        }
      }
      if (!known.hasTenants) claimed(yield* claimOfOne(queue, options))
      if (found.length === 0) known.hasTenants = true
      while (known.hasTenants && found.length < options.limit) {
        const limit = options.limit - found.length
        const rows = yield* claimOfAll(queue, { ...options, limit })
        claimed(rows)
        // With one tenant, the statement has claimed all there is.
        known.hasTenants = rows.some(({ tenant }) => tenant !== rows[0]!.tenant)
      }
      const next = Math.max(0, known.checkAt - performance.now())
      return { dead: known.dead.splice(0), items: found, next }
    })

  return {
    ...reading(sql),
    abandon: (queue, token) =>
      stored(
        "abandon a claim",
        Effect.gen(function* () {
          yield* sql`
            with released as (
              update ${items} set state = 'waiting', attempts = attempts - 1, token = null, updated_at = ${now}, wake_at = null
              where queue = ${queue} and state = 'running' and token = ${token} returning 1
            )
            select ${notify(queue, false)} from (select 1 from released limit 1) one`
          yield* wakeLater(queue, false)
        })
      ),
    claim: (queue, options) => stored("claim", claim(queue, options)),
    cleanup: ({ completed, dead }) =>
      stored(
        "clean up",
        Effect.map(
          changed(
            sql,
            sql`delete from ${items} where sequence in (select sequence from ${items} where (state = 'completed' and updated_at < ${now} - ${Math.ceil(completed)}) or (state = 'dead' and updated_at < ${now} - ${Math.ceil(dead)}) limit ${sql.literal(String(batch))} for update skip locked)`
          ),
          (count) => count >= batch
        )
      ),
    createTables: OwnTables.create(
      sql,
      Effect.andThen(
        sql`select id from ${items} where queue = '' and id = ''`,
        sql`select queue from ${queues} where queue = ''`
      ),
      SqlTables.pg
    ),
    isTransactional: true,
    offer: (queue, offers) => {
      if (offers.length === 0) return Effect.succeed([])
      const column = (read: (offer: (typeof offers)[number]) => string) => offers.map(read)
      const isDelayed = offers.every(({ delay }) => delay > 0)
      return stored(
        "add items",
        Effect.gen(function* () {
          // Another batch may have the same ids in another order.
          const rows = yield* retrying(sql<{ readonly id: string }>`
            with added as (
              insert into ${items} (queue, id, state, tenant, priority, keep, created_at, due_at, updated_at, wake_at, element)
              select ${queue}, o.id, case when o.delay::bigint > 0 then 'delayed' else 'waiting' end, o.tenant, o.priority::smallint, o.keep::boolean,
                t.now, t.now + o.delay::bigint, t.now, case when o.delay::bigint > 0 then t.now + o.delay::bigint end, o.element
              from unnest(
                ${column(({ id }) => id)}::text[], ${column(({ tenant }) => tenant)}::text[], ${column(({ priority }) => String(priority))}::text[],
                ${column(({ keep }) => String(keep))}::text[], ${column(({ delay }) => String(Math.ceil(delay)))}::text[], ${column(({ element }) => element)}::text[]
              ) with ordinality as o (id, tenant, priority, keep, delay, element, place)
              cross join (select ${now} as now) t order by o.place
              on conflict do nothing returning id
            ), told as (select ${notify(queue, isDelayed)} from (select 1 from added limit 1) one)
            select id, (select count(*) from told) as told from added`)
          const added = new Set(rows.map(({ id }) => id))
          if (added.size > 0) yield* wakeLater(queue, isDelayed)
          // An id that is twice in the list was added once.
          return offers.map(({ id }) => added.delete(id))
        })
      )
    },
    onWake: (wake) => wakers.add(wake),
    pause: (queue) =>
      stored(
        "pause",
        Effect.asVoid(
          sql`insert into ${queues} (queue, paused) values (${queue}, true) on conflict (queue) do update set paused = true`
        )
      ),
    remove: (queue, ids) =>
      ids.length === 0
        ? Effect.succeed(0)
        : stored(
            "remove",
            changed(
              sql,
              sql`delete from ${items} where queue = ${queue} and state <> 'running' and id = any(${storable(ids)}::text[])`
            )
          ),
    renew: (_, claims, lease) => {
      const rows = claims.map(({ token }) => claimedRow(token))
      return claims.length === 0
        ? Effect.succeed([])
        : stored(
            "renew",
            Effect.map(
              sql<{ readonly sequence: Numeric }>`
                with claims as (
                  select i.sequence, c.token from unnest(${rows.map(({ sequence }) => sequence)}::bigint[], ${rows.map(({ claim }) => claim)}::text[]) as c (sequence, token)
                  cross join lateral (select sequence from ${items} where sequence = c.sequence and token = c.token offset 0) i
                )
                update ${items} set wake_at = ${now} + ${Math.ceil(lease)}
                where token = any(array(select token from claims)) and sequence = any(array(select sequence from claims)) returning sequence`,
              (kept) => lostOf(claims, new Set(kept.map(({ sequence }) => String(sequence))))
            )
          )
    },
    requeue: (queue, ids) => {
      const chosen =
        ids === "dead"
          ? sql`state = 'dead'`
          : sql`state in ('completed', 'dead', 'delayed') and id = any(${storable(ids)}::text[])`
      return stored(
        "requeue",
        Effect.gen(function* () {
          const rows = yield* sql<{ readonly count: Numeric }>`
            with moved as (
              update ${items} set state = 'waiting', attempts = 0, due_at = ${now}, updated_at = ${now}, wake_at = null where queue = ${queue} and ${chosen} returning 1
            ), told as (select ${notify(queue, false)} from (select 1 from moved limit 1) one)
            select count(*) as count, (select count(*) from told) as told from moved`
          const count = Number(rows[0]?.count ?? 0)
          if (count > 0) yield* wakeLater(queue, false)
          return count
        })
      )
    },
    resume: (queue) =>
      stored(
        "resume",
        Effect.gen(function* () {
          yield* sql`delete from ${queues} where queue = ${queue}`
          yield* sql`select ${notify(queue, false)}`
          yield* wakeLater(queue, false)
        })
      ),
    settle: (queue, settlements) => {
      if (settlements.length === 0) return Effect.succeed([])
      const isAwaited = settlements.some(
        ({ outcome: { _tag } }) => _tag === "Released" || _tag === "Retry"
      )
      const isDelayed = settlements.every(({ outcome: { _tag } }) => _tag !== "Released")
      return stored(
        "settle",
        Effect.gen(function* () {
          const told = isAwaited ? notify(queue, isDelayed) : undefined
          const settled = yield* settle(settlements, told)
          if (isAwaited) yield* wakeLater(queue, isDelayed)
          return lostOf(settlements, settled)
        })
      )
    },
    start: SqlNotifications.listen(sql, wakers)
  }
}

/** Creates the store of the database that a client connects to. */
export const open = (
  sql: SqlClient,
  checkInterval?: number
): Effect.Effect<SqlStore, QueueBackendError> =>
  sql.onDialectOrElse({ orElse: () => true, pg: () => false })
    ? Effect.fail(
        new QueueBackendError({
          message:
            "Queue.withDatabase needs PostgreSQL or PGlite, and the database is MySQL or MariaDB. List Redis.plugin and Queue.withRedis in its place."
        })
      )
    : Effect.succeed(make(sql, checkInterval))
