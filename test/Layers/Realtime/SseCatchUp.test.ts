// Clients that come with an id: what they have missed, and how much of it waits for them.
import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { MemoryLog } from "../../../src/Layers/Realtime/EventLogMemory.ts"
import type { Position } from "../../../src/Layers/Realtime/EventLogPosition.ts"
import * as EventLogTails from "../../../src/Layers/Realtime/EventLogTails.ts"
import type { Settings } from "../../../src/Layers/Realtime/SseConfig.ts"
import { LogFollower } from "../../../src/Layers/Realtime/SseConnection.ts"
import * as SseConnections from "../../../src/Layers/Realtime/SseConnections.ts"
import type { Sink } from "../../../src/Server/Exchange/PushedBody.ts"

const maxBuffer = 2 ** 18

const settings: Settings = {
  heartbeat: Duration.seconds(15),
  maxAge: Duration.hours(1),
  maxBuffer,
  maxDuration: Duration.hours(1),
  maxEvents: 10_000,
  maxMemory: 2 ** 26,
  maxSize: 2 ** 16,
  pollInterval: Duration.seconds(1),
  retry: Duration.seconds(2)
}

/** A client that takes what is written when the test says so. */
class Client implements Sink {
  buffered = 0
  #drains: Array<() => void> = []
  isCut = false
  /** The largest number of bytes that waited. */
  most = 0
  text = ""

  cut(): void {
    this.isCut = true
  }

  end(): void {}

  onDrain(done: () => void): void {
    if (this.buffered === 0) queueMicrotask(done)
    else this.#drains.push(done)
  }

  read(): void {
    this.buffered = 0
    for (const done of this.#drains.splice(0)) done()
  }

  write(bytes: Uint8Array): void {
    this.buffered += bytes.length
    this.most = Math.max(this.most, this.buffered)
    this.text += Buffer.from(bytes).toString()
  }

  get ids(): ReadonlyArray<number> {
    return [...this.text.matchAll(/^id: \d+-(\d+)\nevent: note$/gm)].map(([, id]) => Number(id))
  }
}

const until = (condition: () => boolean) =>
  Effect.gen(function* () {
    while (!condition()) yield* Effect.sleep(2)
  })

/** Connects a client that continues after `position`. */
const connected = (log: MemoryLog, position: Position): Effect.Effect<Client, never, Scope.Scope> =>
  Effect.gen(function* () {
    const tails = yield* EventLogTails.make(log)
    const connections = yield* SseConnections.make(settings, log, tails)
    const tail = yield* tails.open("notes")
    const client = new Client()
    const follower = new LogFollower(connections, Number.MAX_SAFE_INTEGER, tail, position)
    yield* Effect.acquireRelease(
      Effect.sync(() => follower.start(client)),
      () => Effect.sync(() => follower.closed())
    )
    return client
  }).pipe(Effect.orDie)

const bounds = { maxAge: 3_600_000, maxEvents: 10_000 }

describe("a client that comes back", () => {
  it.live("has about as many bytes waiting as may wait, however large its events are", () =>
    Effect.gen(function* () {
      const log = new MemoryLog(bounds, settings.maxMemory)
      const count = 100
      for (let i = 0; i < count; i++) yield* log.append("notes", "note", "x".repeat(60_000))
      const client = yield* connected(log, { generation: 0, sequence: 0 })
      while (client.ids.length < count) {
        yield* until(() => client.buffered > 0)
        client.read()
      }
      expect(client.ids).toEqual(Array.from({ length: count }, (_, i) => i + 1))
      expect(client.most).toBeLessThanOrEqual(maxBuffer + 100)
      expect(client.isCut).toBe(false)
    })
  )

  it.live("is told that the log never had its id, and gets what comes", () =>
    Effect.gen(function* () {
      const log = new MemoryLog(bounds, settings.maxMemory)
      const { generation } = yield* log.append("notes", "note", "1")
      // The database may have been restored from a copy.
      const client = yield* connected(log, { generation, sequence: 50 })
      yield* until(() => client.text.includes("event: reset"))
      expect(client.text).toContain(`id: ${generation}-1\nevent: reset\ndata: {"reason":"unknown"}`)
      client.read()
      yield* log.append("notes", "note", "2")
      yield* until(() => client.ids.includes(2))
    })
  )
})
