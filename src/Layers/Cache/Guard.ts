/** Keeps failures and slowness of a backend away from requests. */
import * as Array from "effect/Array"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { within } from "../../Plugin/Arrivals.ts"
import { Outage, pause } from "../../Plugin/Outage.ts"
import { CacheStoreError, type Claim, type Item, type Kept, type Store } from "./CacheStore.ts"
import type { Counts } from "./Counts.ts"

/** The most keys of one operation. Redis and the stack of the process have limits. */
const mostAtOnce = 1000

/** Runs an operation of the store on parts of a list. */
const inParts = <A, B>(
  all: ReadonlyArray<A>,
  operation: (part: ReadonlyArray<A>) => Effect.Effect<ReadonlyArray<B>, CacheStoreError>
): Effect.Effect<ReadonlyArray<B>, CacheStoreError> =>
  Effect.suspend(() =>
    all.length <= mostAtOnce
      ? operation(all)
      : Effect.map(
          Effect.forEach(Array.chunksOf(all, mostAtOnce), operation, { concurrency: "unbounded" }),
          (parts) => parts.flat()
        )
  )

/** The most invalidations that are remembered while the backend does not answer. */
const maxUnsent = 100_000

/**
 * A store whose operations cannot fail: they return undefined if the backend failed or did not answer in
 * time. It is then left alone for a second; meanwhile all operations return undefined at once.
 *
 * An invalidation that could not be sent is sent again until it succeeds. Until then its keys are read
 * as if they did not exist.
 */
export class Guard {
  readonly #counts: Counts
  #isSending = false
  #lastUnsent = 0
  readonly #late: string
  readonly #outage: Outage
  readonly #scope: Scope.Scope
  readonly #store: Store
  readonly #timeout: Duration.Duration | undefined
  /** Keys with the number of the invalidation that could not be sent. */
  readonly #unsent = new Map<string, number>()

  /** Without `timeout` the store is one that cannot fail. */
  constructor(
    store: Store,
    counts: Counts,
    scope: Scope.Scope,
    timeout: Duration.Duration | undefined
  ) {
    this.#counts = counts
    this.#late = `no answer within ${timeout && Duration.format(timeout)} (cache.timeout)`
    this.#outage = new Outage({
      begins: `The backend of the cache does not work, and requests go on without it: ${store.backend}`,
      ends: `The backend of the cache answers again: ${store.backend}`
    })
    this.#scope = scope
    this.#store = store
    this.#timeout = timeout
  }

  /** Removes records. If the backend does not answer, it happens later. */
  delete(keys: ReadonlyArray<string>): Effect.Effect<void> {
    if (keys.length === 0) return Effect.void
    const later = Effect.suspend(() => {
      this.#lastUnsent++
      for (const key of keys) {
        if (this.#unsent.size < maxUnsent) this.#unsent.set(key, this.#lastUnsent)
      }
      if (this.#isSending) return Effect.void
      this.#isSending = true
      return Effect.asVoid(Effect.forkIn(this.#sendLater, this.#scope))
    })
    // A request that is interrupted has already changed what the values are made of.
    return Effect.flatMap(
      Effect.onInterrupt(this.#send(keys), () => later),
      (sent) => (sent ? Effect.void : later)
    )
  }

  ensure(
    claims: ReadonlyArray<Claim>,
    id: string
  ): Effect.Effect<ReadonlyArray<string> | undefined> {
    return this.#attempt(
      "ensure",
      inParts(claims, (part) => this.#store.ensure(part, id))
    )
  }

  get(keys: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<string | undefined> | undefined> {
    if (keys.length === 0) return Effect.succeed([])
    return Effect.map(
      this.#attempt("get", inParts(keys, this.#store.get)),
      (values) => values && this.#masked(keys, values)
    )
  }

  /** Returns what is in the memory of the process. */
  peek(keys: ReadonlyArray<string>): ReadonlyArray<string | undefined> | undefined {
    const values = this.#store.peek?.(keys)
    return values && this.#masked(keys, values)
  }

  /** Removes a record with this id, and does not wait for it. */
  release(key: string, id: string): Effect.Effect<void> {
    const releasing = this.#attempt("replace", this.#store.replace(key, id, undefined))
    return Effect.asVoid(Effect.forkIn(releasing, this.#scope))
  }

  replace(
    key: string,
    expected: string | undefined,
    next: Kept
  ): Effect.Effect<boolean | undefined> {
    return this.#attempt("replace", this.#store.replace(key, expected, next))
  }

  set(items: ReadonlyArray<Item>): Effect.Effect<true | undefined> {
    return this.#attempt("set", Effect.as(this.#store.set(items), true as const))
  }

  /** Runs an operation, unless the backend is left alone and `isUrgent` is false. */
  #attempt<A>(
    operation: string,
    effect: Effect.Effect<A, CacheStoreError>,
    isUrgent = false
  ): Effect.Effect<A | undefined> {
    if (this.#timeout === undefined) return Effect.orDie(effect)
    const timed = within(this.#timeout, () =>
      Effect.fail(new CacheStoreError({ cause: this.#late, operation }))
    )(effect)
    return Effect.withFiber((fiber) => {
      const now = fiber.getRef(Clock.Clock).currentTimeMillisUnsafe()
      if (!isUrgent && this.#outage.isPaused(now)) return Effect.undefined
      const counted = Effect.tapCause(timed, (cause) =>
        Effect.sync(() => {
          if (Cause.hasInterruptsOnly(cause)) return
          this.#counts.error(this.#store.backend, operation, fiber.context)
        })
      )
      return this.#outage.attempt(counted, now)
    })
  }

  #masked(
    keys: ReadonlyArray<string>,
    values: ReadonlyArray<string | undefined>
  ): ReadonlyArray<string | undefined> {
    return this.#unsent.size === 0
      ? values
      : values.map((value, i) => (this.#unsent.has(keys[i]!) ? undefined : value))
  }

  #send(keys: ReadonlyArray<string>, isUrgent = false): Effect.Effect<boolean> {
    const sending = inParts(keys, (part) => Effect.as(this.#store.delete(part), []))
    const attempt = this.#attempt("delete", sending, isUrgent)
    return Effect.map(attempt, (sent) => sent !== undefined)
  }

  /** Sends the invalidations that could not be sent. */
  get #sendLater(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      while (this.#unsent.size > 0) {
        yield* Effect.sleep(pause)
        const some = [...this.#unsent].slice(0, 1000)
        // Other operations may go on failing, for example because the backend has no memory left.
        if (
          !(yield* this.#send(
            some.map(([key]) => key),
            true
          ))
        )
          continue
        for (const [key, number] of some) {
          if (this.#unsent.get(key) === number) this.#unsent.delete(key)
        }
      }
      this.#isSending = false
    })
  }
}
