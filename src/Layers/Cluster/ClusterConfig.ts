/** The configuration section `cluster`. */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as Config from "../../Config/index.ts"

const span = (text: string, least: Duration.Input, most: Duration.Input) => {
  const [maximum, minimum] = [Duration.fromInputUnsafe(most), Duration.fromInputUnsafe(least)]
  const words = `a duration from "${Duration.format(minimum)}" to "${Duration.format(maximum)}"`
  return Config.Duration.check(
    Schema.makeFilter((time) => Duration.between(time, { maximum, minimum }), { expected: words })
  ).pipe(Config.expected(words), Config.withDefault(text))
}

const fields = {
  advisoryLocks: Schema.Boolean.pipe(Config.withDefault(true)),
  lockExpiry: span("6 seconds", "3 seconds", "10 minutes"),
  poll: span("250 millis", "10 millis", "1 minute"),
  prefix: Schema.String.check(
    Schema.isPattern(/^[a-z_][a-z0-9_]{0,31}$/, {
      expected: "1 to 32 lower-case letters, digits and _, not a digit first"
    })
  ).pipe(Config.withDefault("cluster")),
  retention: span("7 days", "1 minute", "3660 days")
}

/**
 * Section `cluster`.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `advisoryLocks` | true | whether shards are locked with advisory locks of PostgreSQL; `false` uses leases in a table, for PgBouncer in transaction mode; PGlite always uses leases |
 * | `lockExpiry` | 6 s | after which time another process takes over from one that was killed or hangs; with 6 s it has taken over after 5 to 7 s, with the 35 s of Effect after 35 s; shorter ones lose their shards when the database is slow for a moment |
 * | `poll` | 250 ms | how often each process asks for new messages: a message starts this late at most; three processes at 250 ms make about 30 commits a second; the 10 s of Effect delay each message by up to 10 s |
 * | `prefix` | `cluster` | the begin of the names of the tables; processes with the same prefix and database are one cluster; variable `CLUSTER_PREFIX` |
 * | `retention` | 7 days | how long the messages and results of finished workflows and entities are kept; a workflow that is started again with the same idempotency key within that time returns its first result |
 */
export const ClusterConfig = Config.section("cluster", fields, {
  variables: { CLUSTER_PREFIX: "prefix" }
})

/** The values of the section. */
export type Settings = Schema.Struct<typeof fields>["Type"]
