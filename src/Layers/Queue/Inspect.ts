/** The operations of administrators on queues, for the admin port and the command line. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { AppRuntime } from "../../Plugin/AppRuntime.ts"
import * as Shown from "../../Plugin/Shown.ts"
import * as Redaction from "../../Server/Exchange/Redaction.ts"
import * as Failure from "./Failure.ts"
import { kind } from "./Queue.ts"
import {
  type Item,
  type ListOptions,
  QueueStore,
  type QueueStoreError,
  type Stats
} from "./QueueStore.ts"

/** A queue with its numbers. `oldestWaiting` is in milliseconds. */
export interface Overview extends Stats {
  readonly name: string
}

/** An item without its payload. Times are ISO texts. */
export interface Summary {
  readonly attempts: number
  readonly createdAt: string
  readonly dueAt: string
  /** The last failure: its kind, and its message without secrets, at most `maxMessage` characters. */
  readonly failure: { readonly kind: string; readonly message: string } | null
  readonly id: string
  readonly priority: number
  readonly state: string
  readonly tenant: string
  readonly updatedAt: string
}

/** An item with its payload. */
export interface Details extends Summary {
  /**
   * The JSON text of the payload, with the values of the fields that the log hides replaced. At most
   * `maxPayload` characters.
   */
  readonly payload: string
}

/** A part of a list. */
export interface Part {
  readonly items: ReadonlyArray<Summary>
  readonly next: string | null
}

/** No process has enqueued items of the queue, and the app has no worker for it. */
export class UnknownQueue extends Data.TaggedError("UnknownQueue")<{
  readonly known: ReadonlyArray<string>
  readonly queue: string
}> {
  override get message(): string {
    const { known, queue } = this
    const all = known.slice(0, 20).map((name) => `"${name}"`)
    const more = known.length > all.length ? ` and ${known.length - all.length} more` : ""
    return `There is no queue ${Shown.of(queue)}. ${
      all.length === 0 ? "No queue has items or workers." : `Write one of ${all.join(", ")}${more}.`
    }`
  }
}

/** The longest message of a failure in a list. */
export const maxMessage = 2000

/** The longest payload that is shown. */
export const maxPayload = 65_536

const cut = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most)}\u2026 (${text.length} characters)` : text

const iso = (millis: number): string => new Date(millis).toISOString()

const redaction = Effect.withFiber((fiber) =>
  Effect.succeed(Redaction.of((reference) => fiber.getRef(reference)))
)

const summaryOf = (item: Item, hide: Redaction.Redaction): Summary => {
  const { attempts, createdAt, dueAt, failure, id, priority, state, tenant, updatedAt } = item
  const found = failure === undefined ? undefined : Failure.decode(failure)
  return {
    attempts,
    createdAt: iso(createdAt),
    dueAt: iso(dueAt),
    failure:
      found === undefined
        ? null
        : { kind: found.kind, message: cut(hide.text(found.message), maxMessage) },
    id,
    priority,
    state,
    tenant,
    updatedAt: iso(updatedAt)
  }
}

/** Returns the text of the payload of an envelope. Another program may have added another text. */
const payloadOf = (element: string): string => {
  try {
    const value: unknown = JSON.parse(element)
    if (typeof value === "object" && value !== null && "payload" in value) {
      return JSON.stringify(value.payload) ?? "null"
    }
  } catch {
    // It is shown as it is.
  }
  return element
}

/**
 * The names of further queues that the app has. A command acquires the plugin of the store alone, so the workers
 * of other plugins are not in its `AppRuntime`.
 */
export const Declared: Context.Reference<ReadonlyArray<string>> = Context.Reference(
  "flange/Queue/Declared",
  { defaultValue: (): ReadonlyArray<string> => [] }
)

/** Returns the names of the queues that have items or workers, or are paused. */
const names = Effect.gen(function* () {
  const { contributions } = yield* AppRuntime
  const store = yield* QueueStore
  const all = new Set([...(yield* store.queues), ...(yield* Declared)])
  for (const { name } of contributions(kind)) all.add(name)
  return [...all].sort()
})

const known = (queue: string) =>
  Effect.flatMap(names, (all) =>
    all.includes(queue) ? Effect.void : Effect.fail(new UnknownQueue({ known: all, queue }))
  )

type Inspected<A, E = QueueStoreError | UnknownQueue> = Effect.Effect<A, E, AppRuntime | QueueStore>

/** Returns the queues with their numbers, sorted by name. */
export const queues: Inspected<ReadonlyArray<Overview>, QueueStoreError> = Effect.gen(function* () {
  const store = yield* QueueStore
  return yield* Effect.forEach(
    yield* names,
    (name) => Effect.map(store.stats(name), (stats): Overview => ({ name, ...stats })),
    { concurrency: 4 }
  )
})

/** Returns a part of the items of one state, without their payloads. */
export const items = (queue: string, options: ListOptions): Inspected<Part> =>
  Effect.gen(function* () {
    const store = yield* QueueStore
    yield* known(queue)
    const { items, next } = yield* store.list(queue, options)
    const hide = yield* redaction
    return { items: items.map((item) => summaryOf(item, hide)), next: next ?? null }
  })

/** Returns an item with its payload. Undefined if the queue does not know its id. */
export const item = (queue: string, id: string): Inspected<Details | undefined> =>
  Effect.gen(function* () {
    const store = yield* QueueStore
    yield* known(queue)
    const found = yield* store.get(queue, id)
    if (found === undefined) return undefined
    const hide = yield* redaction
    return {
      ...summaryOf(found, hide),
      payload: cut(hide.text(payloadOf(found.element)), maxPayload)
    }
  })

/** Carries out a change, and logs it. */
const changed = <A>(
  queue: string,
  change: (store: QueueStore["Service"]) => Effect.Effect<A, QueueStoreError>,
  text: (done: A) => string
): Inspected<A> =>
  Effect.gen(function* () {
    const store = yield* QueueStore
    yield* known(queue)
    const done = yield* change(store)
    yield* Effect.logInfo(`An administrator ${text(done)} of the queue "${queue}"`)
    return done
  })

/** Makes items wait again, or all that are dead. Returns how many. */
export const requeue = (queue: string, ids: "dead" | ReadonlyArray<string>): Inspected<number> =>
  changed(
    queue,
    (store) => store.requeue(queue, ids),
    (count) => `requeued ${count} items`
  )

/** Removes items that are not running. Returns how many. */
export const remove = (queue: string, ids: ReadonlyArray<string>): Inspected<number> =>
  changed(
    queue,
    (store) => store.remove(queue, ids),
    (count) => `removed ${count} items`
  )

/** Stops the claims of a queue in all processes. */
export const pause = (queue: string): Inspected<void> =>
  changed(
    queue,
    (store) => store.pause(queue),
    () => "stopped the claims"
  )

/** Ends a pause. */
export const resume = (queue: string): Inspected<void> =>
  changed(
    queue,
    (store) => store.resume(queue),
    () => "resumed the claims"
  )
