import * as Duration from "effect/Duration"
import { expect, it } from "vitest"
import * as DurationInput from "../../src/Plugin/DurationInput.ts"

it.each<[unknown, number]>([
  [-5, -5],
  ["5 seconds", 5000],
  [[1, 5_000_000], 1005],
  [{ minutes: 1, seconds: undefined }, 60_000],
  [5n, 0.000005],
  [Duration.seconds(2), 2000],
  [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
])("%o is a duration", (input, millis) => {
  expect(DurationInput.millis(input as Duration.Input)).toBe(millis)
})

it.each([
  Number.NaN,
  "soon",
  "60",
  null,
  undefined,
  new Date(),
  {},
  { minute: 5 },
  { minutes: Number.NaN },
  [1, Number.NaN],
  Symbol("5"),
  Object.create(null)
])("%o is no duration", (input) => {
  expect(DurationInput.millis(input as Duration.Input)).toBeNaN()
})
