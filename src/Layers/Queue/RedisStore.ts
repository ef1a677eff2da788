/** The store in Redis or Valkey. Each method is one run of a script, or one for each batch. */
import * as Effect from "effect/Effect"
import type * as Redis from "effect/persistence/Redis"
import * as Queue from "effect/Queue"
import type { SharedRedisShape } from "../../Plugin/SharedRedis.ts"
import * as Failure from "./Failure.ts"
import { type Item, QueueStoreError, type State, type Store } from "./QueueStore.ts"
import * as RedisScripts from "./RedisScripts.ts"

/** The services of Redis that the store uses. */
export interface RedisServices {
  readonly redis: Redis.Redis["Service"]
  readonly shared: Pick<SharedRedisShape, "subscribe">
}

const whole = (millis: number): string => String(Math.max(0, Math.ceil(millis)))

const itemOf = (row: RedisScripts.ItemRow): Item => {
  const [, attempts, createdAt, dueAt, element, failure] = row
  const [, , , , , , priority, result, state, tenant, updatedAt, id] = row
  return {
    attempts: Number(attempts),
    createdAt: Number(createdAt),
    dueAt: Number(dueAt),
    element,
    failure: failure ?? undefined,
    id,
    priority: Number(priority),
    result: result ?? undefined,
    // The scripts write no other states.
    state: state as State,
    tenant,
    updatedAt: Number(updatedAt)
  }
}

/** Creates the store. `prefix` begins its keys and its channel. */
export const make = ({ redis, shared }: RedisServices, prefix: string): Store => {
  // The braces keep all keys of a queue on one node of a cluster.
  const baseOf = (queue: string) => `${prefix}:{${queue}}`
  const channel = `${prefix}:wake`
  const registry = `${prefix}:names`
  /** How far the clock of the server is ahead of `performance.now`, in milliseconds. */
  let ahead: number | undefined
  /** The queues that this process has written to the registry. */
  const known = new Set<string>()

  const stored = <A>(operation: string, effect: Effect.Effect<A, Redis.RedisError>) =>
    Effect.mapError(effect, ({ cause }) => new QueueStoreError({ cause, operation }))

  /** Keeps the name of a queue. The registry is on another node than the queue, so no script writes both. */
  const register = (queue: string): Effect.Effect<void, Redis.RedisError> =>
    Effect.suspend(() =>
      known.has(queue)
        ? Effect.void
        : Effect.map(redis.send("SADD", registry, queue), () => {
            known.add(queue)
          })
    )

  const names = Effect.map(redis.send<ReadonlyArray<string>>("SMEMBERS", registry), (all) =>
    [...all].sort()
  )

  const stats = (queue: string) => redis.eval(RedisScripts.stats)(baseOf(queue))

  const setPaused = (operation: string, queue: string, flag: "0" | "1") =>
    stored(
      operation,
      Effect.andThen(
        register(queue),
        Effect.asVoid(redis.eval(RedisScripts.setPaused)(baseOf(queue), channel, queue, flag))
      )
    )

  const requeueDead = (
    queue: string,
    until: string,
    before: number
  ): Effect.Effect<number, Redis.RedisError> =>
    Effect.flatMap(
      redis.eval(RedisScripts.requeueDead)(baseOf(queue), channel, queue, until),
      ([count, isMore, latest]) =>
        isMore === 1 ? requeueDead(queue, latest, before + count) : Effect.succeed(before + count)
    )

  return {
    abandon: (queue, token) =>
      stored(
        "abandon a claim",
        Effect.asVoid(redis.eval(RedisScripts.abandon)(baseOf(queue), channel, queue, token))
      ),
    claim: (queue, { endsLeases, lease, limit, maxAttempts, token }) =>
      Effect.suspend(() => {
        // A server that was away carries out the claim later than it was meant, when leases have ended that their
        // processes could not renew.
        const until =
          ahead === undefined ? Number.MAX_SAFE_INTEGER : performance.now() + ahead + lease / 3
        return stored(
          "claim",
          Effect.map(
            redis.eval(RedisScripts.claim)(
              baseOf(queue),
              token,
              String(limit),
              whole(lease),
              String(maxAttempts),
              Failure.encode(Failure.lost(0)),
              endsLeases ? whole(until) : "0"
            ),
            ([next, rows, now, dead]) => {
              ahead = now - performance.now()
              return {
                dead: dead.map(([id, attempts]) => ({ attempts, id })),
                items: rows.map(([id, attempts, age, element]) => ({
                  age,
                  attempts,
                  element,
                  id,
                  token
                })),
                next: next < 0 ? undefined : next
              }
            }
          )
        )
      }),
    cleanup: ({ completed, dead }) =>
      stored(
        "cleanup",
        Effect.gen(function* () {
          // A server that lost its data, or a replica that came after it, may not have the names.
          if (known.size > 0) yield* redis.send("SADD", registry, ...known)
          const more = yield* Effect.forEach(yield* names, (queue) =>
            redis.eval(RedisScripts.cleanup)(baseOf(queue), whole(completed), whole(dead))
          )
          return more.includes(1)
        })
      ),
    get: (queue, id) =>
      stored(
        "get",
        Effect.map(redis.eval(RedisScripts.get)(baseOf(queue), id), (row) =>
          row[0] === null ? undefined : itemOf(row)
        )
      ),
    isTransactional: false,
    list: (queue, { after = "0", limit, state }) =>
      stored(
        "list",
        Effect.map(
          // One more than asked for: it tells whether the list goes on.
          redis.eval(RedisScripts.list)(
            baseOf(queue),
            state,
            String(Number(after) || 0),
            String(limit + 1)
          ),
          (rows) => {
            const part = rows.slice(0, limit)
            return {
              items: part.map(itemOf),
              next: rows.length > limit ? String(part.at(-1)![0]) : undefined
            }
          }
        )
      ),
    offer: (queue, items) =>
      items.length === 0
        ? Effect.succeed([])
        : stored(
            "offer",
            Effect.andThen(
              register(queue),
              Effect.map(
                redis.eval(RedisScripts.offer)(
                  baseOf(queue),
                  channel,
                  queue,
                  ...items.flatMap(({ delay, element, id, keep, priority, tenant }) => [
                    id,
                    element,
                    whole(delay),
                    String(priority),
                    tenant,
                    keep ? "1" : "0"
                  ])
                ),
                (added) => added.map((flag) => flag === 1)
              )
            )
          ),
    onWake: (wake) =>
      Effect.gen(function* () {
        const deliveries = yield* shared.subscribe(channel)
        const deliver = Effect.map(Queue.takeAll(deliveries), (all) => {
          if (all.some(({ _tag }) => _tag === "Gap")) return wake(undefined)
          const queues = new Set(
            all.flatMap((each) => (each._tag === "Message" ? [each.text] : []))
          )
          for (const queue of queues) wake(queue)
        })
        yield* Effect.forkScoped(Effect.forever(deliver))
      }),
    pause: (queue) => setPaused("pause", queue, "1"),
    ping: stored("ping", Effect.asVoid(redis.send("PING"))),
    queues: stored(
      "list queues",
      Effect.flatMap(names, (all) =>
        Effect.map(Effect.forEach(all, stats, { concurrency: 16 }), (counts) =>
          all.filter((_, i) => {
            const [completed, dead, delayed, running, waiting, , paused] = counts[i]!
            return completed + dead + delayed + running + waiting + paused > 0
          })
        )
      )
    ),
    remove: (queue, ids) =>
      ids.length === 0
        ? Effect.succeed(0)
        : stored("remove", redis.eval(RedisScripts.remove)(baseOf(queue), ...ids)),
    renew: (queue, claims, lease) =>
      claims.length === 0
        ? Effect.succeed([])
        : stored(
            "renew",
            redis.eval(RedisScripts.renew)(
              baseOf(queue),
              whole(lease),
              ...claims.flatMap(({ id, token }) => [id, token])
            )
          ),
    requeue: (queue, ids) =>
      stored(
        "requeue",
        ids === "dead"
          ? requeueDead(queue, "", 0)
          : ids.length === 0
            ? Effect.succeed(0)
            : redis.eval(RedisScripts.requeue)(baseOf(queue), channel, queue, ...ids)
      ),
    resume: (queue) => setPaused("resume", queue, "0"),
    settle: (queue, settlements) =>
      settlements.length === 0
        ? Effect.succeed([])
        : stored(
            "settle",
            redis.eval(RedisScripts.settle)(
              baseOf(queue),
              channel,
              queue,
              ...settlements.flatMap(({ id, outcome, token }) => [
                id,
                token,
                outcome._tag,
                outcome._tag === "Retry" ? whole(outcome.delay) : "0",
                outcome._tag === "Completed"
                  ? (outcome.result ?? "")
                  : outcome._tag === "Released"
                    ? ""
                    : outcome.failure
              ])
            )
          ),
    stats: (queue) =>
      stored(
        "stats",
        Effect.map(
          stats(queue),
          ([completed, dead, delayed, running, waiting, oldestWaiting, paused]) => ({
            completed,
            dead,
            delayed,
            oldestWaiting,
            paused: paused === 1,
            running,
            waiting
          })
        )
      )
  }
}
