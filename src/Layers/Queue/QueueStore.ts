/** The service that keeps the items of all queues, and the interface of a store. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** Returns the text of a thrown value, also of an object without a text. */
const textOf = (cause: unknown): string => {
  try {
    return String(cause)
  } catch {
    return Object.prototype.toString.call(cause)
  }
}

/** The store did not carry out an operation. */
export class QueueStoreError extends Data.TaggedError("QueueStoreError")<{
  readonly cause: unknown
  /** The operation, such as `claim`. */
  readonly operation: string
}> {
  override get message(): string {
    return `The store of queues failed to ${this.operation}: ${textOf(this.cause)}`
  }
}

/**
 * The state of an item.
 *
 * - `waiting`: it can be claimed
 * - `delayed`: it becomes `waiting` when its delay ends
 * - `running`: a worker has claimed it, and its lease has not ended
 * - `completed`: its handler succeeded; it is kept so that its id stays known
 * - `dead`: it is not tried again unless it is requeued
 */
export type State = "completed" | "dead" | "delayed" | "running" | "waiting"

/** All states, by name. */
export const states: ReadonlyArray<State> = ["completed", "dead", "delayed", "running", "waiting"]

/** An item to add. Ids, tenants and queue names were checked: see `Names`. */
export interface Offer {
  /** Milliseconds until it can be claimed. 0: at once. */
  readonly delay: number
  /** The JSON text of the item, without NUL characters. */
  readonly element: string
  /** 1 to 200 characters. */
  readonly id: string
  /**
   * Whether it is kept as `completed`, so that its id stays known until `cleanup`. An item that is not kept
   * is removed when it completes.
   */
  readonly keep: boolean
  /** Higher is sooner, among the items of one tenant. A whole number from -1000 to 1000. */
  readonly priority: number
  /** Tenants take turns. An empty text for items without a tenant: they count as one tenant. */
  readonly tenant: string
}

/** A claimed item. */
export interface Claimed {
  /** Milliseconds for which the item has waited since it was added, or since its delay ended. */
  readonly age: number
  /** The number of this attempt, from 1. */
  readonly attempts: number
  readonly element: string
  readonly id: string
  /** Identifies the claim in `renew` and `settle`. It fences off workers that lost their lease. */
  readonly token: string
}

/** How a claim ends. */
export type Outcome =
  /** The handler succeeded. `result` is a JSON text. */
  | { readonly _tag: "Completed"; readonly result: string | undefined }
  /** The item is not tried again. `failure` is a JSON text, see `Failure`. */
  | { readonly _tag: "Dead"; readonly failure: string }
  /** The item waits again at once, and the attempt does not count. */
  | { readonly _tag: "Released" }
  /** The attempt failed. The item waits again after `delay` milliseconds. */
  | { readonly _tag: "Retry"; readonly delay: number; readonly failure: string }

/** A claim and its end. */
export interface Settlement {
  readonly id: string
  readonly outcome: Outcome
  readonly token: string
}

/** An item as administrators see it. Times are in milliseconds since 1970. */
export interface Item {
  readonly attempts: number
  readonly createdAt: number
  /** The time from which it can be claimed. */
  readonly dueAt: number
  readonly element: string
  /** The JSON text of its last failure. */
  readonly failure: string | undefined
  readonly id: string
  readonly priority: number
  /** The JSON text of its result. */
  readonly result: string | undefined
  readonly state: State
  readonly tenant: string
  /** The time of its last change of state. */
  readonly updatedAt: number
}

/** How many items a queue has. */
export interface Stats {
  /** The states with more items than the store counts. Their numbers are the most that it counts. */
  readonly capped?: ReadonlyArray<State> | undefined
  readonly completed: number
  readonly dead: number
  readonly delayed: number
  /** Milliseconds for which the oldest item in the state `waiting` has waited. 0 without one. */
  readonly oldestWaiting: number
  readonly paused: boolean
  readonly running: number
  readonly waiting: number
}

/** Returns the number of items of a state as a text, such as `100000+` if there are more. */
export const countOf = (stats: Stats, state: State): string =>
  `${stats[state]}${stats.capped?.includes(state) === true ? "+" : ""}`

/** A part of a list. */
export interface Page {
  readonly items: ReadonlyArray<Item>
  /** The argument `after` of the next part. Undefined at the end. */
  readonly next: string | undefined
}

/** Which part of a list to read. */
export interface ListOptions {
  /** `next` of the part before. */
  readonly after?: string | undefined
  /** The most items to return, from 1 to 1000. */
  readonly limit: number
  /** The state of the items to return. */
  readonly state: State
}

/** What a claim asks for. */
export interface ClaimOptions {
  /** Whether items whose lease has ended are claimed again. */
  readonly endsLeases: boolean
  /** Milliseconds after which other workers may claim the items, unless `renew` is called. */
  readonly lease: number
  /** The most items to claim. */
  readonly limit: number
  /**
   * The attempts of the queue. An item whose lease ended in its last attempt becomes `dead` and is not
   * claimed.
   */
  readonly maxAttempts: number
  /** A text of at most 36 characters that no other claim has. */
  readonly token: string
}

/** The items of a claim. */
export interface Claim {
  /** The items that the claim has made `dead`: their lease ended in their last attempt. Each is in one claim. */
  readonly dead: ReadonlyArray<Pick<Item, "attempts" | "id">>
  readonly items: ReadonlyArray<Claimed>
  /**
   * Milliseconds until a delay or a lease of the queue ends, at the soonest. Undefined if the store knows of
   * none.
   */
  readonly next: number | undefined
}

/**
 * Where the items of queues are kept. Times are in milliseconds and are those of the store, not of the
 * process, if the store has a clock. All processes may call all methods at the same time.
 */
export interface Store {
  /**
   * Makes the items of the claim with this token wait again at once, and the attempt does not count. For a claim
   * whose caller did not get the items: they would wait for the end of their lease, and some be dead then.
   */
  readonly abandon: (queue: string, token: string) => Effect.Effect<void, QueueStoreError>
  /**
   * Claims items that wait, or whose lease has ended (see `endsLeases`), and counts an attempt for each. Tenants take turns:
   * the items of one claim, and those of claims that follow each other, are spread over the tenants with
   * waiting items. Among the items of one tenant the order is: highest priority, then the order in which they were
   * added. Claims nothing of a queue that is paused.
   */
  readonly claim: (queue: string, options: ClaimOptions) => Effect.Effect<Claim, QueueStoreError>
  /**
   * Removes a batch of items that are `completed` for longer than `completed` milliseconds, and that are
   * `dead` for longer than `dead` milliseconds, in all queues. Returns whether more may be there.
   */
  readonly cleanup: (ages: {
    readonly completed: number
    readonly dead: number
  }) => Effect.Effect<boolean, QueueStoreError>
  /** Returns an item. */
  readonly get: (queue: string, id: string) => Effect.Effect<Item | undefined, QueueStoreError>
  /**
   * Whether `offer` takes part in the transaction of the calling fiber. Items for other stores are offered
   * after its commit.
   */
  readonly isTransactional: boolean
  /** Returns the items of one state in a stable order: those added first are first. */
  readonly list: (queue: string, options: ListOptions) => Effect.Effect<Page, QueueStoreError>
  /**
   * Adds items, all of them or none. Returns for each whether it was added: false if the queue knows its id,
   * or an earlier item of the list has it. Wakes workers of all processes (`onWake`), after the commit if the
   * calling fiber is in a transaction of this store.
   */
  readonly offer: (
    queue: string,
    items: ReadonlyArray<Offer>
  ) => Effect.Effect<ReadonlyArray<boolean>, QueueStoreError>
  /**
   * Calls `wake` with the name of a queue when some process has added, requeued or released items of it or
   * resumed it, until the scope closes. `wake` gets undefined if notifications may be lost: all queues may have
   * items. Workers also poll, so a store may lose notifications. `wake` does not throw.
   */
  readonly onWake: (
    wake: (queue: string | undefined) => void
  ) => Effect.Effect<void, never, Scope.Scope>
  /** Stops claims of a queue in all processes. Items can still be added, and those that run go on. */
  readonly pause: (queue: string) => Effect.Effect<void, QueueStoreError>
  /** Fails if the store does not work. */
  readonly ping: Effect.Effect<void, QueueStoreError>
  /** Returns the names of the queues that have items or are paused, sorted. */
  readonly queues: Effect.Effect<ReadonlyArray<string>, QueueStoreError>
  /**
   * Removes items that are not `running`. Returns how many.
   */
  readonly remove: (
    queue: string,
    ids: ReadonlyArray<string>
  ) => Effect.Effect<number, QueueStoreError>
  /**
   * Extends the leases of claims to `lease` milliseconds from now. Returns the ids of those that the caller
   * has lost: another worker has claimed the item, or it was removed.
   */
  readonly renew: (
    queue: string,
    claims: ReadonlyArray<{ readonly id: string; readonly token: string }>,
    lease: number
  ) => Effect.Effect<ReadonlyArray<string>, QueueStoreError>
  /**
   * Makes items wait again at once, with no attempt counted. Those in the states `completed`, `dead` and `delayed` are
   * requeued, others are left as they are. `"dead"` requeues all that are dead. Returns how many.
   */
  readonly requeue: (
    queue: string,
    ids: "dead" | ReadonlyArray<string>
  ) => Effect.Effect<number, QueueStoreError>
  /** Ends a pause. */
  readonly resume: (queue: string) => Effect.Effect<void, QueueStoreError>
  /**
   * Ends claims. Returns the ids of claims that the caller had lost: their outcome is ignored. Settling a claim
   * twice changes nothing the second time.
   */
  readonly settle: (
    queue: string,
    settlements: ReadonlyArray<Settlement>
  ) => Effect.Effect<ReadonlyArray<string>, QueueStoreError>
  /** Counts the items of a queue. All are 0 for a queue that the store does not know. */
  readonly stats: (queue: string) => Effect.Effect<Stats, QueueStoreError>
}

/** Keeps the items of queues. The plugins of this battery provide it. */
export class QueueStore extends Context.Service<QueueStore, Store>()("flange/Queue/QueueStore") {}
