/** The log of events in the memory of the process. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import {
  type Backend,
  type Bounds,
  type Entry,
  type EventLogError,
  nothing,
  type Page,
  Watchers
} from "./EventLogBackend.ts"

/** An event with its size and its time, in milliseconds. */
interface Kept {
  readonly bytes: number
  readonly entry: Entry
  readonly time: number
}

interface Topic {
  readonly entries: Array<Kept>
  readonly generation: number
  last: number
}

/** Bytes of an event beside its texts. */
const overhead = 120

/** How many topics without events are remembered, so that their readers continue. */
const mostTopics = 10_000

/** Keeps events in memory. All topics together have a budget of bytes. */
export class MemoryLog implements Backend {
  readonly #bounds: Bounds
  #bytes = 0
  #generation = 0
  readonly #maxBytes: number
  readonly ping = Effect.void
  /** The topic with the oldest last event first. */
  readonly #topics = new Map<string, Topic>()
  readonly #watchers = new Watchers()

  constructor(bounds: Bounds, maxBytes: number) {
    this.#bounds = bounds
    this.#maxBytes = maxBytes
  }

  /** The bytes of all events. */
  get bytes(): number {
    return this.#bytes
  }

  readonly append: Backend["append"] = (topic, event, data) =>
    this.#run((now) => {
      const found = this.#topics.get(topic) ?? this.#create(now)
      this.#topics.delete(topic)
      this.#topics.set(topic, found)
      const bytes = 2 * (event.length + data.length) + overhead
      found.entries.push({ bytes, entry: { data, event, sequence: ++found.last }, time: now })
      this.#bytes += bytes
      this.#trim(found, now)
      this.#evict()
      this.#watchers.wake(topic)
      return { generation: found.generation, sequence: found.last }
    })

  readonly page: Backend["page"] = (topic, after, limit) =>
    this.#run((now): Page => {
      const kept = this.#topics.get(topic)
      if (kept === undefined) return nothing
      this.#trim(kept, now)
      const { entries, generation, last } = kept
      const first = entries[0]?.entry.sequence ?? last + 1
      const from = Math.max(0, after + 1 - first)
      const found = entries.slice(from, from + limit).map(({ entry }) => entry)
      return { entries: found, first, generation, last }
    })

  readonly watch: Backend["watch"] = (topic, wake) =>
    Effect.asVoid(
      Effect.acquireRelease(
        Effect.sync(() => this.#watchers.add(topic, wake)),
        (remove) => Effect.sync(remove)
      )
    )

  #create(now: number): Topic {
    this.#generation = Math.max(this.#generation + 1, Math.trunc(now))
    return { entries: [], generation: this.#generation, last: 0 }
  }

  #drop(topic: Topic, count: number): void {
    for (const { bytes } of topic.entries.splice(0, count)) this.#bytes -= bytes
  }

  #trim(topic: Topic, now: number): void {
    const { maxAge, maxEvents } = this.#bounds
    const { entries } = topic
    let count = Math.max(0, entries.length - maxEvents)
    while (count < entries.length && entries[count]!.time < now - maxAge) count++
    if (count > 0) this.#drop(topic, count)
  }

  #evict(): void {
    for (const [name, topic] of this.#topics) {
      const isTooMuch = this.#bytes > this.#maxBytes
      if (!isTooMuch && this.#topics.size <= mostTopics) return
      while (this.#bytes > this.#maxBytes && topic.entries.length > 0) this.#drop(topic, 1)
      if (this.#topics.size > mostTopics) {
        this.#drop(topic, topic.entries.length)
        this.#topics.delete(name)
      }
    }
  }

  #run<A>(operation: (now: number) => A): Effect.Effect<A, EventLogError> {
    return Effect.map(Clock.currentTimeMillis, operation)
  }
}
