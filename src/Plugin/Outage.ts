/** Leaves a backend that fails alone, so that its callers go on without it at once. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { Warning } from "./Warning.ts"

/** How long a backend that failed is left alone before one operation tries it again, in milliseconds. */
export const pause = 1000

/** The outages of one backend. */
export class Outage {
  /** Whether a warning was logged since the backend last worked. */
  #isWarned = false
  readonly #texts: { readonly begins: string; readonly ends: string }
  /** The end of the pause, in Unix milliseconds; 0 while the backend works. */
  #until = 0
  readonly #warning = new Warning()

  /** The texts are logged at most once a minute, and when the backend works again after it. */
  constructor(texts: { readonly begins: string; readonly ends: string }) {
    this.#texts = texts
  }

  /** Whether the backend is left alone. A clock that was set back ends the pause. */
  isPaused(now: number): boolean {
    return now < this.#until && this.#until - now <= pause
  }

  /** Runs an operation of the backend. It succeeds with undefined if the operation failed. */
  attempt<A, E>(operation: Effect.Effect<A, E>, now: number): Effect.Effect<A | undefined> {
    const settled = Effect.matchCauseEffect(operation, {
      onFailure: (cause) =>
        Cause.hasInterruptsOnly(cause) ? Effect.interrupt : this.#begin(cause),
      onSuccess: (value) => (this.#until === 0 ? Effect.succeed(value) : this.#end(value))
    })
    return this.#until === 0 ? settled : this.#try(settled, now + pause)
  }

  #begin(cause: Cause.Cause<unknown>): Effect.Effect<undefined> {
    return Effect.flatMap(Clock.currentTimeMillis, (now) => {
      this.#until = now + pause
      return Effect.map(this.#warning.log(this.#texts.begins, cause), (isLogged) => {
        if (isLogged) this.#isWarned = true
        return undefined
      })
    })
  }

  #end<A>(value: A): Effect.Effect<A> {
    this.#until = 0
    if (!this.#isWarned) return Effect.succeed(value)
    this.#isWarned = false
    return Effect.as(Effect.logInfo(this.#texts.ends), value)
  }

  /** Lets one operation try the backend again. The others go on without it meanwhile. */
  #try<A>(settled: Effect.Effect<A>, until: number): Effect.Effect<A> {
    const before = this.#until
    this.#until = until
    return Effect.onInterrupt(settled, () =>
      Effect.sync(() => {
        // An interrupted operation has no result, so the next one tries.
        if (this.#until === until) this.#until = before
      })
    )
  }
}
