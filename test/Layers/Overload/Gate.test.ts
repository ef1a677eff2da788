import { assert, describe, it } from "@effect/vitest"
import { Concurrency, RouteLatency } from "../../../src/Layers/Overload/Concurrency.ts"
import { Gate } from "../../../src/Layers/Overload/Gate.ts"
import { type Reason, Waiting } from "../../../src/Layers/Overload/Waiting.ts"
import { Loop, type Request, seeded } from "./loop.ts"

/** What the handler of 2 ms takes with the request around it. */
const unloaded = 2.05

describe("handlers that compute for 2 ms", () => {
  it.each([
    ["constant", undefined],
    ["random", seeded(3)]
  ])("keep latency and goodput at twice the bearable load, %s arrivals", (_, random) => {
    const loop = new Loop()
    loop.arrive(0, 6000, 2000 / unloaded, loop.computes(2), random && { random })
    loop.run(6000)
    const { p99, rate } = loop.summary(1000, 5900)
    assert.isBelow(p99, 3 * unloaded)
    assert.isAbove(rate, (0.9 * 1000) / unloaded)
  })

  it("serve every request below the bearable load", () => {
    const loop = new Loop()
    loop.arrive(0, 6000, 350, loop.computes(2), { random: seeded(3) })
    loop.run(6100)
    assert.strictEqual(loop.summary(0, 6000).refused, 0)
  })

  it("serve a burst whole", () => {
    const loop = new Loop()
    loop.arrive(0, 1000, 100, loop.computes(2))
    loop.arrive(1000, 1001, 40_000, loop.computes(2))
    loop.run(2000)
    assert.strictEqual(loop.summary(0, 2000).refused, 0)
  })

  it("serve every request again once the overload is over", () => {
    const loop = new Loop()
    loop.arrive(0, 3000, 1500, loop.computes(2), { random: seeded(1) })
    loop.arrive(3000, 9000, 300, loop.computes(2), { random: seeded(2) })
    loop.run(3000)
    assert.isTrue(loop.gate.standing.isOverloaded)
    loop.run(9100)
    assert.isFalse(loop.gate.standing.isOverloaded)
    assert.strictEqual(loop.summary(5000, 9000).refused, 0)
  })

  it("serve important requests first, and the others now and then", () => {
    const loop = new Loop()
    loop.arrive(0, 4000, 600, loop.computes(2), { priority: "critical", random: seeded(1) })
    loop.arrive(0, 4000, 600, loop.computes(2), { priority: "sheddable", random: seeded(2) })
    loop.run(4000)
    const critical = loop.summary(1000, 3900, "critical").rate
    const sheddable = loop.summary(1000, 3900, "sheddable").rate
    assert.isAbove(critical, 3 * sheddable)
    assert.isAbove(sheddable, 0)
  })
})

describe("handlers that wait", () => {
  /** A pool of ten, each of which takes 20 ms. */
  const pool = (loop: Loop) => {
    let busy = 0
    const queue: Array<() => void> = []
    return (_: Request, done: () => void) => {
      const start = () => {
        busy++
        loop.at(loop.now + 20, () => {
          busy--
          done()
          queue.shift()?.()
        })
      }
      if (busy < 10) start()
      else queue.push(start)
    }
  }

  it("are limited to as many as do not slow each other down much", () => {
    const loop = new Loop()
    const serve = pool(loop)
    loop.arrive(0, 2000, 100, serve, { random: seeded(5) })
    loop.arrive(2000, 12_000, 1000, serve, { random: seeded(9) })
    loop.run(12_000)
    const { p99, rate } = loop.summary(7000, 11_900)
    assert.isBelow(loop.concurrency.limit, 40)
    assert.isAbove(rate, 450)
    assert.isBelow(p99, 100)
  })

  it("have a limit that grows again, and never falls below the least", () => {
    const loop = new Loop({ min: 2 })
    let millis = 10
    const serve = loop.waits(() => millis)
    loop.arrive(0, 15_000, 500, serve, { random: seeded(5) })
    loop.run(1000)
    millis = 200
    let least = Infinity
    for (let until = 1100; until < 6000; until += 100) {
      loop.run(until)
      least = Math.min(least, loop.concurrency.limit)
    }
    assert.isAtLeast(least, 2)
    assert.isBelow(least, 20)
    millis = 10
    loop.run(15_000)
    assert.isAbove(loop.concurrency.limit, 20)
  })
})

describe("a gate", () => {
  const make = (options: { maxQueue?: number; now?: () => number } = {}) => {
    const concurrency = new Concurrency(1, 1)
    const deferred: Array<() => void> = []
    const { maxQueue = 1_000_000, now = () => 0 } = options
    const gate = new Gate({
      concurrency,
      defer: (then) => deferred.push(then),
      maxQueue,
      maxWait: 1000,
      now
    })
    const turn = () => {
      for (const then of deferred.splice(0)) then()
    }
    return { concurrency, gate, turn }
  }

  it("forgets ten thousand waiting clients that leave", () => {
    const { concurrency, gate, turn } = make()
    concurrency.begin(new RouteLatency(), 0)
    const resumed: Array<Reason | undefined> = []
    const all = Array.from(
      { length: 10_000 },
      () => new Waiting((refused) => void resumed.push(refused))
    )
    for (const waiting of all) gate.wait(waiting, "normal")
    assert.strictEqual(gate.queued, 10_000)
    for (const waiting of [...all.slice(5000), ...all.slice(0, 5000)]) gate.leave(waiting)
    // Leaving twice changes nothing.
    gate.leave(all[0]!)
    assert.strictEqual(gate.queued, 0)
    concurrency.end({ isCalm: true, latency: new RouteLatency(), since: 0 }, 0, false)
    gate.advance()
    turn()
    assert.deepStrictEqual(resumed, [])
    assert.isTrue(gate.tryEnter())
  })

  it("displaces the oldest of the least important requests by a more important one", () => {
    const { concurrency, gate } = make({ maxQueue: 2 })
    concurrency.begin(new RouteLatency(), 0)
    const outcomes: Record<string, Reason | undefined> = {}
    const wait = (name: string, priority: "critical" | "normal" | "sheddable") =>
      gate.wait(new Waiting((refused) => void (outcomes[name] = refused)), priority)
    wait("normal", "normal")
    wait("sheddable", "sheddable")
    wait("another", "normal")
    assert.deepStrictEqual(outcomes, { sheddable: "displaced" })
    wait("too many", "normal")
    wait("critical", "critical")
    assert.deepStrictEqual(outcomes, {
      normal: "displaced",
      sheddable: "displaced",
      "too many": "queue_full"
    })
    assert.isTrue(gate.isFull("normal"))
    assert.isFalse(gate.isFull("critical"))
  })

  it("works on if its clock jumps in either direction", () => {
    let time = 1_000_000
    const { concurrency, gate, turn } = make({ now: () => time })
    const latency = new RouteLatency()
    for (const jump of [-900_000, 900_000, -1_000_000, 5, 0]) {
      const flight = concurrency.begin(latency, time)
      let outcome: Reason | "waits" | undefined = "waits"
      gate.wait(new Waiting((refused) => void (outcome = refused)), "normal")
      time += jump
      concurrency.end(flight, time, true)
      gate.advance()
      turn()
      turn()
      assert.isTrue(outcome === undefined || jump > 1000, `${jump}: ${outcome}`)
      assert.strictEqual(gate.queued, 0)
      assert.isAtLeast(concurrency.limit, 1)
      assert.isAtLeast(concurrency.mean, 0)
    }
  })
})
