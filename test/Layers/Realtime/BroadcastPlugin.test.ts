import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import { App } from "flange"
import * as Database from "flange/Database"
import * as Realtime from "flange/Realtime"
import { Broadcast, Presence, Topic } from "flange/Realtime"
import { TestApp } from "flange/Testing"
import { Assembly, partSize, split } from "../../../src/Layers/Realtime/BroadcastParts.ts"
import { Room } from "./broadcastRoom.ts"

const address = "a".repeat(43)

describe("broadcast as a plugin", () => {
  it.live("a message is published after the commit, and not after a rollback", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const chat = yield* TestApp.make(
          App.make("chat", [Database.plugin, Realtime.broadcastWithDatabase])
        )
        const texts = yield* chat.run(
          Effect.gen(function* () {
            const sql = yield* SqlClient
            const broadcast = yield* Broadcast
            const stream = yield* broadcast.subscribe(Room)
            yield* Effect.ignore(
              sql.withTransaction(
                Effect.andThen(broadcast.publish(Room, "rolled back"), Effect.fail("no"))
              )
            )
            yield* sql.withTransaction(
              Effect.gen(function* () {
                yield* broadcast.publish(Room, "committed")
                yield* broadcast.publish(Room, "outside").pipe(Database.outsideTransaction)
              })
            )
            return yield* Stream.runCollect(Stream.take(stream, 2))
          }).pipe(Effect.scoped)
        )
        expect(texts.map((one) => one._tag === "Message" && one.message)).toEqual([
          "outside",
          "committed"
        ])
      })
    )
  )

  it.live("presence works in one process without a server", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const chat = yield* TestApp.make(App.make("chat", [Realtime.broadcast]))
        const members = yield* chat.run(
          Effect.gen(function* () {
            const presence = yield* Presence
            yield* presence.join(Room, "ada")
            return yield* presence.list(Room)
          }).pipe(Effect.scoped)
        )
        expect(members).toEqual([{ id: "ada", meta: undefined }])
      })
    )
  )

  it.live("a backend that the plugin does not have is refused with the plugin that has it", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const app = App.make("chat", [Realtime.broadcast], {
          config: { values: { broadcast: { backend: "redis" } } }
        })
        const error = yield* Effect.flip(TestApp.make(app))
        expect(String(error)).toContain("Realtime.broadcastWithRedis")
      })
    )
  )

  it.live("a lease that is shorter than two heartbeats is refused", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const app = App.make("chat", [Realtime.broadcast], {
          config: { values: { broadcast: { heartbeat: "10 seconds", lease: "15 seconds" } } }
        })
        const error = yield* Effect.flip(TestApp.make(app))
        expect(String(error)).toContain(
          'broadcast.lease (it is less than twice broadcast.heartbeat, which is 10s): write a duration of at least "20s"'
        )
      })
    )
  )
})

describe("topics", () => {
  it("the name of a topic is no text of a user", () => {
    for (const name of ["", "a b", "*", "ä", "x".repeat(65), "1"]) {
      expect(() => Topic.make(name, { message: Schema.String })).toThrow(
        /Put what comes from users/
      )
    }
  })

  it("a key that its schema refuses throws", () => {
    const Odd = Topic.make("odd", { key: Schema.Int, message: Schema.String })
    expect(() => Odd.at(1.5)).toThrow()
  })
})

describe("the parts of a long message", () => {
  it("have less than 8000 bytes each, and characters stay whole", () => {
    const text = "aä€😀".repeat(5000)
    const parts = split({ address, text }, "id")
    expect(parts.length).toBeGreaterThan(Math.floor(Buffer.byteLength(text) / partSize))
    const assembly = new Assembly(2 ** 16)
    const found = parts.map((part) => {
      expect(Buffer.byteLength(part)).toBeLessThan(8000)
      return assembly.add(part)
    })
    expect(found.filter((one) => one !== undefined)).toEqual([{ address, text }])
    expect(found.at(-1)).toBeDefined()
  })

  it("of others, or without a beginning, are ignored, and take a bounded memory", () => {
    const assembly = new Assembly(2 ** 16)
    const parts = split({ address, text: "x".repeat(20_000) }, "id")
    for (const payload of [
      "",
      "hello",
      `${address} id 1 2 x`,
      `${address} id 0 999999 x`,
      `${address} id 0 2 half`,
      ...parts.slice(1),
      parts[0]!,
      parts[2]!,
      parts[1]!
    ]) {
      expect(assembly.add(payload)).toBeUndefined()
    }
    expect(parts.map((part) => assembly.add(part)?.text.length)).toEqual([
      undefined,
      undefined,
      20_000
    ])
  })
})
