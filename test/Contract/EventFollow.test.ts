import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { Retry } from "effect/encoding/Sse"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { follow } from "flange/Realtime/Contract"
import { expect, it } from "vitest"

/** The part of a response that `follow` reads. */
const response = { headers: {} } as HttpClientResponse.HttpClientResponse

/** Follows a server that ends each stream with `retry`. Returns when it was called within an hour. */
const calls = (retry: Duration.Input, maxDelay?: Duration.Input) =>
  Effect.gen(function* () {
    const found: Array<number> = []
    const call = () =>
      Effect.gen(function* () {
        found.push(yield* Clock.currentTimeMillis)
        if (found.length > 3) return yield* Effect.never
        const lastEventId = undefined
        const duration = Duration.fromInputUnsafe(retry)
        return [Stream.fail(new Retry({ duration, lastEventId })), response] as const
      })
    yield* Effect.forkScoped(Stream.runDrain(follow(call, { maxDelay })))
    yield* TestClock.adjust("1 hour")
    return found
  }).pipe(Effect.scoped, Effect.provide(TestClock.layer()), Effect.runPromise)

it.each<readonly [string, Duration.Input, Duration.Input | undefined, number]>([
  ["within its bounds is waited for", "2 seconds", undefined, 2000],
  ["above maxDelay is waited for as long as maxDelay", "2 days", "10 seconds", 10_000],
  ["above the default of maxDelay is waited for 30 seconds", "1 minute", undefined, 30_000],
  ["of next to nothing is waited for a quarter of a second", 1, undefined, 250],
  ["of next to nothing is waited for as long as a shorter maxDelay", 1, 100, 100]
])("a retry %s", async (_, retry, maxDelay, wait) => {
  expect(await calls(retry, maxDelay)).toEqual([0, wait, 2 * wait, 3 * wait])
})

it.each<readonly [string, Duration.Input]>([
  ["of 0", 0],
  ["of NaN", Number.NaN],
  ["below 0", Duration.millis(-1000)],
  ["without an end", Duration.infinity]
])("a retry %s is ignored: each wait is longer than the one before", async (_, retry) => {
  const found = await calls(retry)
  expect(found).toHaveLength(4)
  const waits = found.slice(1).map((at, i) => at - found[i]!)
  for (const [i, wait] of waits.entries()) {
    expect(wait).toBeGreaterThanOrEqual(125 * 2 ** i)
    expect(wait).toBeLessThanOrEqual(250 * 2 ** i)
  }
})

it.each([0, -1, Number.NaN])("a maxDelay of %d is refused", (maxDelay) => {
  expect(() => follow(() => Effect.never, { maxDelay })).toThrow(
    'The maxDelay of follow is no time to wait. Write a duration above 0, such as "30 seconds".'
  )
})
