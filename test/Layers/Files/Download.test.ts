/** Downloads of streams and of sources with parts, in memory and on each listener. */
import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { App, Plugin, Route } from "flange"
import * as Files from "flange/Files"
import { downloadErrors } from "flange/Files/Contract"
import { TestApp } from "flange/Testing"

const success = HttpApiSchema.StreamUint8Array({ contentType: "text/csv" })

const options = { error: downloadErrors, success }

class ReportsApi extends HttpApiGroup.make("reports").add(
  HttpApiEndpoint.get("endless", "/endless", options),
  HttpApiEndpoint.get("failing", "/failing", options),
  HttpApiEndpoint.get("long", "/long", options),
  HttpApiEndpoint.get("named", "/named/:name", { ...options, params: { name: Schema.String } }),
  HttpApiEndpoint.get("parts", "/parts", options),
  HttpApiEndpoint.get("short", "/short", options),
  HttpApiEndpoint.get("undated", "/undated", options),
  HttpApiEndpoint.get("unsized", "/unsized", options),
  HttpApiEndpoint.get("wrong", "/wrong", options)
) {}

const text = "0123456789"

const bytes = new TextEncoder().encode(text)

const piece = new Uint8Array(65_536)

/** What became of the endless stream, and how much it has made. */
interface Fate {
  readonly left: Deferred.Deferred<void>
  made: number
}

const appOf = (fate: Fate) =>
  App.make("reports", [
    Plugin.make("app:reports", {
      routes: [
        Route.public(ReportsApi, (handlers) =>
          handlers.handleAll({
            endless: () =>
              Files.download(
                Stream.forever(Stream.make(piece)).pipe(
                  Stream.tap(() => Effect.sync(() => fate.made++)),
                  Stream.ensuring(Deferred.succeed(fate.left, undefined))
                )
              ),
            failing: () => Files.download(Stream.concat(Stream.make(piece), Stream.fail("broken"))),
            long: () => Files.download(Stream.make(bytes), { length: 5 }),
            named: ({ params }) =>
              Files.download(Stream.make(bytes), {
                contentType: "text/csv",
                etag: '"1"',
                filename: params.name,
                lastModified: new Date("2026-05-01T10:00:00.500Z"),
                length: 10
              }),
            parts: () =>
              Files.download(
                {
                  read: ({ from, to }) => Stream.make(bytes.subarray(from, to + 1)),
                  size: bytes.length
                },
                { etag: '"7"', filename: "a.bin", inline: true }
              ),
            short: () => Files.download(Stream.make(bytes), { length: 15 }),
            undated: () => Files.download(Stream.make(bytes), { lastModified: new Date(NaN) }),
            unsized: () => Files.download({ read: () => Stream.make(bytes), size: -1 }),
            wrong: () => Files.download(Stream.make(bytes), { etag: "7" })
          })
        )
      ]
    })
  ])

type Booted = ReturnType<typeof appOf>

const listener = (name: string) => (app: Booted) =>
  TestApp.listening(app, { config: { server: { listener: name } } })

const places = [
  ["in memory", (app: Booted) => TestApp.make(app)],
  ["on the node listener", listener("node")],
  ["on the proxied listener", listener("proxied")]
] as const

for (const [place, boot] of places) {
  const downloading = (
    rule: string,
    run: (
      test: Effect.Success<ReturnType<typeof boot>>,
      fate: Fate
    ) => Effect.Effect<unknown, unknown>
  ) =>
    it.live(rule, () =>
      Effect.scoped(
        Effect.gen(function* () {
          const fate: Fate = { left: yield* Deferred.make<void>(), made: 0 }
          yield* run(yield* boot(appOf(fate)), fate)
        })
      )
    )

  describe(`a download ${place}`, () => {
    downloading("is saved under a name that leads nowhere", (test) =>
      Effect.gen(function* () {
        for (const [name, disposition] of [
          ["may.csv", 'attachment; filename="may.csv"'],
          ["../../etc/passwd", 'attachment; filename="passwd"'],
          ['a"b.csv', "attachment; filename=\"a_b.csv\"; filename*=UTF-8''a%22b.csv"],
          ["é.csv", "attachment; filename=\"_.csv\"; filename*=UTF-8''%C3%A9.csv"],
          ["a\r\nset-cookie: x=y", 'attachment; filename="a__set-cookie: x=y"'],
          ["x/..", "attachment"]
        ] as const) {
          const reply = (yield* test.get(`/named/${encodeURIComponent(name)}`)).expectStatus(200)
          expect(reply.headers.get("content-disposition")).toBe(disposition)
          expect(reply.headers.get("set-cookie")).toBe(null)
          expect(reply.headers.get("content-type")).toBe("text/csv")
          expect(reply.headers.get("content-length")).toBe("10")
          expect(reply.headers.get("x-content-type-options")).toBe("nosniff")
          expect(reply.text).toBe(text)
        }
      })
    )

    downloading("is sent again only if it has changed", (test) =>
      Effect.gen(function* () {
        const status = (headers: Record<string, string>, method = "GET") =>
          Effect.map(test.request(method, "/named/a", { headers }), (reply) => reply.status)
        expect(yield* status({ "if-none-match": 'W/"1"' })).toBe(304)
        expect(yield* status({ "if-none-match": '"1"' }, "HEAD")).toBe(304)
        expect(yield* status({ "if-modified-since": "Fri, 01 May 2026 10:00:00 GMT" })).toBe(304)
        expect(yield* status({ "if-modified-since": "Fri, 01 May 2026 09:59:59 GMT" })).toBe(200)
        const changed = yield* test.get("/named/a", { headers: { "if-match": '"2"' } })
        changed.expectProblem("DOWNLOAD_PRECONDITION_FAILED", 412)
        // A stream has no parts.
        const whole = yield* test.get("/named/a", { headers: { range: "bytes=0-1" } })
        expect([whole.status, whole.headers.get("accept-ranges"), whole.text]).toEqual([
          200,
          null,
          text
        ])
        const head = yield* test.request("HEAD", "/named/a")
        expect([head.headers.get("content-length"), head.text]).toEqual(["10", ""])
      })
    )

    downloading("of a source is sent in parts", (test) =>
      Effect.gen(function* () {
        for (const [headers, status, body] of [
          [{}, 200, text],
          [{ range: "bytes=2-4" }, 206, "234"],
          [{ range: "bytes=-1" }, 206, "9"],
          [{ range: "bytes=8-100" }, 206, "89"],
          [{ "if-range": '"7"', range: "bytes=0-0" }, 206, "0"],
          [{ "if-range": '"8"', range: "bytes=0-0" }, 200, text],
          [{ range: "bytes=0-0,2-2" }, 200, text]
        ] as const) {
          const reply = yield* test.get("/parts", { headers })
          expect([headers, reply.status, reply.text]).toEqual([headers, status, body])
          expect(reply.headers.get("accept-ranges")).toBe("bytes")
          expect(reply.headers.get("content-disposition")).toBe('inline; filename="a.bin"')
        }
        const outside = yield* test.get("/parts", { headers: { range: "bytes=10-" } })
        outside.expectProblem("DOWNLOAD_RANGE_NOT_SATISFIABLE", 416)
        expect(outside.headers.get("content-range")).toBe("bytes */10")
      })
    )

    downloading("with an option that cannot be sent is a defect", (test) =>
      Effect.gen(function* () {
        for (const path of ["/undated", "/unsized", "/wrong"]) {
          ;(yield* test.get(path)).expectProblem("INTERNAL_ERROR", 500)
        }
      })
    )

    if (place === "in memory") return

    downloading("that fails, or has another length, is cut", (test) =>
      Effect.promise(async () => {
        for (const path of ["/failing", "/long", "/short"]) {
          const read = async () => (await fetch(test.url + path)).arrayBuffer()
          await expect(read(), path).rejects.toThrow()
        }
      })
    )

    downloading("is as fast as its client, and ends when the client leaves", (test, fate) =>
      Effect.gen(function* () {
        const leave = new AbortController()
        yield* Effect.promise(async () => {
          const reply = await fetch(`${test.url}/endless`, { signal: leave.signal })
          await reply.body!.getReader().read()
          // Nobody reads on: what is made stays in the buffers of the sockets.
          let before = -1
          while (before !== fate.made) {
            before = fate.made
            await new Promise((resolve) => setTimeout(resolve, 200))
          }
          leave.abort()
        })
        yield* Deferred.await(fate.left)
        expect(fate.made).toBeLessThan(1000)
      })
    )
  })
}
