/**
 * The Redis that the plugins of an app share. Commands go through `Redis` of `effect/persistence/Redis`;
 * this module adds what that service does not have: the prefix of keys, subscriptions that report what
 * they may have missed, and the error of a server that is away.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"

/** A message of a channel. */
export interface Message {
  readonly _tag: "Message"
  readonly channel: string
  readonly text: string
}

/**
 * A place between messages where some may be missing. A subscriber that keeps copies of data drops them,
 * because it may not have been told of a change.
 */
export interface Gap {
  readonly _tag: "Gap"
  readonly channel: string
  /**
   * How many messages were dropped because the subscriber was slower than they came; undefined after an
   * interruption of the connection, which nobody can count.
   */
  readonly dropped: number | undefined
}

/** An element of a subscription. */
export type Delivery = Gap | Message

/** The service `SharedRedis`. */
export interface SharedRedisShape {
  /**
   * The text that begins every key and channel of the app, such as `shop:`. `redis.prefix` sets it, and
   * the id of the app is the default. Commands do not add it.
   */
  readonly prefix: string
  /**
   * Subscribes to a channel until the scope closes, and returns the queue of its deliveries. It succeeds
   * when Redis has confirmed the subscription, or after `redis.commandTimeout`: the queue then begins
   * with a `Gap` as soon as Redis is back. After each interruption the subscription is renewed, and a
   * `Gap` comes before the next message.
   *
   * The queue holds `redis.subscriptionBuffer` deliveries. If more wait, all of them are dropped and one
   * `Gap` takes their place.
   */
  readonly subscribe: (
    channel: string
  ) => Effect.Effect<Queue.Dequeue<Delivery>, never, Scope.Scope>
}

/**
 * The Redis that the plugins of an app share: its prefix and its channels. `Redis.plugin` of
 * `flange/Redis` provides it, together with `Redis` of `effect/persistence/Redis`.
 */
export class SharedRedis extends Context.Service<SharedRedis, SharedRedisShape>()(
  "flange/SharedRedis"
) {}

/**
 * Redis did not carry out a command, although the command may be right. It is the `cause` of a
 * `RedisError`. Another cause is an error of the command itself, such as a wrong type of key.
 *
 * - `disconnected`: there is no connection. The command failed at once, or its connection was lost.
 * - `refused`: the server answered that it cannot serve now, for example while it loads its data.
 * - `timeout`: there was no reply within `redis.commandTimeout`.
 *
 * With `disconnected` and `timeout` the server may have carried the command out.
 */
export class RedisUnavailable extends Schema.TaggedError<RedisUnavailable>()("RedisUnavailable", {
  /** The whole reason, such as `it answered LOADING Redis is loading the dataset in memory`. */
  detail: Schema.String,
  reason: Schema.Literals(["disconnected", "refused", "timeout"]),
  /** The server, such as `Redis at cache:6379`. */
  target: Schema.String
}) {
  override get message(): string {
    return `${this.target} is not available: ${this.detail}.`
  }
}
