/** What a backend of the log of events has to do. */
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Position } from "./EventLogPosition.ts"

/** A backend did not carry out an operation. */
export class EventLogError extends Data.TaggedError("EventLogError")<{
  readonly cause: unknown
  /** The operation, such as `append`. */
  readonly operation: string
}> {
  override get message(): string {
    return `The log of events failed to ${this.operation}: ${String(this.cause)}`
  }
}

/** An event as it is kept. */
export interface Entry {
  /** The data as JSON. */
  readonly data: string
  readonly event: string
  readonly sequence: number
}

/** A part of a topic, and the bounds of the topic at that time. */
export interface Page {
  /** In the order of their sequence. */
  readonly entries: ReadonlyArray<Entry>
  /** The sequence of the oldest event that is kept; `last + 1` if none is. */
  readonly first: number
  /** 0 for a topic that has no event so far. */
  readonly generation: number
  /** The sequence of the last event; 0 if there is none. */
  readonly last: number
}

/** How much of each topic is kept. */
export interface Bounds {
  /** In milliseconds. */
  readonly maxAge: number
  readonly maxEvents: number
}

/** The bounds of a topic without events. */
export const nothing: Page = { entries: [], first: 1, generation: 0, last: 0 }

/** Where events are kept. */
export interface Backend {
  /** Adds an event. An append is visible to readers only after those with lower sequences. */
  readonly append: (
    topic: string,
    event: string,
    data: string
  ) => Effect.Effect<Position, EventLogError>
  /** Reads at most `limit` events after a sequence. */
  readonly page: (topic: string, after: number, limit: number) => Effect.Effect<Page, EventLogError>
  /** Fails if the backend does not work. */
  readonly ping: Effect.Effect<void, EventLogError>
  /**
   * Calls `wake` whenever the topic may have further events, until the scope closes. A call too many does
   * no harm.
   */
  readonly watch: (topic: string, wake: () => void) => Effect.Effect<void, never, Scope.Scope>
}

/** The functions to wake, by topic. */
export class Watchers {
  readonly #wakes = new Map<string, Set<() => void>>()

  /** The topics that are watched. */
  get topics(): Iterable<string> {
    return this.#wakes.keys()
  }

  /** Adds a function. Returns the function that removes it. */
  add(topic: string, wake: () => void): () => void {
    const wakes = this.#wakes.get(topic) ?? new Set()
    wakes.add(wake)
    this.#wakes.set(topic, wakes)
    return () => {
      wakes.delete(wake)
      if (wakes.size === 0) this.#wakes.delete(topic)
    }
  }

  /** Wakes the watchers of a topic. */
  wake(topic: string): void {
    for (const wake of this.#wakes.get(topic) ?? []) wake()
  }

  /** Wakes all watchers. */
  wakeAll(): void {
    for (const topic of this.#wakes.keys()) this.wake(topic)
  }
}
