import { mkdir, readdir, readFile, symlink, utimes, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as DirectoryBackend from "../../../src/Layers/ObjectStore/DirectoryBackend.ts"
import { make } from "../../../src/Layers/ObjectStore/Make.ts"
import type { Shape } from "../../../src/Layers/ObjectStore/ObjectStore.ts"
import { maxSize, temporary } from "./backends.ts"

const opened = (folder: string) =>
  Effect.flatMap(DirectoryBackend.make(folder), (backend) => make(backend, maxSize))

const test = (
  rule: string,
  run: (store: Shape, folder: string) => Effect.Effect<unknown, unknown, Scope.Scope>
) =>
  it.live(rule, () =>
    Effect.scoped(
      Effect.gen(function* () {
        const folder = yield* temporary
        yield* run(yield* opened(folder), folder)
      })
    )
  )

const tagOf = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), ({ _tag }) => _tag)

describe("the object store in a directory", () => {
  test("symbolic links are not followed by any operation", (store, folder) =>
    Effect.gen(function* () {
      const outside = yield* temporary
      const secret = yield* opened(outside)
      yield* secret.put("secret", "s")
      yield* Effect.promise(() => symlink(outside, join(folder, "linked@")))
      yield* Effect.promise(() => symlink(join(outside, "secret"), join(folder, "file")))
      yield* Effect.promise(() => symlink("/dev/zero", join(folder, "zero")))
      const failures = yield* Effect.all([
        tagOf(Effect.scoped(store.get("linked/secret"))),
        tagOf(store.head("file")),
        tagOf(store.head("zero")),
        tagOf(store.put("linked/new", "x")),
        tagOf(store.put("linked/deeper/new", "x")),
        tagOf(store.put("linked/new", "x", { ifNoneMatch: "*" })),
        tagOf(store.delete("linked/secret")),
        tagOf(store.copy("linked/secret", "copy")),
        tagOf(Stream.runDrain(store.list("linked/")))
      ])
      expect(failures).toEqual(failures.map(() => "ObjectAccessDenied"))
      expect(yield* Stream.runCollect(store.list(""))).toEqual([])
      const names = yield* Effect.promise(() => readdir(outside))
      expect(names.sort()).toEqual([".uploads", "secret"])
      // A link in the place of an object is replaced, not written through.
      yield* store.put("file", "mine")
      expect((yield* secret.head("secret")).size).toBe(1)
    }))

  test("files that the store has not written are no objects", (store, folder) =>
    Effect.gen(function* () {
      yield* Effect.promise(async () => {
        await writeFile(join(folder, "foreign"), "a text that is long enough for the end of a file")
        await writeFile(join(folder, ".env"), "SECRET=1")
        await mkdir(join(folder, "folder"))
        await mkdir(join(folder, "name"))
      })
      expect(yield* tagOf(store.head("foreign"))).toBe("ObjectStoreUnavailable")
      expect(yield* tagOf(store.head("name"))).toBe("ObjectStoreUnavailable")
      expect(yield* tagOf(store.head(".env"))).toBe("ObjectNotFound")
      yield* store.put(".env", "mine")
      const all = yield* Stream.runCollect(store.list(""))
      expect(all.map(({ key }) => key)).toEqual([".env"])
      expect(yield* Effect.promise(() => readFile(join(folder, ".env"), "utf8"))).toBe("SECRET=1")
    }))

  test("an object that is replaced while it is read is read to its end", (store) =>
    Effect.gen(function* () {
      const one = Buffer.alloc(2 ** 20, 1)
      yield* store.put("a", one)
      const { stream } = yield* store.get("a")
      yield* store.put("a", Buffer.alloc(2 ** 20, 2))
      const copy = yield* store.get("a")
      yield* store.delete("a")
      expect(Buffer.compare(yield* Stream.mkUint8Array(stream), one)).toBe(0)
      expect((yield* Stream.mkUint8Array(copy.stream))[7]).toBe(2)
    }))

  test("an upload is not to be seen before its end, and leaves nothing if it is interrupted", (store, folder) =>
    Effect.gen(function* () {
      const begun = yield* Deferred.make<void>()
      const content = Stream.concat(
        Stream.make(Buffer.alloc(2 ** 20)),
        Stream.concat(Stream.fromEffectDrain(Deferred.succeed(begun, undefined)), Stream.never)
      )
      const fiber = yield* Effect.forkChild(store.put("a/b", content))
      yield* Deferred.await(begun)
      expect(yield* Stream.runCollect(store.list(""))).toEqual([])
      yield* Fiber.interrupt(fiber)
      expect(yield* Effect.promise(() => readdir(folder, { recursive: true }))).toEqual([
        ".uploads"
      ])
    }))

  test("folders without objects are removed, also while others write into them", (store, folder) =>
    Effect.gen(function* () {
      yield* Effect.forEach(
        Array.from({ length: 200 }, (_, i) => i),
        (i) => Effect.andThen(store.put(`a/b/${i % 7}`, "x"), store.delete(`a/b/${i % 7}`)),
        { concurrency: 20 }
      )
      expect(yield* Effect.promise(() => readdir(folder))).toEqual([".uploads"])
    }))

  test("the next start removes uploads of a process that has died a day before", (_, folder) =>
    Effect.gen(function* () {
      const [old, young] = ["old", "young"].map((name) => join(folder, ".uploads", name))
      yield* Effect.promise(async () => {
        await writeFile(old!, "x")
        await writeFile(young!, "x")
        await utimes(old!, 0, 0)
      })
      yield* opened(folder)
      expect(yield* Effect.promise(() => readdir(join(folder, ".uploads")))).toEqual(["young"])
    }))

  test("a segment that is too long for a file name is refused", (store) =>
    Effect.gen(function* () {
      expect(yield* tagOf(store.put("x".repeat(255), "x"))).toBe("InvalidObjectKey")
      yield* store.put(`${"字".repeat(84)}/x`, "x")
    }))
})
