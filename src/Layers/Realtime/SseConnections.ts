/** All open event streams of a process: their heartbeats, their end, and what they have missed. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Metering from "../../Plugin/Metering.ts"
import { type Advance, advance } from "./EventLogAdvance.ts"
import type { Backend, EventLogError } from "./EventLogBackend.ts"
import { pageSize } from "./EventLogTail.ts"
import type { Tails } from "./EventLogTails.ts"
import type { Settings } from "./SseConfig.ts"
import type { Connection, Hub, LogFollower } from "./SseConnection.ts"
import * as SseFrames from "./SseFrames.ts"

/**
 * The heartbeats of an interval are sent in so many parts, so that thousands of streams do not write at the
 * same moment.
 */
const slots = 16

/** How many clients read what they have missed at the same time. */
const readers = 8

/** The wait before a client that has read all looks whether its tail has too, in milliseconds. */
const joinWait = 10

/** The open streams. */
export interface Connections extends Hub {
  /** Lets every client connect again, also those that come later. */
  readonly drain: Effect.Effect<void>
  /** Runs an effect in the background. Returns the function that interrupts it. */
  readonly run: (effect: Effect.Effect<void>) => () => void
}

/** Returns the first events of a page, about `size` bytes of them, and how many these are. */
const framed = ({ entries, position: { generation } }: Advance, size: number) => {
  const frames: Array<Buffer> = []
  let length = 0
  for (const entry of entries) {
    const frame = SseFrames.entry(entry, generation)
    if (length > 0 && length + frame.length > size) break
    frames.push(frame)
    length += frame.length
  }
  return { bytes: Buffer.concat(frames, length), count: frames.length }
}

/** Creates the registry, with one timer for all streams. Closing the scope ends it. */
export const make = (
  settings: Settings,
  backend: Backend,
  tails: Tails
): Effect.Effect<Connections, never, Scope.Scope> =>
  Effect.gen(function* () {
    const context = yield* Effect.context<never>()
    const wheel = Array.from({ length: slots }, () => new Set<Connection>())
    const retry = Duration.toMillis(settings.retry)
    const permits = Semaphore.makeUnsafe(readers)
    const fibers = new Set<Fiber.Fiber<unknown>>()
    let count = 0
    let cuts = 0
    let cutsLogged = 0
    let isDraining = false
    let turn = 0

    yield* Effect.addFinalizer(() => Effect.suspend(() => Fiber.interruptAll(fibers)))

    yield* Metering.readings([
      {
        description: "Event streams that are open",
        id: "flange.sse.connections",
        read: () => count,
        type: "gauge"
      },
      {
        description: "Event streams that were cut because their clients read too slowly",
        id: "flange.sse.cuts",
        read: () => cuts,
        type: "counter"
      }
    ])

    const run = (effect: Effect.Effect<void>): (() => void) => {
      const fiber = Effect.runForkWith(context)(effect)
      fibers.add(fiber)
      fiber.addObserver(() => void fibers.delete(fiber))
      return () => fiber.interruptUnsafe()
    }

    const drained = (follower: LogFollower) =>
      Effect.callback<void>((resume) => follower.drained(() => resume(Effect.void)))

    /** Sends the events after the position of a client, at its speed, until it is in its tail. */
    const caughtUp = Effect.fnUntraced(function* (follower: LogFollower) {
      const { tail } = follower
      // Large events are read in small pages.
      let limit = pageSize
      while (follower.isOpen) {
        const before = follower.position
        const page = yield* permits.withPermits(1)(backend.page(tail.topic, before.sequence, limit))
        const found = advance(before, page)
        const { bytes, count } = framed(found, settings.maxBuffer)
        const isCut = count < found.entries.length
        limit = Math.min(pageSize, 2 * (isCut ? count : limit))
        follower.position = isCut
          ? { ...found.position, sequence: before.sequence + count }
          : found.position
        if (found.lost !== undefined) follower.lost(found.lost, found.position)
        else if (count > 0) follower.receive(bytes)
        yield* drained(follower)
        if (!follower.isOpen) return
        if (!isCut && !found.isBehind && tail.join(follower)) return
        if (found.entries.length === 0) {
          tail.wake()
          yield* Effect.sleep(joinWait)
        }
      }
    })

    const failed = (follower: LogFollower, cause: Cause.Cause<EventLogError>) =>
      Effect.andThen(
        Effect.logWarning("An event stream ends because its events cannot be read", cause),
        Effect.sync(() => follower.end())
      )

    const tick = Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      for (const connection of wheel[turn]!) connection.beat(now)
      turn = (turn + 1) % slots
      const more = cuts - cutsLogged
      cutsLogged = cuts
      if (more > 0) {
        yield* Effect.logWarning(
          `${more} event stream${more === 1 ? " was" : "s were"} cut: more than sse.maxBuffer waited for the client`
        )
      }
      yield* tails.sweep(now)
    })
    const interval = Duration.toMillis(settings.heartbeat) / slots
    yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(interval), tick)))

    let next = 0
    return {
      add: (connection) => {
        count++
        connection.slot = next++ % slots
        wheel[connection.slot]!.add(connection)
      },
      catchUp: (follower) =>
        run(
          Effect.catchCause(caughtUp(follower), (cause) =>
            Cause.hasInterruptsOnly(cause) ? Effect.interrupt : failed(follower, cause)
          )
        ),
      countCut: () => {
        cuts++
      },
      drain: Effect.sync(() => {
        isDraining = true
        for (const connections of wheel) {
          for (const connection of connections) connection.end()
        }
      }),
      get isDraining() {
        return isDraining
      },
      maxBuffer: settings.maxBuffer,
      // Clients of all streams do not come back at the same moment.
      pause: () => retry * (0.5 + Math.random()),
      remove: (connection) => {
        if (wheel[connection.slot]!.delete(connection)) count--
      },
      run
    }
  })
