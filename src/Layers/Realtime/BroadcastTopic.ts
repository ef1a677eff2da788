/** Topics: what is broadcast to the replicas of an app, by name, key and schema. It imports nothing of the server. */
import * as Schema from "effect/Schema"
import * as OwnKeys from "../../Contract/OwnKeys.ts"

/** A schema whose values travel as JSON. */
export type JsonSchema<A> = Schema.Codec<A, unknown>

/**
 * What is published to and subscribed to: a topic without keys, or a keyed topic at one key.
 *
 * - `Message`: what is published
 * - `Meta`: what is known of a member besides its id, `undefined` if the topic has no `meta`
 */
export interface Topic<Message, Meta> {
  /** The JSON text of the key. Empty for a topic without keys. */
  readonly key: string
  readonly message: JsonSchema<Message>
  readonly meta: JsonSchema<Meta>
  readonly name: string
}

/** A topic with keys, each of which is a topic of its own. */
export interface KeyedTopic<Key, Message, Meta> {
  /**
   * Returns the topic of a key. It throws if the schema of the key refuses the value, which a key that
   * the contract has decoded with this schema cannot be.
   */
  readonly at: (key: Key) => Topic<Message, Meta>
  readonly name: string
}

const form = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/

const checked = (name: string): void => {
  if (form.test(name)) return
  throw new Error(
    `Topic.make(${JSON.stringify(name)}): the name of a topic is a letter and at most 63 letters, digits, _, - and ., because it is part of names in Redis and in logs. Put what comes from users into the key.`
  )
}

/** The options of a topic without keys. */
export interface Options<Message> {
  /** The schema of the messages. */
  readonly message: JsonSchema<Message>
}

/** Creates topics. */
export interface Make {
  /** Creates a topic with keys whose members have metadata. */
  <Key, Message, Meta>(
    name: string,
    options: Options<Message> & {
      readonly key: JsonSchema<Key>
      readonly meta: JsonSchema<Meta>
    }
  ): KeyedTopic<Key, Message, Meta>
  /** Creates a topic with keys. */
  <Key, Message>(
    name: string,
    options: Options<Message> & { readonly key: JsonSchema<Key>; readonly meta?: undefined }
  ): KeyedTopic<Key, Message, undefined>
  /** Creates a topic without keys whose members have metadata. */
  <Message, Meta>(
    name: string,
    options: Options<Message> & { readonly key?: undefined; readonly meta: JsonSchema<Meta> }
  ): Topic<Message, Meta>
  /** Creates a topic without keys. */
  <Message>(
    name: string,
    options: Options<Message> & { readonly key?: undefined; readonly meta?: undefined }
  ): Topic<Message, undefined>
}

/**
 * Creates a topic. Its name is the same in all replicas. With `key` each key is a topic of its own:
 * `Room.at("lobby")`. `meta` is the schema of what `Presence.join` tells of a member besides its id.
 *
 * Replicas of two versions of the app share a topic while a deployment runs, so change its schemas as you
 * change a table: add optional fields, and remove a field one version after its last reader. A message that
 * a replica cannot decode is skipped, counted, and logged once.
 *
 * @example
 * ```ts
 * import * as Schema from "effect/Schema"
 * import { Topic } from "flange/Realtime"
 *
 * const Room = Topic.make("room", {
 *   key: Schema.String,
 *   message: Schema.Struct({ from: Schema.String, text: Schema.String })
 * })
 * const News = Topic.make("news", { message: Schema.String })
 *
 * Room.at("lobby").key // => '"lobby"'
 * News.name // => "news"
 * ```
 */
export const make: Make = <Key, Message, Meta>(
  name: string,
  {
    key: keySchema,
    message,
    meta = Schema.Undefined
  }: Options<Message> & {
    readonly key?: JsonSchema<Key> | undefined
    readonly meta?: JsonSchema<Meta> | Schema.Undefined | undefined
  }
): never => {
  checked(name)
  if (keySchema === undefined) return { key: "", message, meta, name } as never // as `Make` has it
  const codec = Schema.toCodecJson(keySchema)
  // A schema may have a part that is declared later.
  let encode: ((key: Key) => unknown) | undefined
  const at = (key: Key) => {
    encode ??= Schema.encodeSync(OwnKeys.encoding(codec))
    return { key: JSON.stringify(encode(key)), message, meta, name }
  }
  return { at, name } as never // as `Make` has it
}
