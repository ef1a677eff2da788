import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Queue from "flange/Queue"
import { describe, expect, it } from "vitest"

describe("the options of a queue", () => {
  const payload = Schema.String
  const same = (old: unknown): unknown => old
  it.each([
    [{ concurrency: 0 }, "concurrency"],
    [{ concurrency: Number.NaN }, "concurrency"],
    [{ concurrency: 1.5 }, "concurrency"],
    [{ maxAttempts: -1 }, "maxAttempts"],
    [{ rateLimit: { limit: 0, per: "1 second" } }, "rateLimit.limit"],
    [{ rateLimit: { limit: 1, per: 0 } }, "rateLimit.per"],
    [{ timeout: Number.NaN }, "timeout"],
    [{ timeout: "soon" }, "timeout"],
    [{ version: 0 }, "version"],
    [{ version: 2 }, "migrate: { 1: (payload) => ... }"],
    [{ migrate: { 1: same, 3: same }, version: 4 }, "no migration of version 2"],
    [{ migrate: { 1: same } }, "migration"],
    [{ migrate: null }, 'The migrate of the queue "jobs" is null: write an object'],
    [{ migrate: { 1: 5 }, version: 2 }, 'The migration of version 1 of the queue "jobs" is 5'],
    [
      { payload: undefined },
      "write a schema. It is undefined here if its module imports this one."
    ],
    [{ success: Object.create(null) }, "is a value of the type object: write a schema."],
    [{ error: "text" }, 'The error of the queue "jobs" is "text": write a schema.'],
    [{ rateLimit: null }, 'The rateLimit of the queue "jobs" is null: write a limit'],
    [{ retry: "1 second" }, 'The retry of the queue "jobs" is "1 second": write a schedule'],
    [{ timeout: { minute: 5 } }, 'The timeout of the queue "jobs" is [object Object]']
  ])("%o is refused with its name", (options, text) => {
    expect(() => Queue.make("jobs", { payload, ...(options as object) })).toThrow(text)
  })
  it("a worker without a handler is refused", () => {
    const worker = Queue.make("jobs", { payload }).worker as (handler: unknown) => unknown
    expect(() => worker(undefined)).toThrow('The handler of the queue "jobs" is undefined')
    expect(() => worker(Effect.void)).toThrow("write a function that returns an Effect")
  })
  it("a queue without options is refused with what to write", () => {
    expect(() => (Queue.make as (name: string) => unknown)("jobs")).toThrow(
      'The second argument of the queue "jobs" is undefined: write the options'
    )
  })
  it.each(["", "1a", "a b", "a\0", "x".repeat(101)])("the name %o is refused", (name) => {
    expect(() => Queue.make(name, { payload })).toThrow("name of a queue")
  })
})
