/** What every store of keys does. */
import { randomUUID } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { Attempt, Store } from "flange/Idempotency"
import { afterAll, beforeAll, expect, it } from "vitest"

/** A store to test. */
export interface Subject {
  /** Opens two clients of one store, as two processes have them. */
  readonly open: Effect.Effect<readonly [Store, Store], unknown, Scope.Scope>
}

const digest = () => randomUUID().replaceAll("-", "").padEnd(43, "x")

/** Makes an attempt with a key of its own, or one like another attempt. */
const attempt = (like: Partial<Attempt> = {}): Attempt => ({
  fingerprint: digest(),
  id: digest(),
  ...like,
  owner: randomUUID()
})

const lease = 600_000
const day = 86_400_000

export const conformance = ({ open }: Subject): void => {
  const scope = Scope.makeUnsafe()
  let one: Store
  let two: Store

  beforeAll(async () => {
    ;[one, two] = await Effect.runPromise(Scope.provide(open, scope))
  }, 60_000)
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

  const check = (title: string, test: () => Effect.Effect<void, unknown>) =>
    it(title, () => Effect.runPromise(Effect.suspend(test)))

  check("one attempt claims a free key, and the others find it running", () =>
    Effect.gen(function* () {
      const first = attempt()
      expect(yield* one.claim(first, lease)).toEqual({ _tag: "Claimed" })
      const { fingerprint } = first
      expect(yield* two.claim(attempt(first), lease)).toEqual({ _tag: "Running", fingerprint })
      const other = attempt({ id: first.id })
      expect(yield* one.claim(other, lease)).toEqual({ _tag: "Running", fingerprint })
    })
  )

  check("of concurrent attempts with one key, exactly one claims it", () =>
    Effect.gen(function* () {
      const first = attempt()
      const all = yield* Effect.forEach(
        Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? one : two)),
        (store) => store.claim(attempt(first), lease),
        { concurrency: "unbounded" }
      )
      expect(all.filter(({ _tag }) => _tag === "Claimed")).toHaveLength(1)
      expect(all.filter(({ _tag }) => _tag === "Running")).toHaveLength(39)
    })
  )

  check("a completed key has its fingerprint and its reply, for every later attempt", () =>
    Effect.gen(function* () {
      const first = attempt()
      const reply = 'text with "quotes", \\, \u0000, \u00e9, \u{1f600} and lines\r\n'
      yield* one.claim(first, lease)
      expect(yield* one.complete(first, JSON.stringify(reply), day)).toBe(true)
      const { fingerprint, id } = first
      const done = { _tag: "Done", fingerprint, reply: JSON.stringify(reply) }
      expect(yield* two.claim(attempt(first), lease)).toEqual(done)
      expect(yield* one.claim(attempt({ id }), lease)).toEqual(done)
    })
  )

  check("an empty reply and one of a megabyte are kept", () =>
    Effect.forEach(
      ["", "x".repeat(2 ** 20)],
      (reply) =>
        Effect.gen(function* () {
          const first = attempt()
          yield* one.claim(first, lease)
          expect(yield* one.complete(first, reply, day)).toBe(true)
          expect(yield* two.claim(attempt(first), lease)).toMatchObject({ _tag: "Done", reply })
        }),
      { discard: true }
    )
  )

  check("a released key can be claimed again, with another fingerprint", () =>
    Effect.gen(function* () {
      const first = attempt()
      yield* one.claim(first, lease)
      yield* one.release(first)
      const second = attempt({ id: first.id })
      expect(yield* two.claim(second, lease)).toEqual({ _tag: "Claimed" })
    })
  )

  check("an attempt that does not have the key changes nothing", () =>
    Effect.gen(function* () {
      const first = attempt()
      const second = attempt(first)
      yield* one.claim(first, lease)
      yield* one.release(second)
      if (one.renew !== undefined) yield* one.renew(second, 1)
      expect((yield* two.claim(second, lease))._tag).toBe("Running")
      expect(yield* one.complete(first, "mine", day)).toBe(true)
      yield* one.release(second)
      yield* one.release(first)
      expect(yield* two.claim(attempt(first), lease)).toMatchObject({ reply: "mine" })
    })
  )

  check("only one reply is kept for a key", () =>
    Effect.gen(function* () {
      const first = attempt()
      yield* one.claim(first, lease)
      expect(yield* one.complete(first, "first", day)).toBe(true)
      expect(yield* two.complete(attempt(first), "second", day)).toBe(false)
      expect(yield* two.claim(attempt(first), lease)).toMatchObject({ reply: "first" })
    })
  )

  check("a reply is forgotten after its time, and the key can be claimed again", () =>
    Effect.gen(function* () {
      const first = attempt()
      yield* one.claim(first, 1)
      yield* one.complete(first, "old", 1)
      const second = attempt({ id: first.id })
      yield* until(Effect.map(two.claim(second, lease), ({ _tag }) => _tag === "Claimed"))
      expect(yield* two.complete(second, "new", day)).toBe(true)
      expect(yield* one.claim(attempt(second), lease)).toMatchObject({ reply: "new" })
    })
  )

  check("a reply is forgotten after its time, also if its lease would have lasted longer", () =>
    Effect.gen(function* () {
      const first = attempt()
      yield* one.claim(first, lease)
      expect(yield* one.complete(first, "old", 1)).toBe(true)
      const second = attempt({ id: first.id })
      let found = yield* two.claim(second, lease)
      while (found._tag === "Done") found = yield* two.claim(second, lease)
      expect(found).toEqual({ _tag: "Claimed" })
      expect((yield* one.claim(attempt(second), lease))._tag).toBe("Running")
      expect(yield* two.complete(second, "new", day)).toBe(true)
      expect(yield* one.claim(attempt(second), lease)).toMatchObject({ reply: "new" })
    })
  )

  check("an attempt whose lease has ended cannot complete after another one has", () =>
    Effect.gen(function* () {
      const first = attempt()
      yield* one.claim(first, 1)
      if (one.renew === undefined) return
      const second = attempt(first)
      yield* until(Effect.map(two.claim(second, lease), ({ _tag }) => _tag === "Claimed"))
      yield* one.release(first)
      expect((yield* one.claim(attempt(first), lease))._tag).toBe("Running")
      expect(yield* two.complete(second, "second", day)).toBe(true)
      expect(yield* one.complete(first, "first", day)).toBe(false)
      expect(yield* one.claim(attempt(first), lease)).toMatchObject({ reply: "second" })
    })
  )

  check("a renewed lease ends at its new time", () =>
    Effect.gen(function* () {
      if (one.renew === undefined) return
      const first = attempt()
      yield* one.claim(first, lease)
      yield* one.renew(first, 2 * lease)
      expect((yield* two.claim(attempt(first), lease))._tag).toBe("Running")
      yield* one.renew(first, 1)
      yield* until(Effect.map(two.claim(attempt(first), lease), ({ _tag }) => _tag === "Claimed"))
    })
  )

  check("answers the ping", () => one.ping)
}

/** Waits until a condition holds. */
export const until = <E>(condition: Effect.Effect<boolean, E>): Effect.Effect<void, E> =>
  Effect.flatMap(condition, (holds) =>
    holds
      ? Effect.void
      : Effect.andThen(
          Effect.promise(() => new Promise((done) => setTimeout(done, 10))),
          until(condition)
        )
  )
