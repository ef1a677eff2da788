/** A backend whose calls are measured and traced. */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Metering from "../../Plugin/Metering.ts"
import type { Backend } from "./Backend.ts"

/** The most series of the metric that are kept. An app has a few for each table. */
const maxSeries = 1000

/** The names that callers know for failures of a backend. */
const names: Readonly<Record<string, string>> = {
  Cancelled: "TransactionCancelled",
  Unmet: "ConditionFailed"
}

const resultOf = (cause: Cause.Cause<unknown>): string => {
  const [reason] = cause.reasons
  if (reason?._tag === "Interrupt") return "interrupted"
  if (reason?._tag !== "Fail") return "defect"
  const { error } = reason
  const tag =
    typeof error === "object" && error !== null && "_tag" in error ? String(error._tag) : "failed"
  return names[tag] ?? tag
}

/** Returns the same backend, with a span and a duration for each call. */
export const make = (backend: Backend): Effect.Effect<Backend> =>
  Effect.map(Effect.context<never>(), (context) => {
    const duration = Metering.duration(
      context,
      "flange.dynamo_db.duration",
      "Duration of calls of DynamoDB, with their retries"
    )
    const series = new Map<string, (value: number) => void>()
    const observed =
      (operation: string, table: string) =>
      <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
        Effect.suspend(() => {
          const began = performance.now()
          return Effect.onExit(effect, (exit) =>
            Effect.sync(() => {
              const result = exit._tag === "Success" ? "ok" : resultOf(exit.cause)
              const name = `${operation} ${table} ${result}`
              let record = series.get(name)
              if (record === undefined) {
                record = duration({ operation, result, table })
                if (series.size < maxSeries) series.set(name, record)
              }
              record((performance.now() - began) / 1000)
            })
          )
        }).pipe(
          Effect.withSpan(`dynamo_db.${operation}`, {
            attributes: {
              "db.collection.name": table,
              "db.operation.name": operation,
              "db.system.name": "aws.dynamodb"
            },
            kind: "client"
          })
        )
    const tablesOf = (parts: ReadonlyArray<{ readonly table: string }>) =>
      [...new Set(parts.map(({ table }) => table))].toSorted().join(",")
    return {
      batchGet: (table, keys, isConsistent) =>
        observed("batchGet", table)(backend.batchGet(table, keys, isConsistent)),
      batchWrite: (table, writes) =>
        observed("batchWrite", table)(backend.batchWrite(table, writes)),
      create: (definition) => observed("create", definition.name)(backend.create(definition)),
      delete: (table, key, guard) => observed("delete", table)(backend.delete(table, key, guard)),
      get: (table, key, isConsistent) =>
        observed("get", table)(backend.get(table, key, isConsistent)),
      page: (request) =>
        observed(
          request.key === undefined ? "scan" : "query",
          request.table
        )(backend.page(request)),
      ping: backend.ping,
      put: (table, item, guard) => observed("put", table)(backend.put(table, item, guard)),
      transactGet: (reads) => observed("transactGet", tablesOf(reads))(backend.transactGet(reads)),
      transactWrite: (writes, token) =>
        observed("transactWrite", tablesOf(writes))(backend.transactWrite(writes, token)),
      update: (table, key, change, guard) =>
        observed("update", table)(backend.update(table, key, change, guard))
    }
  })
