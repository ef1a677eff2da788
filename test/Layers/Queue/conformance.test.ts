import * as Effect from "effect/Effect"
import { describe } from "vitest"
import { MemoryStore } from "../../../src/Layers/Queue/MemoryStore.ts"
import * as SqlStore from "../../../src/Layers/Queue/SqlStore.ts"
import * as backends from "../Database/backends.ts"
import { conformance } from "./conformance.ts"

describe("a store in memory", () =>
  conformance({
    open: Effect.sync(() => {
      const store = new MemoryStore()
      return [store, store] as const
    })
  }))

backends.onEach([backends.pglite, backends.postgres], "a store in a database", (backend) =>
  conformance({
    open: Effect.gen(function* () {
      const url = yield* backend.fresh
      const client = Effect.map(backends.open(url), (sql) => SqlStore.make(sql, 20))
      const one = yield* client
      // PGlite has one process.
      const two = backend.kind === "pglite" ? one : yield* client
      // Replicas start at the same time.
      yield* Effect.all([one.createTables, two.createTables], { concurrency: "unbounded" })
      yield* two.createTables
      yield* one.start
      if (two !== one) yield* two.start
      return [one, two] as const
    })
  })
)
