/** What an object store does on every backend. */
import { createHash } from "node:crypto"
import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import type { Shape } from "../../../src/Layers/ObjectStore/ObjectStore.ts"
import { type Kind, maxSize } from "./backends.ts"

const text = (store: Shape, key: string) =>
  Effect.scoped(
    Effect.flatMap(store.get(key), ({ stream }) => Stream.mkString(Stream.decodeText(stream)))
  )

const part = (store: Shape, key: string, options: Parameters<Shape["get"]>[1]) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { info, range, stream } = yield* store.get(key, options)
      return { range, size: info.size, text: yield* Stream.mkString(Stream.decodeText(stream)) }
    })
  )

const keysOf = (stream: ReturnType<Shape["list"]>) =>
  Effect.map(Stream.runCollect(stream), (all) => all.map(({ key }) => key))

const sha256 = (content: string | Uint8Array) => createHash("sha256").update(content).digest("hex")

/** Bytes that differ at each place, so that a part at the wrong place is found. */
export const bytes = (size: number): Buffer => {
  const all = Buffer.alloc(size)
  for (let i = 0; i + 4 <= size; i += 4) all.writeUInt32BE(i, i)
  return all
}

const png = Buffer.from("\x89PNG\r\n\x1a\n and the rest", "latin1")

/** Runs the suite on a backend. */
export const suite = ({ isFake, name, open }: Kind) =>
  describe(`the object store in ${name}`, () => {
    const it_ = (rule: string, test: (store: Shape) => Effect.Effect<unknown, unknown>) =>
      it.live(rule, () => Effect.scoped(Effect.flatMap(open, ({ store }) => test(store))))

    it_("an object is read as it was written, and replaced", (store) =>
      Effect.gen(function* () {
        const written = yield* store.put("a/b.txt", "one", {
          contentType: "text/plain; charset=utf-8",
          metadata: { "made-by": "Ada", run: "7" }
        })
        expect(written).toMatchObject({ key: "a/b.txt", sha256: sha256("one"), size: 3 })
        const info = yield* store.head("a/b.txt")
        expect(info).toMatchObject({
          contentType: "text/plain; charset=utf-8",
          etag: written.etag,
          key: "a/b.txt",
          metadata: { "made-by": "Ada", run: "7" },
          size: 3
        })
        expect(info.etag).toMatch(/^"[^"]+"$/)
        expect(info.lastModified.getTime()).toBeGreaterThan(0)
        expect(yield* text(store, "a/b.txt")).toBe("one")
        const next = yield* store.put("a/b.txt", "two, and longer")
        expect(next.etag).not.toBe(written.etag)
        expect(yield* text(store, "a/b.txt")).toBe("two, and longer")
        expect((yield* store.head("a/b.txt")).metadata).toEqual({})
      })
    )

    it_("an object may be empty, and a key may be any text", (store) =>
      Effect.gen(function* () {
        const keys = [
          "é/字 😀.txt",
          "a b+c&d=e?f#g%2Fh;i",
          ".env",
          ".git/config",
          "...",
          "x@/y",
          "x@",
          "x",
          "x/y",
          "'!()*~",
          "aux.txt",
          `${"s".repeat(200)}/t`
        ]
        for (const key of keys) yield* store.put(key, `of ${key}`)
        for (const key of keys) expect(yield* text(store, key), key).toBe(`of ${key}`)
        expect(new Set(yield* keysOf(store.list("")))).toEqual(new Set(keys))
        yield* store.put("empty", "")
        expect((yield* store.head("empty")).size).toBe(0)
        expect(yield* text(store, "empty")).toBe("")
        yield* store.put("none", Stream.empty)
        expect(yield* text(store, "none")).toBe("")
      })
    )

    it_("a key that leads elsewhere is refused by every operation", (store) =>
      Effect.gen(function* () {
        const keys = [
          "",
          "/",
          "/a",
          "a/",
          "a//b",
          "..",
          "a/../b",
          "./a",
          "a\\b",
          "a\0",
          "a\nb",
          "\ud800",
          "x".repeat(1025)
        ]
        for (const key of keys) {
          const failures = yield* Effect.all([
            Effect.flip(store.put(key, "x")),
            Effect.flip(Effect.scoped(store.get(key))),
            Effect.flip(store.head(key)),
            Effect.flip(store.delete(key)),
            Effect.flip(store.copy(key, "a")),
            Effect.flip(store.copy("a", key)),
            Effect.flip(store.presignGet(key))
          ])
          expect(
            failures.map(({ _tag }) => _tag),
            key
          ).toEqual(failures.map(() => "InvalidObjectKey"))
        }
        const prefixes = yield* Effect.forEach(["../", "/", "a//"], (prefix) =>
          Effect.flip(Stream.runDrain(store.list(prefix)))
        )
        expect(prefixes.map(({ _tag }) => _tag)).toEqual(prefixes.map(() => "InvalidObjectKey"))
      })
    )

    it_("what does not exist is not found, and deleting it succeeds", (store) =>
      Effect.gen(function* () {
        const tag = { _tag: "ObjectNotFound" }
        expect(yield* Effect.flip(store.head("a/b"))).toMatchObject(tag)
        expect(yield* Effect.flip(Effect.scoped(store.get("a/b")))).toMatchObject(tag)
        expect(yield* Effect.flip(store.copy("a/b", "c"))).toMatchObject(tag)
        yield* store.delete("a/b")
        yield* store.put("a/b", "x")
        yield* store.delete("a/b")
        expect(yield* Effect.flip(store.head("a/b"))).toMatchObject(tag)
        expect(yield* keysOf(store.list(""))).toEqual([])
      })
    )

    it_("a copy has the content, type and metadata of its source", (store) =>
      Effect.gen(function* () {
        const options = { contentType: "text/csv", metadata: { run: "7" } }
        const { etag } = yield* store.put("from/é +.csv", "1,2", options)
        yield* store.put("to/b.csv", "before")
        yield* store.copy("from/é +.csv", "to/b.csv")
        expect(yield* store.head("to/b.csv")).toMatchObject({ ...options, etag, key: "to/b.csv" })
        expect(yield* text(store, "to/b.csv")).toBe("1,2")
      })
    )

    it_("keys are listed by prefix in the order of their bytes, from any key on", (store) =>
      Effect.gen(function* () {
        const sorted = ["a", "a-b", "a/b", "a/b/c", "a/é", "a/字", "a0", "b"]
        // JavaScript would sort them in the other order, and so does fauxqs.
        if (!isFake) sorted.push("b/\uff5e", "b/😀")
        for (const key of sorted.toReversed()) yield* store.put(key, key)
        expect(yield* keysOf(store.list(""))).toEqual(sorted)
        expect(yield* keysOf(store.list("a/"))).toEqual(sorted.slice(2, 6))
        expect(yield* keysOf(store.list("a/b"))).toEqual(sorted.slice(2, 4))
        expect(yield* keysOf(store.list("a/b/c"))).toEqual(["a/b/c"])
        expect(yield* keysOf(store.list("none/"))).toEqual([])
        for (const [i, after] of sorted.entries()) {
          expect(yield* keysOf(store.list("", { after }))).toEqual(sorted.slice(i + 1))
        }
        const [first] = yield* Stream.runCollect(store.list("a/b/"))
        const { etag, key, size } = yield* store.head("a/b/c")
        expect(first).toMatchObject({ etag, key, size })
      })
    )

    it_("a range is read alone", (store) =>
      Effect.gen(function* () {
        yield* store.put("digits", "0123456789")
        const read = (range: Parameters<Shape["get"]>[1] & {}) => part(store, "digits", range)
        expect(yield* read({ range: { from: 2, to: 4 } })).toEqual({
          range: { from: 2, to: 4 },
          size: 10,
          text: "234"
        })
        expect((yield* read({ range: { from: 7 } })).text).toBe("789")
        expect((yield* read({ range: { from: 7, to: 99 } })).range).toEqual({ from: 7, to: 9 })
        expect((yield* read({ range: { last: 3 } })).text).toBe("789")
        expect((yield* read({ range: { last: 99 } })).text).toBe("0123456789")
        for (const range of [{ from: 10 }, { last: 0 }]) {
          expect(yield* Effect.flip(read({ range }))).toMatchObject({
            _tag: "ObjectRangeNotSatisfiable",
            size: 10
          })
        }
      })
    )

    it_("a read has conditions on the entity tag", (store) =>
      Effect.gen(function* () {
        const { etag } = yield* store.put("a", "one")
        const other = '"other"'
        expect((yield* part(store, "a", { ifMatch: [etag] })).text).toBe("one")
        expect((yield* part(store, "a", { ifMatch: [other, etag] })).text).toBe("one")
        expect((yield* part(store, "a", { ifNoneMatch: [other] })).text).toBe("one")
        const failures = [
          [{ ifMatch: [other] }, "ObjectPreconditionFailed"],
          [{ ifMatch: [] }, "ObjectPreconditionFailed"],
          [{ ifNoneMatch: [etag] }, "ObjectNotModified"],
          [{ ifNoneMatch: [other, etag] }, "ObjectNotModified"]
        ] as const
        for (const [options, _tag] of failures) {
          expect(yield* Effect.flip(part(store, "a", options))).toMatchObject({ _tag })
        }
      })
    )

    it_("a write has conditions on the entity tag", (store) =>
      Effect.gen(function* () {
        const unmet = { _tag: "ObjectPreconditionFailed" }
        expect(yield* Effect.flip(store.put("a", "x", { ifMatch: '"x"' }))).toMatchObject(unmet)
        const { etag } = yield* store.put("a", "one", { ifNoneMatch: "*" })
        expect(yield* Effect.flip(store.put("a", "two", { ifNoneMatch: "*" }))).toMatchObject(unmet)
        expect(yield* Effect.flip(store.put("a", "two", { ifMatch: '"x"' }))).toMatchObject(unmet)
        expect(yield* text(store, "a")).toBe("one")
        yield* store.put("a", "two", { ifMatch: etag })
        expect(yield* text(store, "a")).toBe("two")
        expect(yield* Effect.flip(store.put("a", "three", { ifMatch: etag }))).toMatchObject(unmet)
      })
    )

    if (isFake)
      console.warn(`Writes at the same time are skipped on ${name}: it checks and writes apart`)
    it.live.skipIf(isFake)("one of many conditional writes at the same time is done", () =>
      Effect.scoped(
        Effect.gen(function* () {
          const { store } = yield* open
          const race = (name: string, options: Parameters<Shape["put"]>[2]) =>
            Effect.forEach(
              Array.from({ length: 20 }, (_, i) => `${name} ${i}`),
              (content) => Effect.exit(store.put("a", content, options)),
              { concurrency: "unbounded" }
            )
          const done = (yield* race("first", { ifNoneMatch: "*" })).filter(
            ({ _tag }) => _tag === "Success"
          )
          expect(done.length).toBe(1)
          const { etag } = yield* store.head("a")
          const next = (yield* race("next", { ifMatch: etag })).filter(
            ({ _tag }) => _tag === "Success"
          )
          expect(next.length).toBe(1)
        })
      )
    )

    it_("a long upload comes out as it went in", (store) =>
      Effect.gen(function* () {
        // Neither the chunks nor the whole fit the parts.
        const all = bytes(11_000_004)
        const chunks: Array<Uint8Array> = []
        for (let at = 0; at < all.length; at += 70_001) chunks.push(all.subarray(at, at + 70_001))
        const written = yield* store.put("long", Stream.fromIterable(chunks))
        expect(written).toMatchObject({ sha256: sha256(all), size: all.length })
        expect((yield* store.head("long")).size).toBe(all.length)
        const read = yield* Effect.scoped(
          Effect.flatMap(store.get("long"), ({ stream }) => Stream.mkUint8Array(stream))
        )
        expect(sha256(read)).toBe(sha256(all))
        const tail = yield* Effect.scoped(
          Effect.flatMap(store.get("long", { range: { from: 10_999_996 } }), ({ stream }) =>
            Stream.mkUint8Array(stream)
          )
        )
        expect([...tail]).toEqual([...all.subarray(10_999_996)])
      })
    )

    it_("content of exactly one or two parts is stored whole", (store) =>
      Effect.forEach([5 * 2 ** 20, 10 * 2 ** 20], (size) =>
        Effect.gen(function* () {
          const all = bytes(size)
          yield* store.put("parts", all)
          const read = yield* Effect.scoped(
            Effect.flatMap(store.get("parts"), ({ stream }) => Stream.mkUint8Array(stream))
          )
          expect(sha256(read)).toBe(sha256(all))
        })
      )
    )

    it_("a content that fails, is interrupted or refused leaves the object as it was", (store) =>
      Effect.gen(function* () {
        yield* store.put("a", "before")
        const six = bytes(6 * 2 ** 20)
        const failing = Stream.concat(Stream.make(six, six), Stream.fail("broken" as const))
        expect(yield* Effect.flip(store.put("a", failing))).toBe("broken")
        const begun = yield* Deferred.make<void>()
        const waiting = Stream.concat(
          Stream.make(six, six),
          Stream.concat(Stream.fromEffectDrain(Deferred.succeed(begun, undefined)), Stream.never)
        )
        const fiber = yield* Effect.forkChild(store.put("a", waiting))
        yield* Deferred.await(begun)
        yield* Fiber.interrupt(fiber)
        const wrong = { sha256: sha256("other") }
        const refused = yield* Effect.all([
          Effect.flip(store.put("a", "after", wrong)),
          Effect.flip(store.put("a", Stream.make(six, six), wrong)),
          Effect.flip(store.put("a", "after", { maxBytes: 4 })),
          Effect.flip(store.put("a", Stream.make(six, six), { maxBytes: 12 * 2 ** 20 - 1 })),
          Effect.flip(store.put("a", Stream.make(new Uint8Array(maxSize), png))),
          Effect.flip(store.put("a", png, { types: ["image/jpeg"] }))
        ])
        expect(refused.map((failure) => (failure as { _tag: string })._tag)).toEqual([
          "ObjectChecksumMismatch",
          "ObjectChecksumMismatch",
          "ObjectTooLarge",
          "ObjectTooLarge",
          "ObjectTooLarge",
          "ObjectTypeRefused"
        ])
        expect(yield* text(store, "a")).toBe("before")
        expect(yield* keysOf(store.list(""))).toEqual(["a"])
        yield* store.put("a", "after", { maxBytes: 5, sha256: sha256("after") })
        expect(yield* text(store, "a")).toBe("after")
      })
    )

    it_("the first bytes decide the type", (store) =>
      Effect.gen(function* () {
        // One byte at a time: the signature is in no chunk alone.
        const slow = Stream.map(Stream.fromIterable(png), (byte) => Uint8Array.of(byte))
        const types = ["image/png", "text/csv"]
        expect((yield* store.put("a", slow, { types })).contentType).toBe("image/png")
        expect((yield* store.head("a")).contentType).toBe("image/png")
        const csv = { contentType: "text/csv; header=present", types }
        expect((yield* store.put("a", "1,2", csv)).contentType).toBe(csv.contentType)
        expect((yield* store.put("a", png, csv)).contentType).toBe("image/png")
        for (const [content, options, found] of [
          ["1,2", { types }, undefined],
          ["1,2", { contentType: "image/png", types }, undefined],
          ["<!doctype html>", csv, "text/html"],
          ["\ufeff\n<svg onload=alert(1)>", csv, "image/svg+xml"],
          ["%PDF-1.7", { contentType: "image/png", types }, "application/pdf"]
        ] as const) {
          const failure = yield* Effect.flip(store.put("a", content, options))
          expect(failure).toMatchObject({ _tag: "ObjectTypeRefused", accepted: types })
          expect((failure as { readonly found?: string }).found).toBe(found)
        }
        expect((yield* store.put("a", png)).contentType).toBe("image/png")
        expect((yield* store.put("a", "text")).contentType).toBe("application/octet-stream")
      })
    )

    it_("an object that is closed before its end lets others be read", (store) =>
      Effect.gen(function* () {
        yield* store.put("a", bytes(5 * 2 ** 20))
        // More than the connections that a client has at once.
        for (let i = 0; i < 60; i++) {
          yield* Effect.scoped(
            Effect.flatMap(store.get("a"), ({ stream }) =>
              i % 2 === 0 ? Effect.void : Stream.runDrain(Stream.take(stream, 1))
            )
          )
        }
        expect((yield* part(store, "a", { range: { from: 4, to: 4 } })).size).toBe(5 * 2 ** 20)
      })
    )

    it.live("the backend answers the health check", () =>
      Effect.scoped(Effect.flatMap(open, ({ backend }) => backend.ping))
    )
  })
