/** The store of members in PostgreSQL or PGlite. Times are those of the database. */
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as OwnTables from "../../Plugin/OwnTables.ts"
import { BroadcastUnavailable } from "./BroadcastErrors.ts"
import type { Row, Store } from "./PresenceStore.ts"

const nodes = "flange_presence_nodes"

const members = "flange_presence"

const tables = [
  `create table if not exists ${nodes} (scope text not null, node text primary key, expires_at bigint not null)`,
  `create index if not exists ${nodes}_scope on ${nodes} (scope, expires_at)`,
  `create table if not exists ${members} (address char(43) not null, node text not null references ${nodes} on delete cascade, id text not null, value text not null, primary key (address, node, id))`,
  `create index if not exists ${members}_node on ${members} (node)`
]

/** How many members of dead nodes one statement removes. */
const batch = 1000

/** A store in a database, with its tables. */
export interface SqlStore extends Store {
  /** Creates the tables if they are not there. A role that cannot create tables finds them made. */
  readonly createTables: Effect.Effect<void, SqlError>
}

/**
 * Creates the store. Services with the same `scope` see each other. It must be used outside of
 * transactions.
 */
export const make = (sql: SqlClient, scope: string): SqlStore => {
  const now = sql.literal("cast(extract(epoch from clock_timestamp()) * 1000 as bigint)")
  const [atNodes, atMembers] = [sql(nodes), sql(members)]

  const stored = <A>(operation: string, effect: Effect.Effect<A, SqlError>) =>
    Effect.mapError(effect, (cause) => new BroadcastUnavailable({ cause, operation }))

  return {
    createTables: OwnTables.create(
      sql,
      sql`select 1 from ${atNodes}, ${atMembers} limit 0`,
      tables
    ),
    prune: stored(
      "prune members",
      Effect.gen(function* () {
        const dead = sql`select node from ${atNodes} where scope = ${scope} and expires_at <= ${now}`
        const gone =
          yield* sql`delete from ${atMembers} where ctid = any(array(select ctid from ${atMembers} where node in (${dead}) limit ${batch} for update skip locked)) returning 1`
        if (gone.length === batch) return true
        yield* sql`delete from ${atNodes} where scope = ${scope} and expires_at <= ${now} and not exists (select 1 from ${atMembers} where ${atMembers}.node = ${atNodes}.node)`
        return false
      })
    ),
    register: (node, lease) =>
      stored(
        "register a process",
        Effect.asVoid(
          sql`insert into ${atNodes} (scope, node, expires_at) values (${scope}, ${node}, ${now} + ${lease})`
        )
      ),
    remove: (node) =>
      stored("remove a process", Effect.asVoid(sql`delete from ${atNodes} where node = ${node}`)),
    renew: (node, lease) =>
      stored(
        "renew a lease",
        Effect.andThen(
          sql`update ${atNodes} set expires_at = ${now} + ${lease} where node = ${node} and expires_at > ${now}`,
          Effect.map(
            sql<{
              readonly node: string
            }>`select node from ${atNodes} where scope = ${scope} and expires_at > ${now}`,
            (all) => all.map(({ node }) => node)
          )
        )
      ),
    rows: (address) =>
      stored(
        "list members",
        sql<Row>`select id, node, value from ${atMembers} where address = ${address} and node in (select node from ${atNodes} where scope = ${scope} and expires_at > ${now})`
      ),
    write: (node, changes) =>
      stored(
        "write members",
        Effect.gen(function* () {
          const [first, ...others] = changes.flatMap(({ address, id, value }) =>
            value === undefined ? [] : [{ address, id, node, value }]
          )
          const removed = changes.filter(({ value }) => value === undefined)
          if (first !== undefined) {
            yield* sql`insert into ${atMembers} ${sql.insert([first, ...others])} on conflict (address, node, id) do update set value = excluded.value`
          }
          if (removed.length > 0) {
            const pairs = removed.map(({ address, id }) => sql`(${address}, ${id})`)
            yield* sql`delete from ${atMembers} where node = ${node} and (address, id) in (${sql.csv(pairs)})`
          }
        })
      )
  }
}
