/** The span of a handler, inside the span of a request that is sampled. */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { hasProperty } from "effect/Predicate"
import type * as Tracer from "effect/Tracer"
import { Answer } from "./Answer.ts"

/** Begins the span of the handler of an endpoint, such as `items.read`. */
export const begin = (
  tracer: Tracer.Tracer,
  endpoint: string,
  parent: Tracer.Span,
  startTime: bigint
): Tracer.Span =>
  tracer.span({
    annotations: Context.empty(),
    kind: "internal",
    links: [],
    name: endpoint,
    parent: Option.some(parent),
    root: false,
    sampled: true,
    startTime
  })

/**
 * Ends the span with the exit of the handler. An error with a status below 500 is the client's fault, so the
 * span shows its code and does not fail.
 */
export const end = (
  span: Tracer.Span,
  exit: Exit.Exit<unknown, unknown>,
  endTime: bigint
): void => {
  if (exit._tag === "Success") return span.end(endTime, Exit.void)
  const [reason] = exit.cause.reasons
  const error = reason === undefined ? undefined : errorOf(reason)
  const type = typeOf(error)
  if (type !== undefined) span.attribute("error.type", type)
  const isOfClient =
    exit.cause.reasons.length === 1 &&
    hasProperty(error, "status") &&
    typeof error.status === "number" &&
    error.status < 500
  span.end(endTime, isOfClient ? Exit.void : exit)
}

const errorOf = (reason: Cause.Reason<unknown>): unknown => {
  if (reason._tag === "Fail") return reason.error
  if (reason._tag === "Interrupt") return undefined
  return reason.defect instanceof Answer ? reason.defect.error : reason.defect
}

/** Returns the code of an error of a contract, or else its tag or name. */
const typeOf = (error: unknown): string | undefined => {
  for (const key of ["code", "_tag", "name"]) {
    if (hasProperty(error, key) && typeof error[key] === "string") return error[key]
  }
  return undefined
}
