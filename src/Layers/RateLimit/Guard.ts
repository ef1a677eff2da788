/** Keeps failures and slowness of a store away from requests. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { within } from "../../Plugin/Arrivals.ts"
import { Warning } from "../../Plugin/Warning.ts"
import type { Take, Taken } from "./Rule.ts"
import { RateLimitStoreError, type Shape } from "./Store.ts"

/** How long a store that failed is left alone before one request tries it again. */
const pause = 1000

/** What happens to requests while the store does not decide, as the log says it. */
const consequences = {
  closed: "are refused (rateLimit.onOutage)",
  open: "are not limited (rateLimit.onOutage)"
} as const

/**
 * A store that cannot fail. It returns undefined if the store failed or did not decide in time. The
 * store is then left alone for a second; meanwhile all requests get undefined at once.
 */
export class Guard {
  #isWarned = false
  readonly #late: Effect.Effect<never, RateLimitStoreError>
  readonly #onOutage: keyof typeof consequences
  #openUntil = 0
  readonly #store: Shape
  readonly #timeout: Duration.Duration
  readonly #warning = new Warning()

  constructor(
    store: Shape,
    {
      onOutage,
      timeout
    }: { readonly onOutage: keyof typeof consequences; readonly timeout: Duration.Duration }
  ) {
    const cause = `no answer within ${Duration.format(timeout)} (rateLimit.timeout)`
    this.#late = Effect.fail(new RateLimitStoreError({ cause }))
    this.#onOutage = onOutage
    this.#store = store
    this.#timeout = timeout
  }

  take(takes: ReadonlyArray<Take>): Effect.Effect<ReadonlyArray<Taken> | undefined> {
    return Effect.withFiber((fiber) => {
      const now = fiber.getRef(Clock.Clock).currentTimeMillisUnsafe()
      // A clock that was set back ends the pause.
      if (now < this.#openUntil && this.#openUntil - now <= pause) return Effect.undefined
      const timed = within(this.#timeout, () => this.#late)(this.#store.take(takes))
      const decided = Effect.matchCauseEffect(timed, {
        onFailure: (cause) =>
          Cause.hasInterruptsOnly(cause) ? Effect.interrupt : this.#failed(cause),
        onSuccess: (taken) => (this.#openUntil === 0 ? Effect.succeed(taken) : this.#back(taken))
      })
      return this.#openUntil === 0 ? decided : this.#try(decided, now + pause)
    })
  }

  #back(taken: ReadonlyArray<Taken>): Effect.Effect<ReadonlyArray<Taken>> {
    this.#openUntil = 0
    if (!this.#isWarned) return Effect.succeed(taken)
    this.#isWarned = false
    return Effect.as(Effect.logInfo("The store of rate limits decides again"), taken)
  }

  #failed(cause: Cause.Cause<RateLimitStoreError>): Effect.Effect<undefined> {
    return Effect.flatMap(Clock.currentTimeMillis, (now) => {
      this.#openUntil = now + pause
      const message = `The store of rate limits does not work, and requests ${consequences[this.#onOutage]}`
      return Effect.map(this.#warning.log(message, cause), (isLogged) => {
        if (isLogged) this.#isWarned = true
        return undefined
      })
    })
  }

  /** Lets one request try the store again. The others go on without it meanwhile. */
  #try<A>(decided: Effect.Effect<A>, until: number): Effect.Effect<A> {
    const before = this.#openUntil
    this.#openUntil = until
    return Effect.onInterrupt(decided, () =>
      Effect.sync(() => {
        // An interrupted request has no result, so the next one tries.
        if (this.#openUntil === until) this.#openUntil = before
      })
    )
  }
}
