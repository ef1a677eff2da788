import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { describe, expect, it } from "vitest"
import * as RetryDelay from "../../../src/Layers/Queue/RetryDelay.ts"

const delays = (retry: Schedule.Schedule<unknown, number>) =>
  [1, 2, 3, 4].map((attempt) => Duration.toMillis(Effect.runSync(RetryDelay.after(retry, attempt))))

describe("the delay after an attempt", () => {
  it("is that of the schedule after as many steps, whatever was asked before", () => {
    expect(delays(Schedule.exponential(10))).toEqual([10, 20, 40, 80])
    expect(delays(Schedule.spaced(5))).toEqual([5, 5, 5, 5])
  })

  it("is the last one of a schedule that has ended, and zero if it has none", () => {
    expect(delays(Schedule.upTo(Schedule.exponential(10), { times: 2 }))).toEqual([10, 20, 20, 20])
    expect(delays(Schedule.recurs(0))).toEqual([0, 0, 0, 0])
  })

  it("is looked for at the time after the earlier delays", () => {
    const retry = Schedule.upTo(Schedule.exponential(10), { duration: 25 })
    expect(delays(retry)).toEqual([10, 20, 20, 20])
  })

  it("is asked for with the number of the attempt, from 1", () => {
    const retry = Schedule.identity<number>().pipe(
      Schedule.addDelay(({ input }) => Effect.succeed(input * 100))
    )
    expect(delays(retry)).toEqual([100, 200, 300, 400])
  })
})
