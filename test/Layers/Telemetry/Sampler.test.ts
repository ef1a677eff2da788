/** Which traces are sampled. */
import { describe, expect, it } from "vitest"
import * as Sampler from "../../../src/Layers/Telemetry/Trace/Sampler.ts"

const many = Array.from({ length: 20_000 })

describe("traceidratio", () => {
  it.each([0, 0.1, 0.5, 1])("%d of the traces without a parent are sampled", (ratio) => {
    const { decide } = Sampler.make("parentbased_traceidratio", ratio)
    const sampled = many.filter(() => decide(undefined)).length / many.length
    // Ten standard deviations.
    expect(Math.abs(sampled - ratio)).toBeLessThanOrEqual(
      10 * Math.sqrt((ratio * (1 - ratio)) / many.length)
    )
  })

  it("another service with the same ratio decides in the same way by the trace id", () => {
    const { traceId } = Sampler.make("parentbased_traceidratio", 0.1)
    const { decide } = Sampler.make("traceidratio", 0.1)
    for (const sampled of [true, false]) {
      for (let i = 0; i < 1000; i++) {
        expect(decide({ sampled: !sampled, traceId: traceId(sampled) })).toBe(sampled)
      }
    }
  })

  it("a higher ratio samples every trace that a lower one samples", () => {
    const { traceId } = Sampler.make("traceidratio", 0.1)
    const { decide } = Sampler.make("traceidratio", 0.2)
    for (let i = 0; i < 1000; i++)
      expect(decide({ sampled: false, traceId: traceId(true) })).toBe(true)
  })

  it("the short trace id of another system decides", () => {
    const { decide } = Sampler.make("traceidratio", 0.5)
    expect(decide({ sampled: false, traceId: "a3ce929d0e0e4736" })).toBeTypeOf("boolean")
  })
})

it("trace ids are 32 hexadecimal digits and differ", () => {
  const { traceId } = Sampler.make("traceidratio", 0.3)
  const ids = new Set(many.map((_, i) => traceId(i % 2 === 0)))
  expect(ids.size).toBe(many.length)
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/)
})
