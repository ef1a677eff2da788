/** Runs a check of `flange doctor`. */
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Doctor from "../../Plugin/Doctor.ts"
import { sentenceOf } from "../Failure.ts"

/** What a check found, with the name of the check. */
export interface Result extends Doctor.Finding {
  readonly check: string
}

/** A check that is not run yet. */
export interface Check<R = never> {
  readonly name: string
  /** Returns what it found; several findings if several things are wrong. */
  readonly run: Effect.Effect<Doctor.Finding | ReadonlyArray<Doctor.Finding>, unknown, R>
}

/** How long a check may take until stderr says which one is waited for. */
const patience = Duration.millis(500)

/** Says on stderr what an effect waits for, if it takes long. */
const announced =
  (what: string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.scoped(
      Effect.andThen(
        Effect.forkScoped(
          Effect.andThen(Effect.sleep(patience), Console.error(`Waiting for ${what}`))
        ),
        effect
      )
    )

/** Runs a check within its limit. A check that fails or dies is a failed check. */
export const run = <R>(
  { name, run: effect }: Check<R>,
  limit: Duration.Duration = Duration.seconds(10)
): Effect.Effect<ReadonlyArray<Result>, never, R> =>
  effect.pipe(
    Effect.timeoutOrElse({
      duration: limit,
      orElse: () =>
        Effect.succeed(
          Doctor.failed(
            `The check did not end within ${Duration.format(limit)}.`,
            "Find out what it waits for: it may be a host that does not answer."
          )
        )
    }),
    Effect.catchCause((cause) =>
      Effect.succeed(
        Doctor.failed(sentenceOf(Cause.squash(cause)), "Repair what the message names.")
      )
    ),
    announced(name),
    Effect.map((found) => [found].flat().map((finding) => ({ check: name, ...finding })))
  )
