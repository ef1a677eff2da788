/**
 * The metric of statements: how long they take, the wait for a connection included.
 *
 * Source: OpenTelemetry semantic conventions for database client metrics.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { SqlError } from "effect/sql/SqlError"
import * as Metering from "../../../Plugin/Metering.ts"
import type { Attributes } from "./StatementSpan.ts"
import type { Summary } from "./Summary.ts"

/** Measures a statement that begins now. */
export type Measure = <A>(
  summary: Summary,
  statement: Effect.Effect<A, SqlError>
) => Effect.Effect<A, SqlError>

type Record = (seconds: number) => void

/** Returns the function that measures the statements of a client; undefined in an app without metrics. */
export const make = (
  attributes: Attributes,
  context: Context.Context<never>
): Measure | undefined => {
  if (!Metering.isMetered(context)) return undefined
  const series = Metering.duration(
    context,
    "db.client.operation.duration",
    "Duration of statements, with the wait for a connection"
  )
  const system = String(new Map(attributes).get("db.system.name"))
  const recordOf = ({ operation, target }: Summary, error: string | undefined): Record =>
    series({
      "db.system.name": system,
      ...(target === undefined ? {} : { "db.collection.name": target }),
      ...(operation === undefined ? {} : { "db.operation.name": operation }),
      ...(error === undefined ? {} : { "error.type": error })
    })
  const succeeded = new WeakMap<Summary, Record>()
  return (summary, statement) => {
    const begin = performance.now()
    return Effect.onExitPrimitive(statement, (exit) => {
      const error = errorOf(exit)
      let record = error === undefined ? succeeded.get(summary) : undefined
      if (record === undefined) {
        record = recordOf(summary, error)
        if (error === undefined) succeeded.set(summary, record)
      }
      record((performance.now() - begin) / 1000)
      return undefined
    })
  }
}

/** Returns the kind of the error of a statement; undefined if it succeeded. */
const errorOf = (exit: Exit.Exit<unknown, SqlError>): string | undefined => {
  if (exit._tag === "Success") return undefined
  for (const reason of exit.cause.reasons) {
    if (reason._tag === "Fail") return reason.error.reason._tag
    if (reason._tag === "Die") return "defect"
  }
  return "interrupted"
}
