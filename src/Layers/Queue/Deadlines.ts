/** Ends the attempts of one queue that take too long. */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as MonotonicClock from "../../Plugin/MonotonicClock.ts"
import type { Held } from "./Line.ts"
import * as Outcomes from "./Outcomes.ts"

/** The attempts that run, and one fiber that waits for the first of them. */
export class Deadlines {
  readonly #failure: Outcomes.Attempted
  #isWatched = false
  /** When attempts end, by their claims. All have the same time, so the first to begin is the first to end. */
  readonly #running = new Map<Held, number>()
  readonly #scope: Scope.Scope
  readonly #timeout: number

  /** The fiber ends with the scope. */
  constructor(timeout: Duration.Duration, scope: Scope.Scope) {
    this.#failure = new Outcomes.Attempted({
      kind: "timeout",
      message: `It took longer than ${Duration.format(timeout)}`
    })
    this.#scope = scope
    this.#timeout = Duration.toMillis(timeout)
  }

  /**
   * Ends the attempt of a claim after the timeout, unless it is removed before. Returns the effect that begins to
   * wait; undefined if a fiber waits already.
   */
  add(held: Held, clock: Clock.Clock): Effect.Effect<unknown> | undefined {
    this.#running.set(held, MonotonicClock.millisOf(clock) + this.#timeout)
    if (this.#isWatched) return undefined
    this.#isWatched = true
    return Effect.forkIn(this.#watch(clock), this.#scope)
  }

  /** Forgets a claim whose attempt has ended. */
  remove(held: Held): void {
    this.#running.delete(held)
  }

  #watch(clock: Clock.Clock): Effect.Effect<void> {
    return Effect.suspend(() => {
      for (const [held, deadline] of this.#running) {
        const left = deadline - MonotonicClock.millisOf(clock)
        if (left > 0) return Effect.andThen(Effect.sleep(left), this.#watch(clock))
        this.#running.delete(held)
        held.end(this.#failure)
      }
      this.#isWatched = false
      return Effect.void
    })
  }
}
