/** How the exit of an attempt ends its claim. */
import * as Cause from "effect/Cause"
import type * as Exit from "effect/Exit"
import { hasProperty, isTagged } from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as CauseText from "../../Plugin/CauseText.ts"
import * as Failure from "./Failure.ts"
import type { Outcome } from "./QueueStore.ts"

/** The success of a handler whose encoded result is kept. */
export class Kept {
  /** A JSON text. */
  readonly result: string

  constructor(result: string) {
    this.result = result
  }
}

/** A failed attempt of a worker of this battery. */
export class Attempted {
  readonly failure: Failure.Failure

  constructor(failure: Failure.Failure) {
    this.failure = Failure.bounded(failure)
  }
}

/** Returns the failure of an item whose text cannot be decoded: its message has the issues. */
export const undecodable = (cause: Cause.Cause<unknown>): Attempted => {
  const error = cause.reasons.find(Cause.isFailReason)?.error
  const message = Schema.isSchemaError(error) ? error.message : CauseText.of(cause)
  return new Attempted({ kind: "undecodable", message })
}

/** Returns the failure of a cause. */
const failureOf = (cause: Cause.Cause<unknown>): Failure.Failure => {
  const reason = cause.reasons.find(Cause.isFailReason)
  if (reason === undefined) return { kind: "defect", message: CauseText.of(cause) }
  const { error } = reason
  if (error instanceof Attempted) return error.failure
  // The signal of `PersistedQueue` for an item that its schema refuses.
  if (
    isTagged(error, "~effect/persistence/PersistedQueue/DeadLetter") &&
    hasProperty(error, "cause") &&
    Cause.isCause(error.cause)
  ) {
    return undecodable(error.cause).failure
  }
  return { kind: "failure", message: CauseText.of(cause) }
}

/** What is to be done with an item after an attempt. A `Retry` has no delay yet. */
export type Decision =
  | Extract<Outcome, { readonly _tag: "Completed" | "Released" }>
  | { readonly _tag: "Dead" | "Retry"; readonly failure: Failure.Failure }

/** Decides from the exit of an attempt. */
export const decide = (
  exit: Exit.Exit<unknown, unknown>,
  attempts: number,
  maxAttempts: number
): Decision => {
  if (exit._tag === "Success") {
    return {
      _tag: "Completed",
      result: exit.value instanceof Kept ? exit.value.result : undefined
    }
  }
  if (Cause.hasInterruptsOnly(exit.cause)) return { _tag: "Released" }
  const failure = failureOf(exit.cause)
  return failure.kind === "undecodable" || attempts >= maxAttempts
    ? { _tag: "Dead", failure }
    : { _tag: "Retry", failure }
}
