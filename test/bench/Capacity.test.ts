import { describe, expect, it } from "vitest"
import { capacity, costs, example, largestPool } from "../../bench/simulation/capacity.ts"

describe("capacity", () => {
  it("computes the worked example as docs/scale.md explains it", () => {
    expect(capacity({ ...example, rate: 10_000 })).toEqual({
      connections: (10 + 1) * (10 + 1) + 3,
      databaseCores: 4,
      inUse: 50,
      pool: 10,
      processes: 10,
      replicas: 10
    })
  })

  it("the replicas that are left when one is away stay within the utilization", () => {
    for (const rate of [50, 1000, 33_333, 100_000]) {
      const { pool, replicas } = capacity({ ...example, rate })
      const left = replicas - 1
      expect((rate * example.cpu) / 1000 / left).toBeLessThanOrEqual(example.utilization)
      expect((rate * example.hold) / 1000 / left / pool).toBeLessThanOrEqual(example.utilization)
    }
  })

  it("workers are processes with pools of their own", () => {
    const one = capacity({ ...example, rate: 10_000 })
    const two = capacity({ ...example, rate: 10_000, workers: 2 })
    expect(two.processes).toBe(2 * two.replicas)
    expect(two.replicas).toBeLessThan(one.replicas)
  })

  it("the largest pool keeps within max_connections, and one more does not", () => {
    const { besidePool, reserved, surge } = example
    for (const [max, processes] of [
      [100, 3],
      [500, 12]
    ] as const) {
      const pool = largestPool(max, processes, example)
      const needed = (size: number) => (processes + surge) * (size + besidePool) + reserved
      expect(needed(pool)).toBeLessThanOrEqual(max)
      expect(needed(pool + 1)).toBeGreaterThan(max)
    }
    expect(largestPool(10, 50, example)).toBe(0)
  })

  it.each([
    [{ rate: 0 }, "rate is 0: write a number above 0"],
    [{ rate: Number.NaN }, "rate is NaN: write a number above 0"],
    [{ rate: 1, utilization: 1.5 }, "utilization is 1.5: write a number up to 1"]
  ])("refuses %j", (demand, message) => {
    expect(() => capacity({ ...example, ...demand })).toThrow(message)
  })

  it("reads a cost of each kind of request from the results", () => {
    for (const [kind, cpu] of Object.entries(costs())) {
      expect(cpu, kind).toBeGreaterThan(0.001)
      expect(cpu, kind).toBeLessThan(10)
    }
  })
})
