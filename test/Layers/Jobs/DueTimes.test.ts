import * as Cron from "effect/Cron"
import { describe, expect, it } from "vitest"
import * as DueTimes from "../../../src/Layers/Jobs/DueTimes.ts"

const berlin = (text: string): DueTimes.Schedule => ({
  cron: Cron.parseUnsafe(text, "Europe/Berlin"),
  text,
  type: "cron"
})

const at = (text: string) => Date.parse(text)

const iso = (times: ReadonlyArray<number>) => times.map((time) => new Date(time).toISOString())

/** The due times as steps of `next` find them. */
const forward = (schedule: DueTimes.Schedule, from: number, to: number) => {
  const found: Array<number> = []
  for (let time = DueTimes.next(schedule, from); time <= to; time = DueTimes.next(schedule, time)) {
    found.push(time)
  }
  return found
}

describe("due times", () => {
  const everyMinute: DueTimes.Schedule = { millis: 60_000, text: "every 1m", type: "every" }

  it("of an interval are its multiples, whatever time is asked", () => {
    expect(DueTimes.next(everyMinute, 0)).toBe(60_000)
    expect(DueTimes.next(everyMinute, 59_999)).toBe(60_000)
    expect(DueTimes.next(everyMinute, 60_000)).toBe(120_000)
    expect(DueTimes.between(everyMinute, 60_000, 180_000, 10)).toEqual([120_000, 180_000])
    expect(DueTimes.between(everyMinute, 0, 86_400_000, 2)).toEqual([86_340_000, 86_400_000])
  })

  it("in an hour that summer time leaves out come right after it", () => {
    const schedule = berlin("30 2 * * *")
    expect(iso(forward(schedule, at("2026-03-28T12:00Z"), at("2026-03-30T12:00Z")))).toEqual([
      "2026-03-29T01:30:00.000Z",
      "2026-03-30T00:30:00.000Z"
    ])
  })

  it("in an hour that winter time repeats come once", () => {
    const schedule = berlin("30 2 * * *")
    expect(iso(forward(schedule, at("2026-10-24T12:00Z"), at("2026-10-26T12:00Z")))).toEqual([
      "2026-10-25T00:30:00.000Z",
      "2026-10-26T01:30:00.000Z"
    ])
  })

  it.each(["30 2 * * *", "*/7 * * * *", "0 6 * * 1", "15 1-3 * * *"])(
    "of %s are the same backwards as forwards over changes of the clock",
    (text) => {
      const schedule = berlin(text)
      for (const [from, to] of [
        ["2026-03-28T00:00Z", "2026-03-31T00:00Z"],
        ["2026-10-24T00:00Z", "2026-10-27T00:00Z"]
      ] as const) {
        expect(iso(DueTimes.between(schedule, at(from), at(to), 10_000))).toEqual(
          iso(forward(schedule, at(from), at(to)))
        )
      }
    }
  )

  it("that are handled are known, and those between them are not", () => {
    const handled = new DueTimes.Handled(everyMinute)
    const minutes = [1, 2, 3, 7, 4, 8]
    for (const minute of minutes) handled.add(minute * 60_000)
    const known = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].filter((minute) => handled.has(minute * 60_000))
    expect(known).toEqual([1, 2, 3, 4, 7, 8])
  })
  it("are forgotten after a hundred spans, the oldest ones first", () => {
    const handled = new DueTimes.Handled(everyMinute)
    const odd = Array.from({ length: 101 }, (_, i) => (2 * i + 1) * 60_000)
    for (const due of odd) handled.add(due)
    expect(odd.filter((due) => handled.has(due))).toEqual(odd.slice(1))
  })
})
