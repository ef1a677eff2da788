import { readdir, readlink } from "node:fs/promises"
import { createServer, get, type IncomingMessage } from "node:http"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Stream from "effect/Stream"
import { ObjectStore } from "flange/ObjectStore"
import { TestApp } from "flange/Testing"
import { listening, s3Server, s3Values, temporary } from "./backends.ts"
import { app } from "./fixtures/app.ts"

const listener = (name: string) => (config: Readonly<Record<string, unknown>>) =>
  TestApp.listening(app, { config: { ...config, server: { listener: name } } })

const places = [
  ["in memory", (config: Readonly<Record<string, unknown>>) => TestApp.make(app, { config })],
  ["on the node listener", listener("node")],
  ["on the proxied listener", listener("proxied")]
] as const

type Test = Effect.Success<ReturnType<(typeof places)[number][1]>>

const png = Buffer.from("\x89PNG\r\n\x1a\n0123456789", "latin1")

const backends = [
  ["memory", Effect.succeed({})],
  ["a directory", Effect.map(temporary, (directory) => ({ backend: "directory", directory }))],
  ["S3", Effect.map(s3Server, ({ values }) => values)]
] as const

for (const [place, boot] of places) {
  describe(`objects as replies ${place}`, () => {
    for (const [name, section] of backends) {
      const test = (rule: string, run: (test: Test) => Effect.Effect<unknown, unknown>) =>
        it.live(`${rule}, from ${name}`, () =>
          Effect.scoped(
            Effect.flatMap(section, (objectStore) => Effect.flatMap(boot({ objectStore }), run))
          )
        )

      test("the reply with an object, or a part of it, has its length", (test) =>
        Effect.gen(function* () {
          yield* test.request("PUT", "/files/a.png", {
            body: png,
            headers: { "content-type": "application/octet-stream" }
          })
          for (const [range, length] of [
            ["bytes=0-", "18"],
            ["bytes=8-10", "3"],
            ["bytes=-4", "4"],
            ["none", "18"]
          ] as const) {
            const { headers } = yield* test.request("GET", "/files/a.png", { headers: { range } })
            expect(headers.get("content-length"), range).toBe(length)
          }
        }))

      test("an upload is stored and sent back, whole, in parts, and not again", (test) =>
        Effect.gen(function* () {
          const send = (headers: Record<string, string> = {}, method = "GET") =>
            test.request(method, "/files/a.png", { headers })
          const sent = yield* test.request("PUT", "/files/a.png", {
            body: png,
            headers: { "content-type": "application/octet-stream" }
          })
          expect(sent.json).toEqual({ contentType: "image/png", size: 18 })
          const whole = (yield* send()).expectStatus(200)
          const etag = whole.headers.get("etag")!
          expect(etag).toMatch(/^"[^"]+"$/)
          for (const [header, value] of Object.entries({
            "accept-ranges": "bytes",
            "content-type": "image/png",
            "x-content-type-options": "nosniff"
          })) {
            expect(whole.headers.get(header), header).toBe(value)
          }
          expect(whole.text.slice(-10)).toBe("0123456789")
          const head = (yield* send({ range: "bytes=0-3" }, "HEAD")).expectStatus(200)
          expect(head.headers.get("content-length")).toBe("18")
          expect(head.headers.get("etag")).toBe(etag)
          expect(head.text).toBe("")

          const modified = whole.headers.get("last-modified")!
          for (const headers of [
            { "if-none-match": etag },
            { "if-none-match": `"x", W/${etag}` },
            { "if-none-match": "*" },
            { "if-none-match": etag, range: "bytes=0-3" },
            { "if-modified-since": modified }
          ] as const) {
            for (const method of ["GET", "HEAD"]) {
              const reply = (yield* send(headers, method)).expectStatus(304)
              expect(reply.headers.get("etag")).toBe(etag)
              expect(reply.text).toBe("")
            }
          }
          for (const headers of [
            { "if-none-match": '"x"' },
            { "if-none-match": "unquoted" },
            { "if-none-match": '"x"', "if-modified-since": modified },
            { "if-modified-since": "no date" },
            { "if-modified-since": "item 9999" },
            { "if-modified-since": "Thu Jan  1 00:00:00 1970" },
            { "if-unmodified-since": modified },
            { "if-unmodified-since": "item 7" },
            { "if-match": etag, "if-unmodified-since": "Thursday, 01-Jan-70 00:00:00 GMT" },
            { "if-match": etag },
            { "if-match": "*" },
            { range: "bytes=0-3, 5-6" },
            { range: "bytes=5-3" },
            { range: "lines=0-3" },
            { "if-range": '"x"', range: "bytes=0-3" },
            { "if-range": modified, range: "bytes=0-3" },
            { "if-range": `W/${etag}`, range: "bytes=0-3" }
          ] as ReadonlyArray<Record<string, string>>) {
            const reply = (yield* send(headers)).expectStatus(200)
            expect(reply.text.length, JSON.stringify(headers)).toBe(whole.text.length)
          }
          for (const [range, content, text] of [
            ["bytes=8-10", "bytes 8-10/18", "012"],
            ["bytes=15-", "bytes 15-17/18", "789"],
            ["bytes=15-99", "bytes 15-17/18", "789"],
            ["bytes=-3", "bytes 15-17/18", "789"]
          ] as const) {
            for (const headers of [{ range }, { "if-range": etag, range }] as const) {
              const reply = (yield* send(headers)).expectStatus(206)
              expect(reply.headers.get("content-range")).toBe(content)
              expect(reply.text).toBe(text)
            }
          }
          const outside = (yield* send({ range: "bytes=18-" })).expectStatus(416)
          expect(outside.headers.get("content-range")).toBe("bytes */18")
          expect(outside.json).toMatchObject({ code: "OBJECT_RANGE_NOT_SATISFIABLE", size: 18 })
          for (const headers of [
            { "if-match": '"x"' },
            { "if-match": `W/${etag}` },
            { "if-unmodified-since": "Thu, 01 Jan 1970 00:00:00 GMT" },
            { "if-none-match": etag, "if-unmodified-since": "Thu Jan  1 00:00:00 1970" }
          ] as ReadonlyArray<Record<string, string>>) {
            for (const method of ["GET", "HEAD"])
              yield* Effect.map(send(headers, method), (r) => r.expectStatus(412))
          }
        }))
    }

    it.live("an object of unknown size is 503, and no reply that breaks off", () =>
      Effect.scoped(
        Effect.gen(function* () {
          const port = yield* listening(
            createServer(({ headers: { range } }, reply) => {
              const part = { "content-length": 4, "content-range": "bytes 0-3/*" }
              if (range === undefined) reply.writeHead(200, { "transfer-encoding": "chunked" })
              else reply.writeHead(206, range === "bytes=0-3" ? part : { "content-length": 4 })
              reply.end("item")
            })
          )
          const endpoint = `http://127.0.0.1:${port}`
          const test = yield* boot({ objectStore: { ...s3Values, endpoint } })
          for (const [method, range] of [
            ["GET"],
            ["GET", "bytes=0-3"],
            ["GET", "bytes=1-4"],
            ["HEAD"]
          ] as const) {
            const headers = range === undefined ? {} : { range }
            const reply = yield* test.request(method, "/files/a.png", { headers })
            reply.expectStatus(503)
            if (method === "GET") {
              expect(reply.json).toMatchObject({ code: "OBJECT_STORE_UNAVAILABLE" })
            }
          }
        })
      )
    )

    it.live("what cannot be read or stored is a problem, and tells no key", () =>
      Effect.scoped(
        Effect.gen(function* () {
          const test = yield* boot({})
          const missing = (yield* test.get("/files/secret-name")).expectStatus(404)
          expect(missing.json).toMatchObject({ code: "OBJECT_NOT_FOUND" })
          expect(JSON.stringify({ ...(missing.json as object), instance: "" })).not.toContain(
            "secret-name"
          )
          for (const key of ["..%2F..%2Fetc%2Fpasswd", "%2Fetc%2Fpasswd", "a%00b"]) {
            const refused = (yield* test.get(`/files/${key}`)).expectStatus(400)
            expect((refused.json as { code: string }).code).toMatch(
              /INVALID_OBJECT_KEY|MALFORMED_REQUEST/
            )
          }
          const put = (body: Uint8Array<ArrayBuffer>) =>
            test.request("PUT", "/files/a", {
              body,
              headers: { "content-type": "application/octet-stream" }
            })
          const html = (yield* put(Buffer.from("<html>"))).expectStatus(415)
          expect(html.json).toMatchObject({
            accepted: ["image/png", "image/jpeg"],
            code: "OBJECT_TYPE_REFUSED",
            found: "text/html"
          })
          const long = Buffer.alloc(2 ** 24 + 1)
          png.copy(long)
          expect((yield* put(long)).expectStatus(413).json).toMatchObject({
            code: "OBJECT_TOO_LARGE",
            limit: 2 ** 24
          })
          expect((yield* put(Buffer.alloc(2 ** 25 + 1, png))).expectStatus(413).json).toBeDefined()
          ;(yield* test.get("/files/a")).expectStatus(404)
        })
      )
    )
  })
}

/** The bytes that the store has read. */
const readBytes = Effect.map(Effect.context<never>(), (context) =>
  Metric.snapshotUnsafe(context)
    .filter(
      ({ attributes, id }) =>
        id === "flange.object_store.bytes" && attributes?.["direction"] === "out"
    )
    .reduce((sum, { state }) => sum + Number((state as { readonly count: number }).count), 0)
)

/** Waits until an effect has returned the same value 20 times. */
const settled = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    let last = yield* effect
    for (let same = 0; same < 20;) {
      yield* Effect.sleep(10)
      const next = yield* effect
      same = next === last ? same + 1 : 0
      last = next
    }
    return last
  })

for (const name of ["node", "proxied"]) {
  it.live(
    `a client that reads slowly makes the store wait, and lets it go when it leaves, on the ${name} listener`,
    () =>
      Effect.scoped(
        Effect.gen(function* () {
          const directory = yield* temporary
          const test = yield* listener(name)({ objectStore: { backend: "directory", directory } })
          const piece = Buffer.alloc(2 ** 20)
          const big = Stream.fromIterable(Array.from({ length: 256 }, () => piece))
          yield* test.run(ObjectStore.use((store) => store.put("big", big)))
          const reply = yield* Effect.promise(
            () =>
              new Promise<IncomingMessage>((resolve, reject) =>
                get(`${test.url}/files/big`, { agent: false }, resolve).on("error", reject)
              )
          )
          // It reads the head, and nothing else.
          expect(reply.statusCode).toBe(200)
          // `Bun.serve`, which a run for Bun has in the place of node, sends streams in chunks.
          const isChunked = name === "node" && "Bun" in globalThis
          const length = isChunked ? undefined : String(2 ** 28)
          expect(reply.headers["content-length"]).toBe(length)
          expect(yield* test.run(settled(readBytes))).toBeLessThan(2 ** 26)
          const openFiles = Effect.promise(async () => {
            const all = await readdir("/proc/self/fd")
            const names = await Promise.all(
              all.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ""))
            )
            return names.filter((path) => path.startsWith(directory)).length
          })
          expect(yield* openFiles).toBe(1)
          reply.destroy()
          yield* Effect.sleep(5).pipe(
            Effect.andThen(openFiles),
            Effect.repeat({ until: (count) => count === 0 })
          )
        })
      )
  )
}
