/** A process that listens to a PostgreSQL of the test, whose connections break as the test says. */
import { expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import type { SqlClient } from "effect/sql/SqlClient"
import { ConnectionError, SqlError } from "effect/sql/SqlError"
import * as TestClock from "effect/testing/TestClock"
import { describe } from "vitest"
import * as SqlListen from "../../src/Plugin/SqlListen.ts"

const broken = new SqlError({ reason: new ConnectionError({ cause: "broken" }) })

/** Creates a client, and what the test knows of it. */
const server = () => {
  const seen = {
    /** When a connection was opened, or was to be opened. */
    attempts: [] as Array<number>,
    connection: undefined as Queue.Queue<{ readonly payload: string }, SqlError> | undefined,
    /** Whether notifications reach the connection. */
    delivers: true,
    /** Whether a connection can be opened. */
    opens: true,
    /** Whether a statement finds a connection. */
    runs: true,
    /** The payloads that the process has sent, and when. */
    sent: [] as Array<readonly [payload: unknown, at: number]>
  }
  const send = (payload: string) =>
    Effect.sync(() => {
      if (seen.delivers && seen.connection !== undefined) {
        Queue.offerUnsafe(seen.connection, { payload })
      }
    })
  const statement = (_: TemplateStringsArray, _channel: string, payload: string) =>
    Effect.gen(function* () {
      if (!seen.runs) return yield* Effect.fail(broken)
      seen.sent.push([payload, yield* Clock.currentTimeMillis])
      return yield* send(payload)
    })
  const client = Object.assign(statement, {
    config: { maxConnections: 2 },
    driver: "pg",
    listen: () =>
      Effect.gen(function* () {
        seen.attempts.push(yield* Clock.currentTimeMillis)
        if (!seen.opens) return yield* Effect.fail(broken)
        seen.connection = yield* Queue.unbounded<{ readonly payload: string }, SqlError>()
        return seen.connection
      })
  })
  return {
    /** Breaks the connection that listens. */
    cut: Effect.suspend(() => Queue.fail(seen.connection!, broken)),
    seen,
    send,
    sql: client as unknown as SqlClient
  }
}

type Server = ReturnType<typeof server>

/** Listens, and returns what the process is told. */
const listening = ({ sql }: Server) =>
  Effect.gen(function* () {
    const told: Array<string> = []
    const isListening = yield* SqlListen.listen(sql, {
      channel: "news",
      lost: "The connection was lost",
      onLost: () => told.push("lost"),
      onMessage: (payload) => told.push(`message ${payload}`),
      onOpen: () => told.push("open")
    })
    yield* TestClock.adjust(0)
    return { isListening, told }
  })

/** Runs a test with its warnings collected. */
const warned = <A, E>(
  test: (warnings: ReadonlyArray<unknown>) => Effect.Effect<A, E, Scope.Scope>
) => {
  const warnings: Array<unknown> = []
  const logger = Logger.make(({ message }) => {
    warnings.push(Array.isArray(message) ? message[0] : message)
  })
  return Effect.provide(Effect.scoped(test(warnings)), Logger.layer([logger]))
}

const waitsOf = ({ seen: { attempts } }: Server) =>
  attempts.slice(1).map((at, i) => at - attempts[i]!)

/** Checks that each wait is about twice as long as the one before, up to five seconds. A test moves by 10 ms. */
const expectGrowth = (waits: ReadonlyArray<number>) => {
  for (const [i, wait] of waits.entries()) {
    const middle = Math.min(5000, 50 * 2 ** i)
    expect(wait).toBeGreaterThanOrEqual(middle * 0.5 - 10)
    expect(wait).toBeLessThanOrEqual(middle * 1.5 + 10)
  }
}

describe("a connection that listens", () => {
  it.effect("hands on payloads, but not its signs of life", () =>
    warned(() =>
      Effect.gen(function* () {
        const one = server()
        const { told } = yield* listening(one)
        yield* one.send("a")
        yield* one.send("")
        yield* one.send("b")
        yield* TestClock.adjust(0)
        expect(told).toEqual(["open", "message a", "message b"])
      })
    )
  )

  it.effect("that is lost is told of at once and opened again, and later losses too", () =>
    warned((warnings) =>
      Effect.gen(function* () {
        const one = server()
        const { isListening, told } = yield* listening(one)
        expect(isListening()).toBe(true)
        yield* one.cut
        yield* TestClock.adjust(0)
        expect(told).toEqual(["open", "lost"])
        expect(isListening()).toBe(false)
        yield* TestClock.adjust("1 second")
        expect(told).toEqual(["open", "lost", "open"])
        expect(isListening()).toBe(true)
        yield* one.cut
        yield* TestClock.adjust("1 second")
        yield* one.send("after")
        yield* TestClock.adjust(0)
        expect(told).toEqual(["open", "lost", "open", "lost", "open", "message after"])
        expect(warnings).toEqual(["The connection was lost", "The connection was lost"])
      })
    )
  )

  it.effect("that cannot be opened is tried after waits that grow, with one warning", () =>
    warned((warnings) =>
      Effect.gen(function* () {
        const one = server()
        one.seen.opens = false
        const { isListening, told } = yield* listening(one)
        yield* TestClock.adjust("2 minutes")
        expect(told).toEqual([])
        expect(isListening()).toBe(false)
        expect(waitsOf(one).length).toBeGreaterThan(10)
        expectGrowth(waitsOf(one))
        expect(warnings).toEqual(["The connection was lost"])
        one.seen.opens = true
        yield* TestClock.adjust("10 seconds")
        expect(told).toEqual(["open"])
      })
    )
  )

  it.effect("that breaks as soon as it is open is opened again after waits that grow", () =>
    warned(() =>
      Effect.gen(function* () {
        const one = server()
        yield* listening(one)
        for (let i = 0; i < 10; i++) {
          yield* one.cut
          while (one.seen.attempts.length === i + 1) yield* TestClock.adjust("10 millis")
        }
        const waits = waitsOf(one)
        expectGrowth(waits)
        // After some time without a loss, the first wait is short again.
        yield* TestClock.adjust("8 seconds")
        const attempts = one.seen.attempts.length
        yield* one.cut
        yield* TestClock.adjust("75 millis")
        expect(one.seen.attempts.length).toBe(attempts + 1)
      })
    )
  )

  it.effect("that is silent is asked for a sign of life, and kept if it has one", () =>
    warned((warnings) =>
      Effect.gen(function* () {
        const one = server()
        const { told } = yield* listening(one)
        yield* TestClock.adjust("10 seconds")
        expect(one.seen.sent).toEqual([["", 10_000]])
        yield* TestClock.adjust("1 minute")
        expect(one.seen.attempts).toEqual([0])
        expect(told).toEqual(["open"])
        expect(warnings).toEqual([])
      })
    )
  )

  it.effect("with notifications of others is not asked", () =>
    warned(() =>
      Effect.gen(function* () {
        const one = server()
        yield* listening(one)
        for (let i = 0; i < 12; i++) {
          yield* TestClock.adjust("9 seconds")
          yield* one.send("x")
        }
        expect(one.seen.sent).toEqual([])
      })
    )
  )

  it.effect("that delivers nothing is lost, and another one is opened", () =>
    warned((warnings) =>
      Effect.gen(function* () {
        const one = server()
        const { isListening, told } = yield* listening(one)
        one.seen.delivers = false
        yield* TestClock.adjust("20 seconds")
        expect(told).toEqual(["open", "lost"])
        expect(isListening()).toBe(false)
        expect(warnings).toEqual(["The connection was lost"])
        one.seen.delivers = true
        yield* TestClock.adjust("1 second")
        yield* one.send("a")
        yield* TestClock.adjust(0)
        expect(told).toEqual(["open", "lost", "open", "message a"])
      })
    )
  )

  it.effect("is kept while no statement finds a connection of the pool", () =>
    warned(() =>
      Effect.gen(function* () {
        const one = server()
        const { told } = yield* listening(one)
        one.seen.runs = false
        yield* TestClock.adjust("1 minute")
        yield* one.send("a")
        yield* TestClock.adjust(0)
        expect(told).toEqual(["open", "message a"])
        expect(one.seen.attempts).toEqual([0])
      })
    )
  )
})

it.effect.each([
  [{ config: { maxConnections: 1 } }, true],
  [{ driver: "pglite" }, false],
  [{ listen: undefined }, false]
])("a client with %j does not listen", ([own, has]) =>
  Effect.gen(function* () {
    const one = server()
    const sql = Object.assign(one.sql, own)
    expect(SqlListen.hasNotifications(sql)).toBe(has)
    expect(SqlListen.canListen(sql)).toBe(false)
    const { isListening } = yield* listening(one)
    expect(isListening()).toBe(false)
    expect(one.seen.attempts).toEqual([])
  })
)
