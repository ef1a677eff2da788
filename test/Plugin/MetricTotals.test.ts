import type * as Metric from "effect/Metric"
import { describe, expect, it } from "vitest"
import * as MetricTotals from "../../src/Plugin/MetricTotals.ts"

type Snapshot = Metric.Metric.Snapshot

const counter = (count: bigint | number, attributes?: Record<string, string>): Snapshot => ({
  attributes,
  description: undefined,
  id: "sold",
  state: { count, incremental: true },
  type: "Counter"
})

const gauge = (value: number): Snapshot => ({
  attributes: { room: "hall" },
  description: undefined,
  id: "heat",
  state: { value },
  type: "Gauge"
})

const histogram = (counts: readonly [number, number], time: number): Snapshot => {
  const state = {
    buckets: [
      [1, counts[0]],
      [5, counts[1]]
    ] as ReadonlyArray<[number, number]>,
    count: counts[1] + 1,
    exemplars: [undefined, { spanId: "s", time, traceId: "t", value: 2 }, undefined],
    max: 9,
    min: counts[0],
    sum: 10
  }
  return { attributes: {}, description: undefined, id: "size", state, type: "Histogram" }
}

const states = (parts: ReadonlyArray<MetricTotals.Part>) =>
  MetricTotals.merge(parts).map(({ state }) => state)

describe("the metrics of several processes", () => {
  it("have the sum of each counter, by its attributes", () => {
    const parts = [
      { metrics: [counter(2, { a: "1", b: "2" }), counter(7)], worker: 1 },
      { metrics: [counter(3, { a: "1", b: "2" })], worker: 2 }
    ]
    expect(states(parts)).toEqual([
      { count: 5, incremental: true },
      { count: 7, incremental: true }
    ])
  })

  it("have the sum of counters of big integers and of both kinds", () => {
    const parts = (b: bigint | number) => [
      { metrics: [counter(2n)], worker: 1 },
      { metrics: [counter(b)], worker: 2 }
    ]
    expect(states(parts(3n))).toEqual([{ count: 5n, incremental: true }])
    expect(states(parts(3))).toEqual([{ count: 5, incremental: true }])
  })

  it("have the sum of each frequency", () => {
    const frequency = (entries: ReadonlyArray<[string, number]>): Snapshot => ({
      attributes: undefined,
      description: undefined,
      id: "colour",
      state: { occurrences: new Map(entries) },
      type: "Frequency"
    })
    const parts = [
      { metrics: [frequency([["red", 1]])], worker: 1 },
      { metrics: [frequency([["red", 2], ["blue", 4]])], worker: 2 } // prettier-ignore
    ]
    expect(states(parts)).toEqual([
      {
        occurrences: new Map([
          ["red", 3],
          ["blue", 4]
        ])
      }
    ])
  })

  it("have the sum of each histogram, with the newest example of a bucket", () => {
    const parts = [
      { metrics: [histogram([1, 2], 50)], worker: 1 },
      { metrics: [histogram([3, 5], 40)], worker: 2 }
    ]
    expect(states(parts)).toEqual([
      {
        buckets: [
          [1, 4],
          [5, 7]
        ],
        count: 9,
        exemplars: [undefined, { spanId: "s", time: 50, traceId: "t", value: 2 }, undefined],
        max: 9,
        min: 1,
        sum: 20
      }
    ])
  })

  it("have the gauge of each worker, and none of a process that serves no more", () => {
    const merged = MetricTotals.merge([
      { metrics: [gauge(1)], worker: 1 },
      { metrics: [gauge(2)], worker: 2 },
      { metrics: [gauge(3)], worker: undefined }
    ])
    expect(merged.map(({ attributes, state }) => [attributes, state])).toEqual([
      [{ "flange.worker": "1", room: "hall" }, { value: 1 }],
      [{ "flange.worker": "2", room: "hall" }, { value: 2 }]
    ])
  })

  it("keep the first of two histograms whose boundaries differ", () => {
    const other: Snapshot = {
      ...histogram([1, 2], 1),
      state: { buckets: [[2, 1]], count: 1, max: 1, min: 1, sum: 1 }
    } as Snapshot
    const first = histogram([3, 5], 40)
    expect(
      states([
        { metrics: [first], worker: 1 },
        { metrics: [other], worker: 2 }
      ])
    ).toEqual([first.state])
  })
})
