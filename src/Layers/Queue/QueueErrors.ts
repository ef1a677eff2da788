/** The errors of enqueueing, and of the plugins. */
import * as Data from "effect/Data"

/**
 * An item or a result is refused. A refused item is not enqueued, nor is its batch. A refused result fails its attempt
 * with the message of this error.
 */
export class QueueRefused extends Data.TaggedError("QueueRefused")<{
  /** The part of the item that is refused. `items`: there are too many. */
  readonly field: "delay" | "id" | "items" | "payload" | "priority" | "result" | "tenant"
  readonly queue: string
  /** The value, why it is refused, and what to write instead. */
  readonly reason: string
}> {
  override get message(): string {
    const part = this.field === "items" ? "A batch" : `The ${this.field} of an item`
    return `${part} of the queue "${this.queue}" is refused: ${this.reason}`
  }
}

/** The plugin does not have the backend that the configuration chooses. */
export class QueueBackendError extends Data.TaggedError("QueueBackendError")<{
  readonly message: string
}> {}
