/** The subscriptions of a process: one for each address, whatever the number of its subscribers. */
import { createHash } from "node:crypto"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Metering from "../../Plugin/Metering.ts"
import type { Bus, Letter, Listener } from "./BroadcastBus.ts"
import type { BroadcastUnavailable } from "./BroadcastErrors.ts"
import * as BroadcastShared from "./BroadcastShared.ts"
import type { Topic } from "./BroadcastTopic.ts"

/**
 * Returns the address of a topic. Its key may come from a stranger, and its digest is part of
 * no pattern, is never too long, and has no characters that a server treats in another way.
 */
export const addressOf = (
  kind: "members" | "messages",
  { key, name }: Pick<Topic<never, never>, "key" | "name">
): string => createHash("sha256").update(`${kind}\0${name}\0${key}`).digest("base64url")

/** What a process counts. */
export interface Counts {
  /** Messages that were dropped because a subscriber was slow. */
  dropped: number
  /** Times that a subscription may have missed messages. */
  gaps: number
  listeners: number
  published: number
  received: number
  /** Messages that the schema of their topic refused. */
  undecodable: number
}

/** The hub of a process. */
export interface Hub {
  readonly bus: Bus
  readonly counts: Counts
  /** Listens until the scope closes. It has the rules of `Bus.subscribe`. */
  readonly listen: (address: string, listener: Listener) => Effect.Effect<void, never, Scope.Scope>
  /** Publishes at once, or in the transaction of the calling fiber if the bus takes part in it. */
  readonly publish: (letters: ReadonlyArray<Letter>) => Effect.Effect<void, BroadcastUnavailable>
  /** Counts a text that could not be decoded, and logs the first one of each topic. */
  readonly refused: (topic: string) => void
}

const reading = (
  id: string,
  description: string,
  read: () => number,
  type: "counter" | "gauge" = "counter"
): Metering.Reading => ({ description, id: `flange.broadcast.${id}`, read, type })

/** Creates the hub of a process over a bus. */
export const make = (bus: Bus): Effect.Effect<Hub, never, Scope.Scope> =>
  Effect.gen(function* () {
    const counts: Counts = {
      dropped: 0,
      gaps: 0,
      listeners: 0,
      published: 0,
      received: 0,
      undecodable: 0
    }
    yield* Metering.readings([
      reading("dropped", "Messages dropped because a subscriber was slow", () => counts.dropped),
      reading("gaps", "Subscriptions that may have missed messages", () => counts.gaps),
      reading("published", "Messages that this process published", () => counts.published),
      reading("received", "Messages that this process received", () => counts.received),
      reading("subscribers", "Subscribers in this process", () => counts.listeners, "gauge"),
      reading("undecodable", "Messages that a schema refused", () => counts.undecodable)
    ])
    const listenersAt = yield* BroadcastShared.make((address) => {
      const listeners = new Set<Listener>()
      const subscribed = bus.subscribe(address, {
        onGap: (dropped) => {
          counts.gaps++
          for (const { onGap } of listeners) onGap(dropped)
        },
        onText: (text) => {
          counts.received++
          for (const { onText } of listeners) onText(text)
        }
      })
      return Effect.as(subscribed, listeners)
    })
    const known = new Set<string>()
    const runFork = Effect.runForkWith(yield* Effect.context<never>())
    return {
      bus,
      counts,
      listen: Effect.fnUntraced(function* (address, listener) {
        const listeners = yield* listenersAt(address)
        yield* Effect.acquireRelease(
          Effect.sync(() => {
            listeners.add(listener)
            counts.listeners++
          }),
          () =>
            Effect.sync(() => {
              listeners.delete(listener)
              counts.listeners--
            })
        )
      }),
      publish: (letters) =>
        Effect.tap(bus.publish(letters), () =>
          Effect.sync(() => void (counts.published += letters.length))
        ),
      refused: (topic) => {
        counts.undecodable++
        if (known.has(topic)) return
        known.add(topic)
        runFork(
          Effect.logWarning(
            `A message of the topic ${topic} does not have its schema, probably because a replica has another version. Such messages are skipped, and counted in flange.broadcast.undecodable.`
          )
        )
      }
    }
  })
