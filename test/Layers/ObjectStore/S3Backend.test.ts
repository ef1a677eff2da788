import { createServer } from "node:http"
import { Readable } from "node:stream"
import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as Backends from "../../../src/Layers/ObjectStore/Backends.ts"
import { make } from "../../../src/Layers/ObjectStore/Make.ts"
import { listening, maxSize, openS3, s3Values, settings } from "./backends.ts"
import { bytes } from "./conformance.ts"
import { hasS3rver, s3rver } from "./s3rver.ts"

const six = bytes(6 * 2 ** 20)

const waiting = (begun: Deferred.Deferred<void>) =>
  Stream.concat(
    Stream.make(six, six),
    Stream.concat(Stream.fromEffectDrain(Deferred.succeed(begun, undefined)), Stream.never)
  )

describe("the object store in S3", () => {
  it.live("an upload that fails or is interrupted leaves no parts", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { sent, store, values } = yield* openS3
        const failing = Stream.concat(Stream.make(six, six), Stream.fail("broken" as const))
        expect(yield* Effect.flip(store.put("a", failing))).toBe("broken")
        const begun = yield* Deferred.make<void>()
        const fiber = yield* Effect.forkChild(store.put("b", waiting(begun)))
        yield* Deferred.await(begun)
        yield* Fiber.interrupt(fiber)
        const ids = (wanted: string) =>
          sent
            .filter(({ method }) => method === wanted)
            .map(({ url }) => /uploadId=[^&]+/.exec(url)?.[0])
        const removed = sent.filter(({ method }) => method === "DELETE")
        expect(sent.filter(({ url }) => url.includes("?uploads")).length).toBe(2)
        expect(new Set(ids("DELETE")).size).toBe(2)
        expect(new Set(ids("DELETE"))).toEqual(new Set(ids("PUT").filter((id) => id !== undefined)))
        for (const { method, url } of removed) {
          const reply = yield* Effect.promise(() => fetch(values.endpoint + url, { method }))
          expect(reply.status).toBe(404)
        }
      })
    )
  )

  it.live("short content is one request, and long content has its conditions at the end", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { sent, store } = yield* openS3
        sent.length = 0
        yield* store.put("a", "x", { ifNoneMatch: "*", metadata: { run: "7" } })
        expect(sent.map(({ method, url }) => `${method} ${url}`)).toEqual([
          "PUT /shop/a?x-id=PutObject"
        ])
        expect(sent[0]!.headers).toMatchObject({ "if-none-match": "*", "x-amz-meta-run": "7" })
        sent.length = 0
        yield* store.put("b", Stream.make(six), { ifNoneMatch: "*" })
        expect(sent.map(({ method }) => method)).toEqual(["POST", "PUT", "PUT", "POST"])
        expect(sent.at(-1)!.headers["if-none-match"]).toBe("*")
        // No request has a coding that servers other than AWS do not know.
        expect(sent.some(({ headers }) => headers["content-encoding"] !== undefined)).toBe(false)
      })
    )
  )

  it.live("checksums are sent only if the configuration wants them", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { sent, store, values } = yield* openS3
        yield* store.put("a", "x")
        expect(sent.at(-1)!.headers["x-amz-checksum-crc32"]).toBeDefined()
        const without = yield* Backends.open(
          settings({ ...values, requestChecksumCalculation: "WHEN_REQUIRED" })
        )
        yield* (yield* make(without, maxSize)).put("a", "x")
        expect(sent.at(-1)!.headers["x-amz-checksum-crc32"]).toBeUndefined()
      })
    )
  )

  it.live("a list of more than a page is read to its end, and no further than needed", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { sent, store } = yield* openS3
        const keys = Array.from({ length: 1001 }, (_, i) => `k${String(i).padStart(4, "0")}`)
        yield* Effect.forEach(keys, (key) => store.put(key, ""), { concurrency: 20, discard: true })
        sent.length = 0
        const all = yield* Stream.runCollect(store.list("k"))
        expect(all.map(({ key }) => key)).toEqual(keys)
        expect(sent.length).toBe(2)
        yield* Stream.runDrain(Stream.take(store.list("k"), 3))
        expect(sent.length).toBe(3)
      })
    )
  )

  it.live("a reply without an end is given up, also to an error, and content is not", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const piece = Buffer.alloc(2 ** 20, "x")
        const port = yield* listening(
          createServer((request, reply) => {
            if (request.url!.includes("whole")) {
              reply.writeHead(200, { "content-length": 40 * piece.length })
            } else reply.writeHead(500)
            const pieces = function* () {
              for (let i = 0; i < 40 || !request.url!.includes("whole"); i++) yield piece
            }
            Readable.from(pieces()).pipe(reply)
          })
        )
        const backend = yield* Backends.open(
          settings({ ...s3Values, endpoint: `http://127.0.0.1:${port}` })
        )
        const store = yield* make(backend, maxSize)
        const failures = yield* Effect.all([
          Effect.flip(Effect.scoped(store.get("a"))),
          Effect.flip(Stream.runDrain(store.list("a"))),
          Effect.flip(store.put("a", "x"))
        ])
        for (const failure of failures) {
          expect(failure).toMatchObject({
            _tag: "ObjectStoreUnavailable",
            reason: expect.stringContaining("a reply of more than 33554432 bytes")
          })
        }
        const { stream } = yield* store.get("whole")
        const size = yield* Stream.runFold(
          stream,
          () => 0,
          (sum, { length }) => sum + length
        )
        expect(size).toBe(40 * 2 ** 20)
      })
    )
  )

  it.live("a list whose server does not lead to its end fails", () =>
    Effect.scoped(
      Effect.gen(function* () {
        for (const token of ["", "<NextContinuationToken>same</NextContinuationToken>"]) {
          const port = yield* listening(
            createServer((_, reply) =>
              reply.end(
                `<ListBucketResult><IsTruncated>true</IsTruncated>${token}</ListBucketResult>`
              )
            )
          )
          const backend = yield* Backends.open(
            settings({ ...s3Values, endpoint: `http://127.0.0.1:${port}` })
          )
          expect(yield* Effect.flip(Stream.runDrain(backend.list("", undefined)))).toMatchObject({
            _tag: "ObjectStoreUnavailable",
            reason: "the server does not tell where the list goes on"
          })
        }
      })
    )
  )

  it.live("a server that is away, and a bucket that does not exist, are unavailable", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { values } = yield* openS3
        const failures = yield* Effect.forEach(
          [
            { ...values, endpoint: "http://127.0.0.1:1" },
            { ...values, bucket: "missing" }
          ],
          (changed) =>
            Effect.gen(function* () {
              const backend = yield* Backends.open(settings(changed))
              const store = yield* make(backend, maxSize)
              return yield* Effect.all([
                Effect.flip(backend.ping),
                Effect.flip(store.put("a", "x")),
                Effect.flip(Effect.scoped(store.get("a")))
              ])
            })
        )
        expect(failures.flat().map(({ _tag }) => _tag)).toEqual(
          failures.flat().map(() => "ObjectStoreUnavailable")
        )
        expect(failures[1]![0]).toMatchObject({
          reason: 'there is no bucket "missing": create it, or correct objectStore.bucket'
        })
      })
    )
  )
})

describe.skipIf(!hasS3rver)("the object store on a server that checks signatures", () => {
  it.live("presigned requests work as they were signed, and not otherwise", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { store } = yield* s3rver
        const put = yield* store.presignPut("up/é.png", { contentType: "image/png", size: 3 })
        expect(put).toMatchObject({
          headers: { "content-length": "3", "content-type": "image/png" },
          method: "PUT"
        })
        const send = (url: string, type: string, body: string) =>
          Effect.promise(async () => {
            const reply = await fetch(url, {
              body,
              headers: { "content-type": type },
              method: "PUT"
            })
            await reply.text()
            return reply.status
          })
        expect(yield* send(put.url, "text/html", "abc")).toBe(403)
        expect(yield* send(put.url, "image/png", "abcd")).toBe(403)
        expect(yield* send(put.url.replace("up/", "down/"), "image/png", "abc")).toBe(403)
        expect(yield* send(put.url, "image/png", "abc")).toBe(200)
        expect(yield* store.head("up/é.png")).toMatchObject({ contentType: "image/png", size: 3 })

        const get = yield* store.presignGet("up/é.png", {
          contentDisposition: 'attachment; filename="a.png"',
          expiresIn: "1 hour"
        })
        expect(get.expiresAt.getTime()).toBeGreaterThan(Date.now())
        const read = (url: string) => Effect.promise(() => fetch(url))
        const reply = yield* read(get.url)
        expect(yield* Effect.promise(() => reply.text())).toBe("abc")
        expect(reply.headers.get("content-disposition")).toBe('attachment; filename="a.png"')
        expect((yield* read(get.url.replace("a.png", "b.png"))).status).toBe(403)
        expect(
          (yield* read(get.url.replace("X-Amz-Expires=3600", "X-Amz-Expires=9999"))).status
        ).toBe(403)
      })
    )
  )

  it.live("a wrong secret is refused as denied access", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { values } = yield* s3rver
        const wrong = yield* Backends.open(settings({ ...values, secretAccessKey: "wrong" }))
        const store = yield* make(wrong, maxSize)
        const failure = yield* Effect.flip(store.put("a", "x"))
        expect(failure).toMatchObject({ _tag: "ObjectAccessDenied", operation: "put" })
        expect(JSON.stringify(failure)).not.toContain("wrong")
      })
    )
  )

  it.live("a form has the limits on size and type in its signed policy", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { store } = yield* s3rver
        const { fields } = yield* store.presignPost("up/a.png", {
          contentType: "image/png",
          maxBytes: 10
        })
        const policy: unknown = JSON.parse(Buffer.from(fields["Policy"]!, "base64").toString())
        expect(policy).toMatchObject({
          conditions: expect.arrayContaining([
            ["content-length-range", 0, 10],
            { "Content-Type": "image/png" },
            { key: "up/a.png" }
          ])
        })
      })
    )
  )

  it.live("a time beyond a week is refused with what to write", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { store } = yield* s3rver
        const defect = yield* Effect.exit(store.presignGet("a", { expiresIn: "8 days" }))
        expect(String(defect)).toContain("Write a time from 1 second to 7 days.")
      })
    )
  )
})
