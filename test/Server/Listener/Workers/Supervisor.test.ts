import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as TestClock from "effect/testing/TestClock"
import * as Supervisor from "../../../../src/Server/Listener/Workers/Supervisor.ts"
import * as fleet from "./fleet.ts"

/** Starts a supervisor whose workers serve. */
const serving = (count: number) =>
  Effect.gen(function* () {
    const started = yield* fleet.make(count)
    yield* fleet.settle
    started.fakes[0]!.serve()
    yield* fleet.settle
    for (const fake of started.fakes.slice(1)) fake.serve()
    yield* fleet.settle
    return started
  })

const errorOf = (exit: Exit.Exit<never>) =>
  Exit.isFailure(exit) ? (Cause.squash(exit.cause) as Supervisor.WorkerError) : undefined

const stopsOf = ({ sent }: fleet.Fake) => sent.filter(({ flange }) => flange === "stop").length

describe("the start", () => {
  it.effect("the others start once the first worker serves", () =>
    Effect.gen(function* () {
      const { fakes } = yield* fleet.make(3)
      yield* fleet.settle
      assert.deepStrictEqual(
        fakes.map(({ number }) => number),
        [1]
      )
      fakes[0]!.serve()
      yield* fleet.settle
      assert.deepStrictEqual(
        fakes.map(({ number }) => number),
        [1, 2, 3]
      )
    })
  )

  it.effect("as many workers boot at the same time as there are processors", () =>
    Effect.gen(function* () {
      const { fakes, interrupt } = yield* fleet.make(5, 2)
      yield* fleet.settle
      fakes[0]!.serve()
      yield* fleet.settle
      assert.strictEqual(fakes.length, 3)
      fakes[2]!.serve()
      yield* fleet.settle
      assert.strictEqual(fakes.length, 4)
      yield* interrupt
      yield* fleet.settle
      fakes[1]!.serve()
      yield* fleet.settle
      assert.strictEqual(fakes.length, 4)
      assert.deepStrictEqual(fakes.map(stopsOf), [1, 1, 1, 1])
    })
  )

  it.effect("a worker that does not serve ends all, with its exit code", () =>
    Effect.gen(function* () {
      const { exit, fakes } = yield* fleet.make(2)
      yield* fleet.settle
      fakes[0]!.serve()
      yield* fleet.settle
      fakes[1]!.end({ code: 3 })
      const error = errorOf(yield* exit)
      assert.strictEqual(error?.code, 3)
      assert.strictEqual(error?.message, "Worker 2 ended with exit code 3 before it served.")
      assert.strictEqual(stopsOf(fakes[0]!), 1)
    })
  )
})

describe("a crash", () => {
  it.effect("the worker starts again after a wait, with its number, and the log names it", () =>
    Effect.gen(function* () {
      const { fakes, logged } = yield* serving(2)
      fakes[1]!.end({ signal: "SIGKILL" })
      yield* fleet.settle
      assert.strictEqual(fakes.length, 2)
      yield* TestClock.adjust("100 millis")
      assert.strictEqual(fakes.length, 3)
      assert.strictEqual(fakes[2]!.number, 2)
      fakes[2]!.serve()
      yield* fleet.settle
      assert.match(
        logged().join("\n"),
        /Worker 2 ended with signal SIGKILL, restarts in \d+ms\nWorker 2 serves again/
      )
      const told = fakes[0]!.sent.findLast(({ flange }) => flange === "workers")
      assert.deepStrictEqual(told, {
        flange: "workers",
        workers: [
          { number: 1, pid: 100, restarts: 0, status: "serving" },
          { number: 2, pid: 102, restarts: 1, status: "serving" }
        ]
      })
    })
  )

  it.effect("the waits double up to 30 s, and differ by up to a quarter", () =>
    Effect.gen(function* () {
      for (const [crashes, most] of [
        [1, 100],
        [2, 200],
        [5, 1600],
        [9, 25_600],
        [10, 30_000],
        [500, 30_000]
      ] as const) {
        const wait = Duration.toMillis(yield* Supervisor.waitAfter(crashes))
        assert.isAtMost(wait, most)
        assert.isAtLeast(wait, most * 0.75)
      }
    })
  )

  it.effect("a worker that has served for a minute begins with the shortest wait", () =>
    Effect.gen(function* () {
      const { fakes } = yield* serving(2)
      for (const wait of ["100 millis", "200 millis"] as const) {
        fakes.at(-1)!.end({ code: 1 })
        yield* fleet.settle
        yield* TestClock.adjust(wait)
        fakes.at(-1)!.serve()
        yield* fleet.settle
      }
      yield* TestClock.adjust("1 minute")
      fakes.at(-1)!.end({ code: 1 })
      yield* fleet.settle
      const count = fakes.length
      yield* TestClock.adjust("100 millis")
      assert.strictEqual(fakes.length, count + 1)
    })
  )

  it.effect("if no worker serves and five starts fail in a row, it gives up", () =>
    Effect.gen(function* () {
      const { exit, fakes } = yield* serving(2)
      for (const fake of fakes) fake.end({ code: 1 })
      for (let i = 0; i < 5; i++) {
        yield* fleet.settle
        const before = fakes.length
        yield* TestClock.adjust("30 seconds")
        for (const fake of fakes.slice(before)) fake.end({ code: 9 })
      }
      const error = errorOf(yield* exit)
      assert.strictEqual(error?.code, 9)
      assert.match(error!.message, /^No worker serves, and 5 starts in a row have failed/)
    })
  )

  it.effect("while one worker serves, the others are started again without an end", () =>
    Effect.gen(function* () {
      const { fakes } = yield* serving(2)
      fakes[1]!.end({ code: 1 })
      for (let i = 0; i < 8; i++) {
        yield* fleet.settle
        yield* TestClock.adjust("30 seconds")
        assert.strictEqual(fakes.length, i + 3)
        fakes.at(-1)!.end({ code: 1 })
      }
    })
  )
})

describe("a reload", () => {
  it.effect("each worker is replaced by one that serves, one after the other", () =>
    Effect.gen(function* () {
      const { fakes, logged, main } = yield* serving(2)
      main.onHangup!()
      yield* fleet.settle
      assert.strictEqual(fakes.length, 3)
      assert.strictEqual(stopsOf(fakes[0]!), 0)
      fakes[0]!.isStuck = true
      fakes[2]!.serve()
      yield* fleet.settle
      assert.strictEqual(stopsOf(fakes[0]!), 1)
      // Only the end of the old one lets it go on.
      assert.strictEqual(fakes.length, 3)
      fakes[0]!.end({ code: 0 })
      yield* fleet.settle
      assert.strictEqual(fakes.length, 4)
      fakes[3]!.serve()
      yield* fleet.settle
      assert.deepStrictEqual(fakes.map(stopsOf), [1, 1, 0, 0])
      assert.include(logged(), "Reload ended: all workers are new")
    })
  )

  it.effect("a new worker that does not serve ends it, and the old ones stay", () =>
    Effect.gen(function* () {
      const { fakes, logged, main } = yield* serving(2)
      main.onHangup!()
      yield* fleet.settle
      fakes[2]!.end({ code: 1 })
      yield* fleet.settle
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(fakes.length, 3)
      assert.deepStrictEqual(fakes.map(stopsOf), [0, 0, 0])
      assert.include(
        logged(),
        "Reload ended: the new worker 1 ended with exit code 1 before it served. The workers from 1 on are the old ones."
      )
    })
  )

  it.effect("signals during a reload make one more", () =>
    Effect.gen(function* () {
      const { fakes, main } = yield* serving(1)
      for (let i = 0; i < 5; i++) main.onHangup!()
      yield* fleet.settle
      main.onHangup!()
      for (let i = 0; i < 5; i++) {
        fakes.at(-1)!.serve()
        yield* fleet.settle
      }
      assert.strictEqual(fakes.length, 3)
    })
  )

  it.effect("a worker that crashes while the process before it drains is started again", () =>
    Effect.gen(function* () {
      const { fakes, main } = yield* serving(2)
      fakes[0]!.isStuck = true
      main.onHangup!()
      yield* fleet.settle
      fakes[2]!.serve()
      yield* fleet.settle
      fakes[2]!.end({ code: 1 })
      yield* fleet.settle
      yield* TestClock.adjust("100 millis")
      assert.deepStrictEqual(
        fakes.map(({ number }) => number),
        [1, 2, 1, 1]
      )
      fakes[0]!.end({ code: 0 })
    })
  )
})

it.effect("SIGUSR2 goes to all workers", () =>
  Effect.gen(function* () {
    const { exit, fakes, interrupt } = yield* serving(2)
    process.emit("SIGUSR2", "SIGUSR2")
    assert.deepStrictEqual(
      fakes.map(({ killed }) => killed),
      [["SIGUSR2"], ["SIGUSR2"]]
    )
    yield* interrupt
    yield* exit
    assert.strictEqual(process.listenerCount("SIGUSR2"), 0)
  })
)

it.effect("SIGUSR2 goes to a worker that starts once it is ready", () =>
  Effect.gen(function* () {
    const { exit, fakes, interrupt } = yield* fleet.make(1)
    yield* fleet.settle
    process.emit("SIGUSR2", "SIGUSR2")
    assert.deepStrictEqual(fakes[0]!.killed, [])
    fakes[0]!.serve()
    assert.deepStrictEqual(fakes[0]!.killed, ["SIGUSR2"])
    yield* fleet.settle
    yield* interrupt
    yield* exit
  })
)

describe("the stop", () => {
  it.effect("all workers are told once, at the same time", () =>
    Effect.gen(function* () {
      const { exit, fakes, interrupt } = yield* serving(3)
      for (const fake of fakes) fake.isStuck = true
      yield* interrupt
      yield* fleet.settle
      assert.deepStrictEqual(fakes.map(stopsOf), [1, 1, 1])
      for (const fake of fakes) fake.end({ code: 0 })
      const ended = yield* exit
      assert.isTrue(Exit.isFailure(ended) && Cause.hasInterruptsOnly(ended.cause))
    })
  )

  it.effect("during a reload also the new worker is stopped", () =>
    Effect.gen(function* () {
      const { exit, fakes, interrupt, main } = yield* serving(2)
      main.onHangup!()
      yield* fleet.settle
      yield* interrupt
      yield* exit
      assert.deepStrictEqual(fakes.map(stopsOf), [1, 1, 1])
    })
  )

  it.effect("the exit code of a worker that did not stop well is that of all", () =>
    Effect.gen(function* () {
      const { exit, fakes, interrupt } = yield* serving(2)
      fakes[1]!.isStuck = true
      yield* interrupt
      yield* fleet.settle
      fakes[1]!.end({ code: 70 })
      assert.strictEqual(errorOf(yield* exit)?.code, 70)
    })
  )

  it.effect("a worker that does not stop within the limit is killed", () =>
    Effect.gen(function* () {
      const { exit, fakes, interrupt, logged } = yield* serving(2)
      fakes[1]!.isStuck = true
      yield* interrupt
      yield* fleet.settle
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(errorOf(yield* exit)?.code, 1)
      assert.include(logged(), "Worker 2 did not stop within 30s and is killed")
    })
  )

  it.effect("a worker that is asked to stop the app stops all", () =>
    Effect.gen(function* () {
      const { fakes, stops } = yield* serving(2)
      fakes[1]!.say({ flange: "shutdown" })
      assert.strictEqual(stops(), 1)
    })
  )
})
