/**
 * One queue in one process: claims items in batches for the fibers that wait for one, renews their leases, and
 * settles them in batches.
 */
import { randomUUID } from "node:crypto"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Schedule from "effect/Schedule"
import * as Semaphore from "effect/Semaphore"
import { Warning } from "../../Plugin/Warning.ts"
import * as Failure from "./Failure.ts"
import * as Outcomes from "./Outcomes.ts"
import type { Claim, Claimed, Outcome, Store } from "./QueueStore.ts"

/** The limits of a line. Times are in milliseconds. */
export interface Times {
  /** The most items that are claimed before a fiber waits for them. */
  readonly ahead: number
  readonly lease: number
  readonly pollInterval: number
}

/** A fiber that waits for an item. */
interface Taker {
  held: Held | undefined
  resume: (held: Held) => void
}

/** A settlement that is to be stored, and who waits for it. */
interface Pending {
  readonly done: Deferred.Deferred<void> | undefined
  readonly held: Held
  readonly outcome: Outcome
}

/** A claim that its worker has not settled. */
export class Held {
  /** The time of `performance.now` at which the handler began; undefined before it and after the attempt. */
  begunAt: number | undefined
  readonly claimed: Claimed
  /** The failure of an attempt that did not end by itself. */
  ended: Outcomes.Attempted | undefined
  /** The fiber that runs the attempt. */
  fiber: Fiber.Fiber<unknown, unknown> | undefined

  constructor(claimed: Claimed) {
    this.claimed = claimed
  }

  /** Ends the attempt with this failure: its fiber is interrupted. */
  end(failure: Outcomes.Attempted): void {
    if (this.ended !== undefined) return
    this.ended = failure
    this.fiber?.interruptUnsafe()
  }

  /** The exit of the attempt whose handler has ended with this one. */
  readonly exit = <A, E>(own: Exit.Exit<A, E>): Exit.Exit<A, E | Outcomes.Attempted> =>
    this.ended === undefined ? own : Exit.fail(this.ended)
}

/** The end of an attempt whose claim is lost. The store ignores it. */
const lost = new Outcomes.Attempted({
  kind: "lost",
  message: "The lease ended and another worker has the item"
})

/**
 * Handlers that take less than this, in milliseconds, take the next item while the success of the last one is
 * stored. A kill repeats items whose success is not stored: those of two batches at most.
 */
const instant = 5

/** How long, in milliseconds, successes of instant handlers are gathered before they are stored. */
const gathered = 25

/** Handlers that take less than this, in milliseconds, get their items in advance. */
const quick = 25

/** The longest batch of settlements. */
const mostSettled = 250

/** Milliseconds between two attempts on a store that does not work. The last one is repeated. */
const patience = [50, 200, 1000, 3000]

/** When settlements are tried again. */
const retries = Schedule.min([Schedule.exponential("100 millis", 3), Schedule.spaced("3 seconds")])

/** How often settlements are tried again: for about a minute, and for a few seconds after the line is stopped. */
const mostRetries = { running: 22, stopped: 4 }

/** One queue in one process. */
export class Line {
  /** The time of `performance.now` since which the store has carried out all claims. Undefined after a failure. */
  #answersSince: number | undefined = Number.NEGATIVE_INFINITY
  #average = Number.POSITIVE_INFINITY
  #fails = 0
  /** The most fibers that have taken items at the same time. */
  #fibers = 0
  /** Ends when all settlements are stored; undefined if they are. */
  #flushing: Deferred.Deferred<void> | undefined
  /** Whether a fiber has taken an item since the last renewal. */
  #hasTaken = false
  readonly #held = new Map<string, Held>()
  #isDirty = true
  #isStopped = false
  maxAttempts = 1
  /** One statement at a time changes claims, so that two of them never wait for each other. */
  readonly #mutex = Semaphore.makeUnsafe(1)
  readonly name: string
  #pending: Array<Pending> = []
  /** The items that no fiber has taken. */
  readonly #ready: Array<Held> = []
  /** The time of `performance.now` from which the leases of all claims are at least `lease` long. */
  #renewedAt = 0
  readonly #signal = Latch.makeUnsafe(false)
  readonly #store: Store
  readonly #takers = new Set<Taker>()
  readonly #times: Times
  /** The token of a claim that failed. The store may have carried it out. */
  #unanswered: string | undefined
  /** Opens when a fiber waits for a settlement. */
  readonly #urgent = Latch.makeUnsafe(false)
  readonly #warnings = { "claim items": new Warning(), "renew leases": new Warning() }
  readonly #working = new Set<Held>()

  constructor(name: string, store: Store, times: Times) {
    this.name = name
    this.#store = store
    this.#times = times
  }

  /** Claims items while fibers wait for them, until the line is stopped. */
  get run(): Effect.Effect<void> {
    const turn = Effect.gen({ self: this }, function* () {
      yield* this.#abandon
      const wanted = this.#wanted
      if (wanted <= 0) {
        yield* this.#wait(undefined)
        return
      }
      const { lease } = this.#times
      // After a pause of the process or of the store, the leases of items that run here may have ended. A claim
      // would hand out these items again.
      if (this.#held.size > 0 && performance.now() - this.#renewedAt > lease / 2) yield* this.renew
      this.#isDirty = false
      const claimedAt = performance.now()
      const token = randomUUID()
      const { dead, items, next } = yield* Effect.onError(
        this.#store.claim(this.name, {
          // After an outage, processes that are alive need time to renew their leases.
          endsLeases: this.#answersSince !== undefined && claimedAt - this.#answersSince >= lease,
          lease,
          limit: wanted,
          maxAttempts: this.maxAttempts,
          token
        }),
        () =>
          Effect.sync(() => {
            this.#answersSince = undefined
            this.#unanswered = token
          })
      )
      this.#answersSince ??= claimedAt
      this.#fails = 0
      yield* Effect.forEach(dead, (item) => this.#died(item), { discard: true })
      if (this.#held.size === 0) this.#renewedAt = claimedAt
      const claims = items.map((claimed) => {
        const old = this.#held.get(claimed.id)
        // This process did not renew it in time, and has claimed it again itself.
        if (old !== undefined) this.#lose(old)
        const held = new Held(claimed)
        this.#held.set(claimed.id, held)
        return held
      })
      const isHeld = (held: Held) => this.#held.get(held.claimed.id) === held
      // The answer of a store that was paused may come when the leases have ended and others have the items.
      let checkedAt = claimedAt
      while (
        !this.#isStopped &&
        performance.now() - checkedAt > lease / 2 &&
        claims.some((held) => isHeld(held))
      ) {
        const from = performance.now()
        yield* this.#renewHeld
        if (this.#renewedAt >= from) checkedAt = this.#renewedAt
      }
      this.#ready.push(...claims.filter((held) => isHeld(held)))
      this.#deliver()
      if (this.#isStopped) return
      // A store may have more than it returned. After nothing, wait for what comes.
      if (items.length === 0 && !this.#isDirty) {
        yield* this.#wait(Math.min(next ?? Number.POSITIVE_INFINITY, this.#times.pollInterval))
      }
    })
    const guarded = Effect.catchCause(
      Effect.uninterruptibleMask(() => turn),
      (cause) =>
        Cause.hasInterruptsOnly(cause) ? Effect.interrupt : this.#failed("claim items", cause)
    )
    return Effect.whileLoop({
      body: () => guarded,
      step: () => {},
      while: () => !this.#isStopped
    })
  }

  /** Returns the claim that a fiber has not settled. */
  heldBy(fiber: Fiber.Fiber<unknown, unknown>): Held | undefined {
    return [...this.#working].find((held) => held.fiber === fiber)
  }

  /**
   * Renews the leases of all claims, and tells the workers of those that are lost. Items that were claimed in
   * advance are released if no fiber has taken one since the last renewal: another process may be free.
   */
  get renew(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const isStuck = this.#ready.length > 0 && !this.#hasTaken
      this.#hasTaken = false
      if (!isStuck) return this.#renewHeld
      this.#average = Number.POSITIVE_INFINITY
      // An outage of the store must not hold up the renewal.
      return Effect.andThen(Effect.forkDetach(this.#releaseReady), this.#renewHeld)
    })
  }

  get #renewHeld(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const held = [...this.#held.values()]
      if (held.length === 0) return Effect.void
      const claims = held.map(({ claimed: { id, token } }) => ({ id, token }))
      const begin = performance.now()
      return this.#mutex
        .withPermits(1)(this.#store.renew(this.name, claims, this.#times.lease))
        .pipe(
          Effect.flatMap((ids) => {
            // A claim that was settled meanwhile is not lost.
            const others = new Set(ids)
            const own = held.filter(
              (one) => others.has(one.claimed.id) && this.#held.get(one.claimed.id) === one
            )
            for (const one of own) this.#lose(one)
            this.#renewedAt = begin
            const count = own.length
            return count === 0
              ? Effect.void
              : Effect.logWarning(
                  `This process has lost ${count} claims of the queue "${this.name}": it did not renew them in time, and other workers have the items`
                )
          }),
          Effect.catchCause((cause) => this.#failed("renew leases", cause))
        )
    })
  }

  /** Stops claiming, releases the items that no fiber has taken, and waits until all outcomes are stored. */
  get stop(): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.#isStopped = true
      this.#signal.openUnsafe()
      this.#urgent.openUnsafe()
      return this.#releaseReady.pipe(
        Effect.andThen(
          Effect.suspend(() =>
            this.#flushing === undefined ? Effect.void : Deferred.await(this.#flushing)
          )
        ),
        Effect.andThen(Effect.ignoreCause(this.#abandon))
      )
    })
  }

  /** Releases the items that no fiber has taken. */
  readonly #releaseReady = Effect.suspend(() =>
    Effect.forEach(this.#ready.splice(0), (held) => this.settle(held, { _tag: "Released" }), {
      concurrency: "unbounded",
      discard: true
    })
  )

  /** Settles a claim: waits until the store has its outcome, unless an instant handler has succeeded. */
  settle(held: Held, outcome: Outcome): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.#working.delete(held)
      const isAwaited =
        outcome._tag !== "Completed" ||
        this.#isStopped ||
        this.#average >= instant ||
        this.#pending.length >= Math.min(this.#times.ahead, mostSettled)
      const done = isAwaited ? Deferred.makeUnsafe<void>() : undefined
      this.#pending.push({ done, held, outcome })
      const settled = done === undefined ? Effect.void : Deferred.await(done)
      if (isAwaited) this.#urgent.openUnsafe()
      if (this.#flushing !== undefined) return settled
      this.#flushing = Deferred.makeUnsafe()
      return Effect.andThen(Effect.forkDetach(this.#flush(this.#flushing)), settled)
    })
  }

  /** Takes an item: waits until there is one. The caller settles it. */
  readonly take: Effect.Effect<Held> = Effect.suspend(() => {
    const ready = this.#isStopped ? undefined : this.#ready.shift()
    if (ready !== undefined) {
      this.#hasTaken = true
      this.#working.add(ready)
      return Effect.succeed(ready)
    }
    const taker: Taker = { held: undefined, resume: () => {} }
    return Effect.callback<Held>((resume) => {
      const take = (held: Held): void => {
        taker.held = held
        resume(Effect.succeed(held))
      }
      taker.resume = take
      this.#takers.add(taker)
      this.#signal.openUnsafe()
      return Effect.sync(() => void this.#takers.delete(taker))
    }).pipe(
      // An item may come at the time of an interruption.
      Effect.onExit((exit) =>
        exit._tag === "Failure" && taker.held !== undefined
          ? this.settle(taker.held, { _tag: "Released" })
          : Effect.void
      )
    )
  })

  /** Records how long a handler took, in milliseconds. */
  took(millis: number): void {
    this.#average = Number.isFinite(this.#average) ? this.#average * 0.9 + millis * 0.1 : millis
    if (this.#wanted > 0) this.#signal.openUnsafe()
  }

  /** Looks for items soon. */
  wake(): void {
    this.#isDirty = true
    this.#signal.openUnsafe()
  }

  /** Gives back the items of a claim whose answer did not come. */
  readonly #abandon = Effect.suspend(() => {
    const token = this.#unanswered
    return token === undefined
      ? Effect.void
      : Effect.map(this.#store.abandon(this.name, token), () => {
          this.#unanswered = undefined
        })
  })

  #deliver(): void {
    if (this.#isStopped && this.#ready.length > 0) {
      // The line was stopped while the store claimed these.
      for (const held of this.#ready.splice(0)) {
        Effect.runFork(this.settle(held, { _tag: "Released" }))
      }
      return
    }
    for (const taker of this.#takers) {
      const held = this.#ready.shift()
      if (held === undefined) return
      this.#takers.delete(taker)
      this.#hasTaken = true
      this.#working.add(held)
      taker.resume(held)
    }
  }

  /** Logs that an item is dead because its lease ended in its last attempt. Only this process knows when. */
  #died({ attempts, id }: Claim["dead"][number]): Effect.Effect<void> {
    return Effect.annotateLogs(
      Effect.logError(
        `Attempt ${attempts}, the last one, of an item of the queue "${this.name}" ended with a lost lease. The item is dead`,
        Failure.lost(attempts).message
      ),
      { attempt: attempts, itemId: id, queue: this.name }
    )
  }

  #failed(what: "claim items" | "renew leases", cause: Cause.Cause<unknown>): Effect.Effect<void> {
    const most = patience[Math.min(this.#fails++, patience.length - 1)]!
    // A renewal that waits for longer would be too late.
    const wait = Math.min(most, this.#times.lease / 3)
    return Effect.andThen(
      this.#warnings[what].log(
        `The queue "${this.name}" failed to ${what}. It tries again until it can`,
        cause
      ),
      Effect.sleep(wait)
    )
  }

  #flush(flushing: Deferred.Deferred<void>): Effect.Effect<void> {
    const turn = Effect.andThen(this.#gather, this.#settleBatch)
    return Effect.whileLoop({
      body: () => turn,
      step: () => {
        if (this.#pending.length > 0) return
        this.#flushing = undefined
        Deferred.doneUnsafe(flushing, Effect.void)
      },
      while: () => this.#pending.length > 0
    })
  }

  /** Waits for more settlements, unless a fiber waits for one of those that are pending. */
  readonly #gather = Effect.suspend(() => {
    if (this.#isStopped || this.#pending.some(({ done }) => done !== undefined)) return Effect.void
    this.#urgent.closeUnsafe()
    return Effect.timeoutOption(this.#urgent.await, gathered)
  })

  /** Stores the settlements that came first. */
  readonly #settleBatch = Effect.suspend(() => {
    const batch = this.#pending.splice(0, mostSettled)
    const settlements = batch.map(({ held: { claimed }, outcome }) => {
      const { id, token } = claimed
      return { id, outcome, token }
    })
    let failures = 0
    const stored = this.#mutex
      .withPermits(1)(this.#store.settle(this.name, settlements))
      .pipe(
        // Handlers whose success is not stored run again, so an outage is waited for.
        Effect.retry({
          schedule: retries,
          while: () => ++failures <= (this.#isStopped ? mostRetries.stopped : mostRetries.running)
        }),
        Effect.catchCause((cause) =>
          Effect.logWarning(
            `The queue "${this.name}" could not settle ${batch.length} items. They are tried again after their lease`,
            cause
          )
        )
      )
    return Effect.map(stored, () => {
      for (const { done, held } of batch) {
        if (this.#held.get(held.claimed.id) === held) this.#held.delete(held.claimed.id)
        if (done !== undefined) Deferred.doneUnsafe(done, Effect.void)
      }
    })
  })

  /** Gives up a claim that another one has replaced. */
  #lose(held: Held): void {
    this.#held.delete(held.claimed.id)
    const place = this.#ready.indexOf(held)
    if (place >= 0) this.#ready.splice(place, 1)
    held.end(lost)
  }

  #wait(millis: number | undefined): Effect.Effect<void> {
    return Effect.suspend(() => {
      const isWanted = millis === undefined ? this.#wanted > 0 : this.#isDirty
      if (isWanted || this.#isStopped) return Effect.void
      this.#signal.closeUnsafe()
      const signal = this.#signal.await
      return Effect.interruptible(
        millis === undefined
          ? signal
          : Effect.asVoid(Effect.timeoutOption(signal, Math.max(1, millis)))
      )
    })
  }

  /** How many items to claim now: one for each fiber that waits, and more if handlers are quick. */
  get #wanted(): number {
    if (this.#isStopped) return 0
    this.#fibers = Math.max(this.#fibers, this.#takers.size + this.#working.size)
    const ahead =
      this.#average < quick
        ? Math.min(
            this.#times.ahead,
            Math.ceil((this.#fibers * 2 * quick) / Math.max(1, this.#average))
          )
        : 0
    const wanted = this.#takers.size + ahead - this.#ready.length
    // A few items at a time would be as many statements as items.
    return this.#takers.size > 0 || wanted > ahead / 2 ? wanted : 0
  }
}
