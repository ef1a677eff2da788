import { describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpApi from "effect/http-api/HttpApi"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import * as TestClock from "effect/testing/TestClock"
import { AppRuntime, HealthCheck } from "flange"
import * as Health from "flange/Health"
import { assert } from "vitest"

type Checks = Readonly<Record<string, HealthCheck.Input<never>>>

const contributed = (checks: Checks): ReadonlyArray<HealthCheck.Contributed> =>
  Object.entries(checks).map(([name, input]) => {
    const { check, ...data } = Effect.isEffect(input) ? HealthCheck.make(input) : input
    return { data, name, plugin: "app:test", value: check }
  })

const runtime = (checks: Checks) =>
  Layer.succeed(AppRuntime, {
    api: HttpApi.make("test") as never,
    bootTree: Effect.succeed([]),
    buildDate: undefined,
    commit: undefined,
    configuration: Effect.succeed({ environment: "test", keys: [], warnings: [] }),
    // The monitor reads health checks only.
    contributions: () => contributed(checks) as ReadonlyArray<never>,
    description: { id: "test", plugins: [] },
    environment: "test",
    id: "test",
    name: "test",
    role: "all",
    startedAt: 0,
    status: Effect.succeed("ready" as const),
    version: "1.0.0"
  })

const jittered = (checks: Checks) =>
  Health.HealthMonitor.layer.pipe(
    Layer.provide(runtime(checks)),
    Layer.provide(
      Layer.succeed(Health.HealthConfig, {
        healthcheckPath: "/healthcheck",
        healthzPath: "/healthz",
        interval: Duration.seconds(10),
        livezPath: "/livez",
        readyzPath: "/readyz"
      })
    )
  )

/** Without jitter: ten rounds of a random length can take less than nine intervals. */
const monitor = (checks: Checks) =>
  Layer.merge(
    jittered(checks),
    Layer.succeed(Random.Random, { nextDoubleUnsafe: () => 0.5, nextIntUnsafe: () => 0 })
  )

const statuses = Effect.gen(function* () {
  const { components } = yield* Health.HealthMonitor
  return Object.fromEntries((yield* components).map(({ name, status }) => [name, status]))
})

const oneRound = TestClock.adjust("10 seconds")

const logs = () => {
  const lines: Array<string> = []
  const layer = Logger.layer([
    Logger.make(({ cause, logLevel, message }) => {
      lines.push(`${logLevel}: ${String(message)} ${cause.reasons.length}`)
    })
  ])
  return { layer, lines }
}

describe("the monitor", () => {
  it.effect("checks at start, then once in each interval, and never for a request", () => {
    let runs = 0
    return Effect.gen(function* () {
      const { start } = yield* Health.HealthMonitor
      yield* start
      assert.deepStrictEqual(yield* statuses, { db: "up" })
      assert.strictEqual(runs, 1)
      yield* statuses
      yield* TestClock.adjust("9999 millis")
      assert.strictEqual(runs, 1)
      yield* TestClock.adjust("1 milli")
      assert.strictEqual(runs, 2)
      yield* oneRound
      assert.strictEqual(runs, 3)
    }).pipe(Effect.provide(monitor({ db: Effect.sync(() => runs++) })))
  })

  it.effect("jitters the interval by a tenth at most", () => {
    const at: Array<number> = []
    const check = Effect.map(
      Effect.clockWith((clock) => clock.currentTimeMillis),
      (now) => at.push(now)
    )
    return Effect.gen(function* () {
      const { start } = yield* Health.HealthMonitor
      yield* start
      yield* TestClock.adjust("10 minutes")
      const gaps = at.slice(1).map((time, i) => time - at[i]!)
      assert.isAbove(gaps.length, 50)
      assert.isTrue(gaps.every((gap) => gap >= 9000 && gap <= 11_000))
      assert.isAbove(new Set(gaps).size, 10)
    }).pipe(Effect.provide(jittered({ db: check })))
  })

  it.effect("runs the checks of a round at the same time, each within its own timeout", () =>
    Effect.gen(function* () {
      const { components, start } = yield* Health.HealthMonitor
      yield* start
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(yield* statuses, { fast: "up", late: "down", slow: "up" })
      const [fast, late, slow] = yield* components
      assert.deepInclude(fast, { checkedAt: "1970-01-01T00:00:00.000Z", latencyMs: 0 })
      assert.deepInclude(late, { checkedAt: "1970-01-01T00:00:01.000Z", latencyMs: 1000 })
      assert.deepInclude(slow, { checkedAt: "1970-01-01T00:00:04.000Z", latencyMs: 4000 })
    }).pipe(
      Effect.provide(
        monitor({
          fast: Effect.void,
          late: HealthCheck.make(Effect.never, { timeout: "1 second" }),
          slow: Effect.sleep("4 seconds")
        })
      )
    )
  )

  it.effect(
    "a component counts as down after failureThreshold failures in a row, and not before",
    () => {
      const { layer, lines } = logs()
      const outcomes = [true, false, false, true, false, false, false, false, true]
      let run = 0
      const check = Effect.suspend(() =>
        (outcomes[run++] ?? true) ? Effect.void : Effect.fail("no")
      )
      return Effect.gen(function* () {
        const { start } = yield* Health.HealthMonitor
        yield* start
        const seen: Array<string> = []
        for (const _ of outcomes) {
          seen.push((yield* statuses)["db"]!)
          yield* oneRound
        }
        assert.deepStrictEqual(seen, [
          "up",
          "degraded",
          "degraded",
          "up",
          "degraded",
          "degraded",
          "down",
          "down",
          "up"
        ])
        assert.deepStrictEqual(lines, [
          'Warn: Component "db" of plugin "app:test" fails (critical), and is down after 3 failures in a row 1',
          'Info: Component "db" of plugin "app:test" is up again 0',
          'Warn: Component "db" of plugin "app:test" fails (critical), and is down after 3 failures in a row 1',
          'Warn: Component "db" of plugin "app:test" is down (critical) 1',
          'Info: Component "db" of plugin "app:test" is up again 0'
        ])
      }).pipe(
        Effect.provide(
          monitor({ db: HealthCheck.make(check, { class: "critical", failureThreshold: 3 }) })
        ),
        Effect.provide(layer)
      )
    }
  )

  it.effect("a component that was never up is down at its first failure", () =>
    Effect.gen(function* () {
      const { start } = yield* Health.HealthMonitor
      yield* start
      assert.deepStrictEqual(yield* statuses, { db: "down" })
    }).pipe(
      Effect.provide(monitor({ db: HealthCheck.make(Effect.fail("no"), { failureThreshold: 3 }) }))
    )
  )

  it("a failureThreshold that is not a whole number from 1 is refused", () => {
    for (const failureThreshold of [0, -1, 1.5, NaN, Infinity]) {
      assert.throws(
        () => HealthCheck.make(Effect.void, { failureThreshold }),
        /write a whole number from 1/
      )
    }
  })

  it.effect("gives a check five seconds by default", () =>
    Effect.gen(function* () {
      const { start } = yield* Health.HealthMonitor
      yield* start
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(yield* statuses, { db: "down" })
    }).pipe(Effect.provide(monitor({ db: Effect.never })))
  )

  it.effect("lets a caller wait for the first round, for five seconds", () =>
    Effect.gen(function* () {
      const { start } = yield* Health.HealthMonitor
      yield* start
      const first = yield* Effect.forkChild(statuses)
      yield* TestClock.adjust("4999 millis")
      assert.isUndefined(first.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(yield* Fiber.join(first), { db: "unknown" })
    }).pipe(
      Effect.provide(monitor({ db: HealthCheck.make(Effect.never, { timeout: "1 minute" }) }))
    )
  )

  it.effect(
    "takes failures, defects and interruptions for down, and logs changes with the cause",
    () => {
      let check: Effect.Effect<void, string> = Effect.void
      const { layer, lines } = logs()
      return Effect.gen(function* () {
        const { start } = yield* Health.HealthMonitor
        yield* start
        assert.deepStrictEqual(yield* statuses, { db: "up" })
        for (const broken of [Effect.fail("x"), Effect.die("x"), Effect.interrupt]) {
          check = broken
          yield* oneRound
          assert.deepStrictEqual(yield* statuses, { db: "down" })
        }
        check = Effect.void
        yield* oneRound
        assert.deepStrictEqual(yield* statuses, { db: "up" })
        assert.deepStrictEqual(lines, [
          'Warn: Component "db" of plugin "app:test" is down (shared) 1',
          'Info: Component "db" of plugin "app:test" is up again 0'
        ])
      }).pipe(Effect.provide(monitor({ db: Effect.suspend(() => check) })), Effect.provide(layer))
    }
  )

  it.effect("goes on when a check cannot be interrupted, and does not start it twice", () => {
    let [quick, stuck] = [0, 0]
    return Effect.gen(function* () {
      const { start } = yield* Health.HealthMonitor
      yield* start
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(yield* statuses, { quick: "up", stuck: "down" })
      yield* oneRound
      yield* oneRound
      assert.deepStrictEqual([quick, stuck], [3, 1])
      assert.deepStrictEqual(yield* statuses, { quick: "up", stuck: "down" })
      yield* TestClock.adjust("1 minute")
      assert.isAbove(stuck, 1)
    }).pipe(
      Effect.provide(
        monitor({
          quick: Effect.sync(() => quick++),
          stuck: Effect.suspend(() => {
            stuck++
            // Only the first, so that none keeps the release waiting on a clock that stands.
            return stuck === 1 ? Effect.uninterruptible(Effect.sleep("40 seconds")) : Effect.void
          })
        })
      )
    )
  })

  it.effect("interrupts a running check on stop and on release, and knows what it found", () => {
    let interrupted = 0
    const check = (queue: Queue.Queue<void>) =>
      Effect.onInterrupt(Effect.andThen(Queue.offer(queue, undefined), Effect.never), () =>
        Effect.sync(() => interrupted++)
      )
    const scoped = (queue: Queue.Queue<void>, layer: Layer.Layer<never>) =>
      Effect.gen(function* () {
        const { start } = yield* Health.HealthMonitor
        yield* start
        yield* Queue.take(queue)
      }).pipe(Effect.provide(monitor({ db: check(queue) })), Effect.provide(layer))
    return Effect.gen(function* () {
      const { layer, lines } = logs()
      const queue = yield* Queue.unbounded<void>()
      yield* scoped(queue, layer)
      assert.strictEqual(interrupted, 1)
      yield* Effect.gen(function* () {
        const { start, stop } = yield* Health.HealthMonitor
        yield* start
        yield* Queue.take(queue)
        yield* stop
        assert.strictEqual(interrupted, 2)
        assert.deepStrictEqual(yield* statuses, { db: "unknown" })
      }).pipe(Effect.provide(monitor({ db: check(queue) })), Effect.provide(layer))
      assert.deepStrictEqual(lines, [])
    })
  })
})
