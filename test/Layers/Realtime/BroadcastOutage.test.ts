import { type ChildProcess, spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { once } from "node:events"
import { join } from "node:path"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Change } from "flange/Realtime"
import {
  channelOf,
  databaseParts,
  type Parts
} from "../../../src/Layers/Realtime/BroadcastPlugin.ts"
import { onEach, open, postgres } from "../Database/backends.ts"
import { describeRedis, redisServer } from "../Redis/server.ts"
import { overDatabase, overRedis, replicaOf } from "./broadcastReplicas.ts"
import { brief, Room } from "./broadcastRoom.ts"

const fixture = join(import.meta.dirname, "fixtures/broadcastReplica.ts")

/** Starts a process that is ready. It ends with the scope. */
const child = (
  url: string,
  prefix: string,
  id: string
): Effect.Effect<ChildProcess, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const started = spawn(
        process.execPath,
        ["--conditions=flange-source", fixture, url, prefix, id],
        { stdio: ["ignore", "pipe", "inherit"] }
      )
      await once(started.stdout, "data")
      return started
    }),
    (started) => Effect.sync(() => void started.kill("SIGKILL"))
  )

/** Reads changes until exactly these members are there. Then it runs `then`, and reads on until others are. */
const until = <M>(
  stream: Stream.Stream<Change<M>>,
  wanted: ReadonlyArray<string>,
  then = Effect.void,
  others = wanted
) => {
  let ids: ReadonlyArray<string> = []
  let isSecond = false
  return Stream.runForEachWhile(stream, (change) =>
    Effect.suspend(() => {
      if (change._tag === "Snapshot") ids = change.members.map(({ id }) => id)
      else if (change._tag === "Left") ids = ids.filter((id) => id !== change.id)
      else ids = [...new Set([...ids, change.member.id])]
      const now = ids.toSorted().join()
      if (!isSecond && now === wanted.join()) {
        isSecond = true
        return Effect.as(then, now !== others.join())
      }
      return Effect.succeed(!(isSecond && now === others.join()))
    })
  )
}

/** Publishes until it succeeds. */
const published = (publish: Effect.Effect<void, unknown>): Effect.Effect<unknown> =>
  Effect.catch(publish, () => Effect.andThen(Effect.sleep(50), published(publish)))

interface Kind {
  /** Interrupts the connections of the replica. */
  readonly interrupt: Effect.Effect<unknown, unknown>
  readonly parts: Effect.Effect<Parts, unknown, Scope.Scope>
  readonly prefix: string
  readonly url: string
}

const suite = (open: Effect.Effect<Kind, unknown, Scope.Scope>) => {
  it.live(
    "members of a process that is killed leave after the lease, and those of others stay",
    () =>
      Effect.scoped(
        Effect.gen(function* () {
          const { parts, prefix, url } = yield* open
          const { broadcast, presence } = yield* replicaOf(yield* parts, brief)
          const messages = yield* broadcast.subscribe(Room)
          const changes = yield* presence.changes(Room)
          yield* presence.join(Room, "here")
          const [killed] = yield* Effect.all(
            [child(url, prefix, "killed"), child(url, prefix, "living")],
            {
              concurrency: "unbounded"
            }
          )
          const texts = yield* Stream.runCollect(Stream.take(messages, 2))
          expect(texts.map((one) => (one._tag === "Gap" ? "gap" : one.message)).toSorted()).toEqual(
            ["killed is here", "living is here"]
          )
          const all = ["here", "killed", "living"]
          expect((yield* presence.list(Room)).map(({ id }) => id).toSorted()).toEqual(all)
          const kill = Effect.sync(() => void killed.kill("SIGKILL"))
          yield* until(changes, all, kill, ["here", "living"])
          expect((yield* presence.list(Room)).map(({ id }) => id).toSorted()).toEqual([
            "here",
            "living"
          ])
        })
      ),
    60_000
  )

  it.live(
    "after an outage subscribers get a gap and then messages, and members are there again",
    () =>
      Effect.scoped(
        Effect.gen(function* () {
          const { interrupt, parts } = yield* open
          const { broadcast, presence } = yield* replicaOf(yield* parts, brief)
          const messages = yield* broadcast.subscribe(Room)
          const others = yield* broadcast.subscribe(Room)
          const changes = yield* presence.changes(Room)
          yield* presence.join(Room, "here")
          yield* broadcast.publish(Room, "before")
          const [first] = yield* Stream.runCollect(Stream.take(messages, 1))
          expect(first).toEqual({ _tag: "Message", message: "before" })
          yield* interrupt
          for (const stream of [messages, others]) {
            yield* Stream.runForEachWhile(stream, ({ _tag }) => Effect.succeed(_tag !== "Gap"))
          }
          yield* published(broadcast.publish(Room, "after"))
          for (const stream of [messages, others]) {
            yield* Stream.runForEachWhile(stream, (one) =>
              Effect.succeed(!(one._tag === "Message" && one.message === "after"))
            )
          }
          yield* until(changes, ["here"])
          // A server that has lost everything has the members again after the next heartbeat.
          yield* Effect.repeat(Effect.andThen(Effect.sleep(50), presence.list(Room)), {
            until: (members) => members.length === 1
          })
        })
      ),
    60_000
  )
}

describeRedis("broadcast over a Redis that is stopped and started", () => {
  suite(
    Effect.map(redisServer(), ({ kill, start, url }) => {
      const prefix = randomUUID()
      return {
        interrupt: Effect.andThen(kill, start()),
        parts: overRedis(url, prefix),
        prefix,
        url
      }
    })
  )
})

onEach([postgres], "broadcast over connections that are terminated", (backend) => {
  suite(
    Effect.gen(function* () {
      const url = yield* backend.fresh
      const prefix = randomUUID()
      const sql = yield* open(url)
      return {
        interrupt: sql`select pg_terminate_backend(pid) from pg_stat_activity where query like ${`LISTEN%${channelOf(prefix)}%`}`,
        parts: overDatabase(url, prefix),
        prefix,
        url
      }
    })
  )

  it.live(
    "a message of a transaction is delivered after its commit, and none after a rollback",
    () =>
      Effect.scoped(
        Effect.gen(function* () {
          const url = yield* backend.fresh
          const prefix = randomUUID()
          const sql = yield* open(url)
          const writer = yield* replicaOf(yield* databaseParts(sql, prefix, 2 ** 16))
          const reader = yield* replicaOf(yield* overDatabase(url, prefix))
          const messages = yield* reader.broadcast.subscribe(Room)
          yield* Effect.ignore(
            sql.withTransaction(
              Effect.andThen(writer.broadcast.publish(Room, "rolled back"), Effect.fail("no"))
            )
          )
          yield* sql.withTransaction(
            Effect.gen(function* () {
              yield* writer.broadcast.publish(Room, "committed later")
              // On another connection.
              yield* reader.broadcast.publish(Room, "committed first")
            })
          )
          const texts = yield* Stream.runCollect(Stream.take(messages, 2))
          expect(texts.map((one) => (one._tag === "Gap" ? "gap" : one.message))).toEqual([
            "committed first",
            "committed later"
          ])
        })
      )
  )

  it.live("a pool of one connection is refused: queries would have none", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const url = yield* backend.fresh
        const opened = overDatabase(url, randomUUID(), { maxConnections: 1 })
        expect(yield* Effect.flip(opened)).toMatchObject({
          _tag: "BroadcastBackendError",
          message:
            "Realtime.broadcastWithDatabase holds a connection of the pool, and database.maxConnections is 1. Raise it to 2 at least."
        })
      })
    )
  )

  it.live("a process has one connection that listens, whatever the number of its subscribers", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const url = yield* backend.fresh
        const prefix = randomUUID()
        const { broadcast, presence } = yield* replicaOf(yield* overDatabase(url, prefix))
        yield* Effect.replicateEffect(broadcast.subscribe(Room), 50, { concurrency: "unbounded" })
        yield* Effect.asVoid(presence.changes(Room))
        const sql = yield* open(url)
        expect(
          yield* sql`select pid from pg_stat_activity where query like ${`LISTEN%${channelOf(prefix)}%`}`
        ).toHaveLength(1)
      })
    )
  )
})
