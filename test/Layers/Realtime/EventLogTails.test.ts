/** Tests of the tails of topics that no client has. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { MemoryLog } from "../../../src/Layers/Realtime/EventLogMemory.ts"
import * as EventLogTails from "../../../src/Layers/Realtime/EventLogTails.ts"
import { type Hub, LogFollower } from "../../../src/Layers/Realtime/SseConnection.ts"

/** Opens tails, and tells which topics are watched. */
const opened = Effect.gen(function* () {
  const log = new MemoryLog({ maxAge: 3_600_000, maxEvents: 10 }, 2 ** 20)
  const watched = new Set<string>()
  const tails = yield* EventLogTails.make({
    append: log.append,
    page: log.page,
    ping: log.ping,
    watch: (topic) =>
      Effect.acquireRelease(
        Effect.sync(() => watched.add(topic)),
        () => Effect.sync(() => watched.delete(topic))
      )
  })
  return { tails, watched }
})

describe("tails without clients", () => {
  it.effect("at most 1000 of them stay open, the latest", () =>
    Effect.gen(function* () {
      const { tails, watched } = yield* opened
      const held = yield* tails.open("held")
      held.hold()
      for (let i = 0; i < 1500; i++) yield* tails.open(`topic-${i}`)
      yield* tails.sweep(0)
      assert.strictEqual(watched.size, 1001)
      assert.isTrue(watched.has("held"))
      assert.isFalse(watched.has("topic-499"))
      assert.isTrue(watched.has("topic-500"))
    })
  )

  it.effect("a stream that begins on one that has closed ends, and a reader does not wait", () =>
    Effect.gen(function* () {
      const { tails, watched } = yield* opened
      const tail = yield* tails.open("topic")
      yield* tails.sweep(0)
      yield* tails.sweep(30_000)
      assert.strictEqual(watched.size, 0)
      const called: Array<string> = []
      const hub: Hub = {
        add: () => called.push("add"),
        catchUp: () => () => {},
        countCut: () => {},
        isDraining: false,
        maxBuffer: 1000,
        pause: () => 1000,
        remove: () => called.push("remove")
      }
      const follower = new LogFollower(hub, Infinity, tail, tail.position)
      follower.start({
        buffered: 0,
        cut: () => called.push("cut"),
        end: () => called.push("end"),
        onDrain: () => {},
        write: () => called.push("write")
      })
      assert.strictEqual(called.at(-1), "end")
      yield* tail.changed(tail.position)
    })
  )
})
