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
    this.failure = failure
  }
}

/** The signal of the engine for an item whose text cannot be decoded, and its cause. */
const undecodable = (cause: Cause.Cause<unknown>): Cause.Cause<unknown> | undefined => {
  for (const reason of cause.reasons) {
    if (
      Cause.isFailReason(reason) &&
      isTagged(reason.error, "~effect/persistence/PersistedQueue/DeadLetter") &&
      hasProperty(reason.error, "cause") &&
      Cause.isCause(reason.error.cause)
    ) {
      return reason.error.cause
    }
  }
  return undefined
}

/** Returns whether an attempt ended because the text of its item cannot be decoded. */
export const isUndecodable = (exit: Exit.Exit<unknown, unknown>): boolean =>
  exit._tag === "Failure" && undecodable(exit.cause) !== undefined

/** Returns the failure of a cause. */
const failureOf = (cause: Cause.Cause<unknown>): Failure.Failure => {
  let kind: "defect" | "failure" = "defect"
  for (const reason of cause.reasons) {
    if (!Cause.isFailReason(reason)) continue
    if (reason.error instanceof Attempted) return reason.error.failure
    kind = "failure"
  }
  return { kind, message: CauseText.of(cause) }
}

/** Returns the issues of a text that cannot be decoded. */
const issuesOf = (cause: Cause.Cause<unknown>): string => {
  for (const reason of cause.reasons) {
    if (Cause.isFailReason(reason) && Schema.isSchemaError(reason.error)) {
      return reason.error.message
    }
  }
  return CauseText.of(cause)
}

/** What is to be done with an item after an attempt. A `Retry` has no delay yet. */
export type Decision =
  | Exclude<Outcome, { readonly _tag: "Retry" }>
  | { readonly _tag: "Retry"; readonly failure: string }

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
  const issues = undecodable(exit.cause)
  if (issues !== undefined) {
    const failure = Failure.encode({ kind: "undecodable", message: issuesOf(issues) })
    return { _tag: "Dead", failure }
  }
  if (Cause.hasInterruptsOnly(exit.cause)) return { _tag: "Released" }
  const failure = Failure.encode(failureOf(exit.cause))
  return attempts >= maxAttempts ? { _tag: "Dead", failure } : { _tag: "Retry", failure }
}
