/** Broadcast: messages to the subscribers of all replicas of an app. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { AppRuntimeShape } from "../../Plugin/AppRuntime.ts"
import * as Transactions from "../../Plugin/Transactions.ts"
import * as BroadcastCodec from "./BroadcastCodec.ts"
import {
  BroadcastTooLarge,
  type BroadcastUnavailable,
  SubscriberTooSlow
} from "./BroadcastErrors.ts"
import { addressOf, type Hub } from "./BroadcastHub.ts"
import { Mailbox } from "./BroadcastMailbox.ts"
import type { Topic } from "./BroadcastTopic.ts"

/** A message that was published. */
export interface Message<A> {
  readonly _tag: "Message"
  readonly message: A
}

/**
 * A place between messages where some are missing or may be. A subscriber that keeps a copy of data reads it
 * again.
 */
export interface Gap {
  readonly _tag: "Gap"
  /**
   * How many messages were dropped because the subscriber was slower than they came; undefined after an
   * outage, which nobody can count.
   */
  readonly dropped: number | undefined
}

/** An element of a subscription. */
export type Delivery<A> = Gap | Message<A>

/** The options of a subscriber. */
export interface SubscribeOptions {
  /** How many messages may wait for the subscriber. Default: 64. */
  readonly buffer?: number
  /**
   * What happens if more wait: `drop` drops the oldest and puts a `Gap` with their number in their place,
   * `fail` ends the stream with `SubscriberTooSlow`. Others never wait for a slow subscriber. Default:
   * `drop`.
   */
  readonly onSlow?: "drop" | "fail"
}

/** The service `Broadcast`. */
export interface Shape {
  /**
   * Publishes a message to the subscribers of the topic in all replicas, this one included. In a
   * transaction of the database it is delivered after the commit, and never after a rollback. A message
   * that its schema refuses is a defect.
   */
  readonly publish: <M, Meta>(
    topic: Topic<M, Meta>,
    message: M
  ) => Effect.Effect<void, BroadcastTooLarge | BroadcastUnavailable>
  /**
   * Subscribes until the scope closes, and returns the stream of all that is published from then on. So a
   * subscriber that shows a state reads it after this effect and before it runs the stream. What was
   * published shortly before may be in the stream too. The stream has one reader.
   *
   * If the server is away, the effect succeeds after a few seconds. The stream has a `Gap` when the
   * subscription is made, and after each outage.
   */
  readonly subscribe: {
    <M, Meta>(
      topic: Topic<M, Meta>,
      options?: SubscribeOptions & { readonly onSlow?: "drop" }
    ): Effect.Effect<Stream.Stream<Delivery<M>>, never, Scope.Scope>
    <M, Meta>(
      topic: Topic<M, Meta>,
      options: SubscribeOptions
    ): Effect.Effect<Stream.Stream<Delivery<M>, SubscriberTooSlow>, never, Scope.Scope>
  }
}

/** Publishes and subscribes. The plugins `broadcast...` of this battery provide it. */
export class Broadcast extends Context.Service<Broadcast, Shape>()("flange/Realtime/Broadcast") {}

const merged = (one: number | undefined, other: number | undefined): number | undefined =>
  one === undefined || other === undefined ? undefined : one + other

/** Drops the oldest message, and puts a gap in its place. Returns how many messages that was. */
const dropOldest = <M>(waiting: Array<Delivery<M>>): number => {
  let dropped: number | undefined = 0
  let count = 0
  // A gap at the beginning takes the message after it with it, and another gap behind that.
  while (waiting.length > 0 && (count === 0 || waiting[0]?._tag === "Gap")) {
    const [oldest] = waiting.splice(0, 1)
    if (oldest?._tag === "Gap") dropped = merged(dropped, oldest.dropped)
    else {
      count++
      dropped = merged(dropped, 1)
    }
  }
  waiting.unshift({ _tag: "Gap", dropped })
  return count
}

/** Creates the service over the hub of a process. Without an app there are no transactions. */
export const make = (hub: Hub, maxSize: number, runtime: Option.Option<AppRuntimeShape>): Shape => {
  /** Publishes after the commit of the transaction of the fiber, or at once. */
  const whenCommitted = (
    publish: Effect.Effect<void, BroadcastUnavailable>
  ): Effect.Effect<void, BroadcastUnavailable> => {
    if (hub.bus.isTransactional || runtime._tag === "None") return publish
    return Effect.flatMap(Transactions.current(runtime.value), ({ length }) =>
      length === 0
        ? publish
        : Transactions.afterCommit(
            runtime.value,
            Effect.catch(publish, (error) =>
              Effect.logError(
                "A message was not published after the commit of its transaction",
                error
              )
            )
          )
    )
  }
  let latest: { codec: object; message: Message<unknown> | undefined; text: string } | undefined

  /** Decodes a text once for all subscribers that have the same schema. */
  const decoded = <M>(
    topic: string,
    codec: BroadcastCodec.TextCodec<M>,
    text: string
  ): Message<M> | undefined => {
    if (latest?.codec !== codec || latest.text !== text) {
      const found = codec.decode(text)
      if (found._tag === "None") hub.refused(topic)
      const message =
        found._tag === "None" ? undefined : ({ _tag: "Message", message: found.value } as const)
      latest = { codec, message, text }
    }
    return latest.message as Message<M> | undefined // the codec made it
  }

  return {
    publish: <M, Meta>(topic: Topic<M, Meta>, message: M) =>
      Effect.suspend((): Effect.Effect<void, BroadcastTooLarge | BroadcastUnavailable> => {
        const text = BroadcastCodec.of(topic.message).encode(message)
        const size = Buffer.byteLength(text)
        if (size > maxSize) {
          return Effect.fail(
            new BroadcastTooLarge({ limit: maxSize, size, topic: topic.name, what: "message" })
          )
        }
        return whenCommitted(hub.publish([{ address: addressOf("messages", topic), text }]))
      }),
    subscribe: <M, Meta>(
      topic: Topic<M, Meta>,
      { buffer = 64, onSlow = "drop" }: SubscribeOptions = {}
    ) =>
      Effect.gen(function* () {
        const codec = BroadcastCodec.of(topic.message)
        const { name } = topic
        const room = Math.max(1, buffer)
        const mailbox = new Mailbox<Delivery<M>, SubscriberTooSlow>(room, (waiting) => {
          if (onSlow === "fail") return new SubscriberTooSlow({ buffer: room, topic: name })
          hub.counts.dropped += dropOldest(waiting)
          return undefined
        })
        const stream = yield* mailbox.stream
        yield* hub.listen(addressOf("messages", topic), {
          onGap: (dropped) => {
            const { last } = mailbox
            if (last?._tag === "Gap") {
              mailbox.replaceLast({ _tag: "Gap", dropped: merged(last.dropped, dropped) })
            } else mailbox.push({ _tag: "Gap", dropped })
          },
          onText: (text) => {
            const message = decoded(name, codec, text)
            if (message !== undefined) mailbox.push(message)
          }
        })
        // Without `fail` the mailbox never fails.
        return stream as Stream.Stream<Delivery<M>>
      })
  }
}
