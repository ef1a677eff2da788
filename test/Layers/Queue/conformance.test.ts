import * as Effect from "effect/Effect"
import { describe } from "vitest"
import { MemoryStore } from "../../../src/Layers/Queue/MemoryStore.ts"
import { conformance } from "./conformance.ts"

describe("a store in memory", () =>
  conformance({
    open: Effect.sync(() => {
      const store = new MemoryStore()
      return [store, store] as const
    })
  }))
