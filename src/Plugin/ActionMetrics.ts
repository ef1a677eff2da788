/** The metrics of actions. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { hasProperty } from "effect/Predicate"
import * as Metering from "./Metering.ts"

/** Returns a function that measures how long an action runs, and how it fails. */
export const measuring = (services: Context.Context<unknown>) => {
  const series = Metering.duration(
    services as Context.Context<never>,
    "flange.action.duration",
    "Duration of the runs of actions"
  )
  const known = new Map<string, (seconds: number) => void>()
  const recordOf = (name: string, error: string | undefined) => {
    const key = `${name} ${error}`
    let record = known.get(key)
    if (record === undefined) {
      record = series({
        "flange.action.name": name,
        ...(error === undefined ? {} : { "error.type": error })
      })
      known.set(key, record)
    }
    return record
  }
  return <A, E>(name: string, run: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.flatMap(Clock.monotonicTimeNanos, (begin) =>
      Effect.onExit(run, (exit) =>
        Effect.map(Clock.monotonicTimeNanos, (end) =>
          recordOf(name, errorOf(exit))(Number(end - begin) / 1e9)
        )
      )
    )
}

/** Returns the tag of a failure, `defect` or `interrupted`; undefined for a success. */
const errorOf = (exit: Exit.Exit<unknown, unknown>): string | undefined => {
  if (exit._tag === "Success") return undefined
  if (Cause.hasInterruptsOnly(exit.cause)) return "interrupted"
  const failure = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
  if (failure === undefined) return "defect"
  return hasProperty(failure, "_tag") && typeof failure._tag === "string" ? failure._tag : "failure"
}
