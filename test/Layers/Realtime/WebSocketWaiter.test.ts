/** The fibers that wait for a change of a connection. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { assert, describe, it } from "vitest"
import * as WebSocketWaiter from "../../../src/Layers/Realtime/WebSocketWaiter.ts"

describe("the waiters of a connection", () => {
  it("are resumed in the order in which they came, without those that were interrupted", async () => {
    let first: WebSocketWaiter.Waiter | undefined
    const resumed: Array<string> = []
    const wait = (name: string) => {
      const fiber = Effect.runFork(Effect.never)
      const resume = () => void resumed.push(name)
      first = WebSocketWaiter.add(first, { fiber, next: undefined, resume })
      return Fiber.interrupt(fiber)
    }
    const ends = ["a", "b", "c", "d", "e"].map(wait)
    for (const i of [0, 2, 3]) await Effect.runPromise(ends[i]!)
    const last = wait("f")
    WebSocketWaiter.wake(first)
    assert.deepStrictEqual(resumed, ["b", "e", "f"])
    await Effect.runPromise(Effect.all([...ends, last]))
  })

  it("are none once all were interrupted and one more waits and is interrupted", async () => {
    const add = (first: WebSocketWaiter.Waiter | undefined) => {
      const fiber = Effect.runFork(Effect.never)
      return WebSocketWaiter.add(first, { fiber, next: undefined, resume: () => {} })
    }
    let first: WebSocketWaiter.Waiter | undefined
    for (let i = 0; i < 3; i++) {
      first = add(first)
      await Effect.runPromise(Fiber.interrupt(first.fiber))
    }
    assert.isUndefined(first!.next)
  })
})
