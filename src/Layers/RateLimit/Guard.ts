/** Keeps failures and slowness of a store away from requests. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { within } from "../../Plugin/Arrivals.ts"
import { Outage } from "../../Plugin/Outage.ts"
import type { Take, Taken } from "./Rule.ts"
import { RateLimitStoreError, type Shape } from "./Store.ts"

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
  readonly #late: Effect.Effect<never, RateLimitStoreError>
  readonly #outage: Outage
  readonly #store: Shape
  readonly #timeout: Duration.Duration

  constructor(
    store: Shape,
    {
      onOutage,
      timeout
    }: { readonly onOutage: keyof typeof consequences; readonly timeout: Duration.Duration }
  ) {
    const cause = `no answer within ${Duration.format(timeout)} (rateLimit.timeout)`
    this.#late = Effect.fail(new RateLimitStoreError({ cause }))
    this.#outage = new Outage({
      begins: `The store of rate limits does not work, and requests ${consequences[onOutage]}`,
      ends: "The store of rate limits decides again"
    })
    this.#store = store
    this.#timeout = timeout
  }

  take(takes: ReadonlyArray<Take>): Effect.Effect<ReadonlyArray<Taken> | undefined> {
    return Effect.withFiber((fiber) => {
      const now = fiber.getRef(Clock.Clock).currentTimeMillisUnsafe()
      if (this.#outage.isPaused(now)) return Effect.undefined
      const timed = within(this.#timeout, () => this.#late)(this.#store.take(takes))
      return this.#outage.attempt(timed, now)
    })
  }
}
