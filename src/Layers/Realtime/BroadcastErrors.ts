/** The errors of broadcast and presence. */
import * as Data from "effect/Data"

/** A message is larger than `broadcast.maxSize`, or the id of a member or its metadata is too large. */
export class BroadcastTooLarge extends Data.TaggedError("BroadcastTooLarge")<{
  readonly limit: number
  /** The bytes of its JSON. */
  readonly size: number
  readonly topic: string
  readonly what: "id" | "member" | "message"
}> {
  override get message(): string {
    const { limit, size, topic, what } = this
    if (what === "id") {
      return `The id of a member of the topic ${topic} has ${size} bytes, and the limit is ${limit}. Use the id of an account, or a digest of the text.`
    }
    return what === "message"
      ? `A message of the topic ${topic} has ${size} bytes, and broadcast.maxSize is ${limit}. Store the content and publish its id, or raise broadcast.maxSize.`
      : `A member of the topic ${topic} has ${size} bytes with its metadata, and the limit is ${limit}. Keep in the metadata only what every reader of the list needs.`
  }
}

/** Redis or the database did not carry out an operation. It may have done so without an answer. */
export class BroadcastUnavailable extends Data.TaggedError("BroadcastUnavailable")<{
  readonly cause: unknown
  readonly operation: string
}> {
  override get message(): string {
    return `Broadcast failed to ${this.operation}: ${String(this.cause)}`
  }
}

/** A subscriber with `onSlow: "fail"` was slower than the messages came. */
export class SubscriberTooSlow extends Data.TaggedError("SubscriberTooSlow")<{
  readonly buffer: number
  readonly topic: string
}> {
  override get message(): string {
    return `A subscriber of the topic ${this.topic} had ${this.buffer} messages waiting when the next one came. Subscribe again and read the present state, or raise buffer.`
  }
}

/** The plugin does not have the backend that the configuration chooses. */
export class BroadcastBackendError extends Data.TaggedError("BroadcastBackendError")<{
  readonly message: string
}> {}
