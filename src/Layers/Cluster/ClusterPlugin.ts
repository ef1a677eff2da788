/** The battery as a plugin. */
import { randomUUID } from "node:crypto"
import { hostname } from "node:os"
import * as Cause from "effect/Cause"
import * as ClusterWorkflowEngine from "effect/cluster/ClusterWorkflowEngine"
import { MessageStorage } from "effect/cluster/MessageStorage"
import * as RunnerAddress from "effect/cluster/RunnerAddress"
import * as RunnerHealth from "effect/cluster/RunnerHealth"
import * as Runners from "effect/cluster/Runners"
import * as RunnerStorage from "effect/cluster/RunnerStorage"
import * as Sharding from "effect/cluster/Sharding"
import * as ShardingConfig from "effect/cluster/ShardingConfig"
import * as SqlMessageStorage from "effect/cluster/SqlMessageStorage"
import * as SqlRunnerStorage from "effect/cluster/SqlRunnerStorage"
import * as Digest from "effect/crypto/Digest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { SqlClient } from "effect/sql/SqlClient"
import { SqlError } from "effect/sql/SqlError"
import { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import * as Plugin from "../../Plugin/Plugin.ts"
import * as PluginCheck from "../../Plugin/PluginCheck.ts"
import * as Pruning from "../../Plugin/Pruning.ts"
import * as Role from "../../Plugin/Role.ts"
import { ClusterConfig, type Settings } from "./ClusterConfig.ts"
import { ClusterDialectError, ClusterPoolTooSmall, ClusterUnavailable } from "./ClusterErrors.ts"
import * as Prune from "./Prune.ts"
import { kind } from "./Workflow.ts"

/**
 * Shards of each group. All processes of a cluster must have the same number. It bounds how many processes
 * share the entities of a group, and each shard is an advisory lock.
 */
const shardsPerGroup = 100

/** The shard groups: entities and workflows are in `default`, and belong to the role `worker`. */
const groups = ["default", "scheduler"]

/** Returns the configuration of Effect's cluster for a process that holds these groups. */
const shardingConfig = (
  { advisoryLocks, lockExpiry, poll }: Settings,
  assigned: ReadonlyArray<string>
) =>
  ShardingConfig.layer({
    assignedShardGroups: assigned,
    availableShardGroups: groups,
    entityMessagePollInterval: poll,
    // Below `app.releaseTimeout`: what still runs is then interrupted, and run again by another process.
    entityTerminationTimeout: "5 seconds",
    refreshAssignmentsInterval: Duration.min(
      Duration.seconds(1),
      Duration.divideUnsafe(lockExpiry, 3)
    ),
    // Without an address the process sends messages and holds no shard. No one listens at the address: it is
    // the name of the process, new for each, since a row of a killed one is still there for a while.
    runnerAddress:
      assigned.length === 0
        ? Option.none()
        : Option.some(
            RunnerAddress.make(`${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`, 1)
          ),
    shardLockDisableAdvisory: !advisoryLocks,
    shardLockExpiration: lockExpiry,
    shardLockRefreshInterval: Duration.divideUnsafe(lockExpiry, 3),
    shardsPerGroup,
    simulateRemoteSerialization: false
  })

const unavailable = (cause: unknown) =>
  new ClusterUnavailable({
    cause,
    reason:
      cause instanceof SqlError
        ? `${cause.message}: ${cause.reason.message}`
        : cause instanceof Error
          ? cause.message
          : "it did not answer in time"
  })

/** Checks that the pool can lend two connections at the same time. */
const checkPool = Effect.gen(function* () {
  const sql = yield* SqlClient
  const first = yield* sql.reserve.pipe(Effect.mapError(unavailable))
  yield* sql.reserve.pipe(
    Effect.timeout("10 seconds"),
    Effect.catch((cause) =>
      // The server may have gone away instead.
      first
        .executeUnprepared("select 1", [], undefined)
        .pipe(
          Effect.timeout("10 seconds"),
          Effect.mapError(unavailable),
          Effect.andThen(Effect.fail(new ClusterPoolTooSmall({ cause })))
        )
    )
  )
}).pipe(Effect.scoped)

const services = Effect.gen(function* () {
  const settings = yield* ClusterConfig
  const sql = yield* SqlClient
  const dialect = sql.onDialectOrElse({
    mysql: () => "MySQL",
    orElse: () => "another",
    pg: () => "pg"
  })
  if (dialect !== "pg") return yield* new ClusterDialectError({ dialect })
  const assigned = [
    ...((yield* Role.has("worker")) ? ["default"] : []),
    ...((yield* Role.has("scheduler")) ? ["scheduler"] : [])
  ]
  if (assigned.length > 0 && sql.driver !== "pglite") yield* checkPool
  const { prefix, retention } = settings
  const sharding = Sharding.layer.pipe(
    Layer.provide(Runners.layerNoop),
    Layer.provideMerge(SqlMessageStorage.layerWith({ prefix })),
    Layer.provide([
      // That of SQL keeps a connection for locks, which a process without shards does not need.
      assigned.length === 0 ? RunnerStorage.layerMemory : SqlRunnerStorage.layerWith({ prefix }),
      RunnerHealth.layerNoop
    ]),
    Layer.provide(shardingConfig(settings, assigned)),
    Layer.provide(Digest.layerWebCrypto)
  )
  const built = yield* Layer.build(
    ClusterWorkflowEngine.layer.pipe(Layer.provideMerge(sharding))
  ).pipe(
    // Replicas that create the tables at the same time refuse each other's statements.
    Effect.sandbox,
    Effect.retry({ times: 2 }),
    Effect.mapError((cause) => unavailable(Cause.squash(cause)))
  )
  if (assigned.includes("default")) {
    yield* Effect.forkScoped(
      Pruning.regularly(
        Prune.make(sql, prefix, retention),
        "Finished messages of the cluster were not removed"
      )
    )
  }
  return built
})

/**
 * Provides durable workflows, entities and singletons of Effect to the app: `WorkflowEngine`, `Sharding` and
 * `MessageStorage`. Processes with the same PostgreSQL database are one cluster. They need no port and no
 * address. PGlite works with one process.
 *
 * Entities and workflows run in processes with the role `worker`, singletons of the shard group `scheduler`
 * in those with the role `scheduler`. Other processes only send to them. An activity that runs at SIGTERM has
 * five seconds to end; it is then interrupted, and another process runs it again. A process that is killed is
 * replaced within `cluster.lockExpiry` and a second, one that stops at SIGTERM at once. It keeps one
 * connection of the pool for its locks. A process without the roles `scheduler` and `worker` keeps none.
 *
 * Effect resumes a workflow that waited for a child workflow by an effect that cannot be interrupted: while an
 * activity of such a workflow runs, the process stops only after `app.releaseTimeout`.
 *
 * - config: section `cluster`
 * - tables: `cluster_messages`, `cluster_replies`, `cluster_runners`, `cluster_locks` and two for their
 *   versions, made at the first start
 * - fails with `ClusterDialectError`, `ClusterPoolTooSmall` or `ClusterUnavailable` in its acquire phase
 *
 * @example
 * ```ts
 * import { App } from "flange"
 * import * as Cluster from "flange/Cluster"
 * import * as Database from "flange/Database"
 *
 * const app = App.make("shop", [Cluster.plugin, Database.plugin])
 * App.describe(app).plugins.map(({ id }) => id) // => ["flange:database", "flange:cluster"]
 * ```
 */
export const plugin = Plugin.make("flange:cluster", {
  config: [ClusterConfig],
  contributes: [
    PluginCheck.kind.make("workflows of other roles", PluginCheck.carriedOutBy(kind, "worker")),
    PluginCheck.kind.make(
      "workflows",
      PluginCheck.unique(
        kind,
        "RepeatedWorkflow",
        (workflow, owners) =>
          `The workflow "${workflow}" is listed several times, in ${owners}: one of them would run. Keep one, or give the workflows different tags.`
      )
    )
  ],
  layer: Layer.effectContext(services),
  provides: [MessageStorage, Sharding.Sharding, WorkflowEngine],
  requires: [SqlClient]
})
