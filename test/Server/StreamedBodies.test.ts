/** The longest length of bodies that are read piece by piece, on every listener. */
import { gzipSync } from "node:zlib"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as HttpRouter from "effect/http/HttpRouter"
import { isHttpServerError } from "effect/http/HttpServerError"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { BodyLimit, Plugin, Route } from "flange"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { boot, type Counted } from "./counted.ts"
import { arrives, guardProcess, listeners } from "./userCode/server.ts"

guardProcess()

const limit = 10_000

const success = Schema.Int

const bytes = HttpApiSchema.StreamUint8Array()

const lines = HttpApiSchema.StreamNdjson({ schema: Schema.String })

const parts = Schema.Struct({ name: Schema.String }).pipe(HttpApiSchema.asMultipartStream())

class BodiesApi extends HttpApiGroup.make("bodies").add(
  HttpApiEndpoint.post("bytes", "/bytes", { payload: bytes, success }),
  HttpApiEndpoint.post("caught", "/caught", { payload: bytes, success }),
  HttpApiEndpoint.post("lifted", "/lifted", { payload: bytes, success }).annotate(
    BodyLimit,
    Number.MAX_SAFE_INTEGER
  ),
  HttpApiEndpoint.post("lines", "/lines", { payload: lines, success }),
  HttpApiEndpoint.post("lower", "/lower", { payload: bytes, success }).annotate(BodyLimit, 5000),
  HttpApiEndpoint.post("parts", "/parts", { payload: parts, success }),
  HttpApiEndpoint.post("raised", "/raised", { payload: bytes, success }).annotate(
    BodyLimit,
    2 * limit
  ),
  HttpApiEndpoint.post("raw", "/raw", { success })
) {}

/** The group has a limit, and one of its endpoints another one. */
class GroupedApi extends HttpApiGroup.make("grouped")
  .add(
    HttpApiEndpoint.post("bytes", "/grouped/bytes", { payload: bytes, success }),
    HttpApiEndpoint.post("json", "/grouped/json", { payload: Schema.String, success }),
    HttpApiEndpoint.post("own", "/grouped/own", { payload: bytes, success }).annotate(
      BodyLimit,
      6000
    ),
    HttpApiEndpoint.post("parts", "/grouped/parts", { payload: parts, success })
  )
  .annotate(BodyLimit, 3000) {}

const lengthOf = <E>(stream: Stream.Stream<string | Uint8Array, E>) =>
  Stream.runFold(
    stream,
    () => 0,
    (total, piece) => total + piece.length
  )

const read = (stream: Stream.Stream<Uint8Array, unknown>) => Effect.orDie(lengthOf(stream))

const reading = <A, E>(use: (request: HttpServerRequest) => Effect.Effect<A, E>) =>
  Effect.flatMap(HttpServerRequest, (request) =>
    Effect.map(use(request), (value) => HttpServerResponse.text(String(value)))
  )

const Bodies = Plugin.make("test:bodies", {
  routes: [
    Route.public(BodiesApi, (handlers) =>
      handlers
        .handle("bytes", ({ payload }) => read(payload))
        .handle("caught", ({ payload }) =>
          Effect.catchDefect(read(payload), (defect) =>
            isHttpServerError(defect) &&
            defect.reason._tag === "RequestParseError" &&
            defect.reason.reason === "BodyTooLarge"
              ? Effect.succeed(-1)
              : Effect.die(defect)
          )
        )
        .handle("lifted", ({ payload }) => read(payload))
        .handle("lines", ({ payload }) => Effect.orDie(lengthOf(payload)))
        .handle("lower", ({ payload }) => read(payload))
        .handle("parts", ({ payload }) => Effect.orDie(Stream.runCount(payload)))
        .handle("raised", ({ payload }) => read(payload))
        .handleRaw("raw", ({ request }) => read(request.stream))
    ),
    Route.public(GroupedApi, (handlers) =>
      handlers.handleAll({
        bytes: ({ payload }) => read(payload),
        json: ({ payload }) => Effect.succeed(payload.length),
        own: ({ payload }) => read(payload),
        parts: ({ payload }) => Effect.orDie(Stream.runCount(payload))
      })
    ),
    Route.raw(
      "router",
      Layer.mergeAll(
        HttpRouter.add(
          "*",
          "/router/stream",
          reading(({ stream }) => lengthOf(stream))
        ),
        HttpRouter.add(
          "POST",
          "/router/changed",
          reading((request) => lengthOf(request.modify({ url: "/" }).stream))
        ),
        HttpRouter.add(
          "POST",
          "/router/twice",
          reading(({ stream }) =>
            Effect.andThen(Stream.runDrain(Stream.take(stream, 1)), lengthOf(stream))
          )
        ),
        HttpRouter.add(
          "POST",
          "/router/parts",
          reading(({ multipartStream }) => Stream.runCount(multipartStream))
        ),
        HttpRouter.add(
          "POST",
          "/router/text",
          reading(({ text }) => text)
        )
      ),
      { access: "public" }
    )
  ]
})

const octets = "application/octet-stream"

const form = "multipart/form-data; boundary=b"

const part = (length: number) =>
  `--b\r\nContent-Disposition: form-data; name="name"\r\n\r\n${"x".repeat(length)}\r\n--b--\r\n`

const line = (length: number) => `${JSON.stringify("x".repeat(length))}\n`

/** A body in pieces, whose length the client does not tell. */
const pieces = (text: string | Uint8Array) => {
  const whole = Buffer.from(text)
  return new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (let at = 0; at < whole.length; at += 1000) {
        controller.enqueue(new Uint8Array(whole.subarray(at, at + 1000)))
      }
      controller.close()
    }
  })
}

for (const name of listeners) {
  describe(`a streamed body on ${name}`, () => {
    let app: Counted
    beforeAll(async () => {
      app = await boot(name, [Bodies], { bodyLimit: "10 kB" })
    })
    afterAll(() => arrives("The end of the app", app.stop()))

    const send = (
      path: string,
      text: string | Uint8Array,
      type: string,
      headers: Readonly<Record<string, string>> = {}
    ) => {
      const init: RequestInit = {
        body: pieces(text),
        duplex: "half",
        headers: { "content-type": type, ...headers },
        method: "POST"
      }
      return arrives("The reply", app.ask(path, init))
    }

    it.each([
      ["/bytes", "x".repeat(limit), octets, limit],
      ["/caught", "x".repeat(limit), octets, limit],
      ["/grouped/bytes", "x".repeat(3000), octets, 3000],
      ["/grouped/json", JSON.stringify("x".repeat(2998)), "application/json", 2998],
      ["/grouped/own", "x".repeat(6000), octets, 6000],
      ["/grouped/parts", part(2900), form, 1],
      ["/lifted", "x".repeat(50 * limit), octets, 50 * limit],
      ["/lines", line(limit - 3), "application/x-ndjson", limit - 3],
      ["/lower", "x".repeat(5000), octets, 5000],
      ["/parts", part(limit - 100), form, 1],
      ["/raised", "x".repeat(2 * limit), octets, 2 * limit],
      ["/raw", "x".repeat(limit), octets, limit],
      ["/router/changed", "x".repeat(limit), octets, limit],
      ["/router/parts", part(limit - 100), form, 1],
      ["/router/stream", "x".repeat(limit), octets, limit]
    ])("of %s is read up to its limit", async (path, text, type, expected) => {
      const reply = await send(path, text, type)
      assert.deepStrictEqual([reply.status, await reply.text()], [200, String(expected)])
    })

    it.each([
      ["/bytes", "x".repeat(limit + 1), octets, limit],
      ["/bytes", "x".repeat(50 * limit), octets, limit],
      ["/grouped/bytes", "x".repeat(3001), octets, 3000],
      ["/grouped/json", JSON.stringify("x".repeat(2999)), "application/json", 3000],
      ["/grouped/own", "x".repeat(6001), octets, 6000],
      ["/grouped/parts", part(3000), form, 3000],
      ["/lines", line(limit), "application/x-ndjson", limit],
      ["/lines", line(100).repeat(200), "application/x-ndjson", limit],
      ["/lower", "x".repeat(5001), octets, 5000],
      ["/parts", part(limit), form, limit],
      ["/raised", "x".repeat(2 * limit + 1), octets, 2 * limit],
      ["/raw", "x".repeat(limit + 1), octets, limit],
      ["/router/changed", "x".repeat(limit + 1), octets, limit],
      // Effect's own error, which does not have the limit.
      ["/router/parts", part(limit), form, undefined],
      ["/router/stream", "x".repeat(limit + 1), octets, limit],
      ["/router/text", "x".repeat(limit + 1), octets, limit]
    ])("of %s that is longer than its limit is a 413", async (path, text, type, limit) => {
      const reply = await send(path, text, type)
      const problem = (await reply.json()) as Readonly<Record<string, unknown>>
      assert.deepStrictEqual(
        [reply.status, problem["code"], problem["limit"]],
        [413, "PAYLOAD_TOO_LARGE", limit]
      )
    })

    it.each([
      ["/bytes", octets],
      ["/grouped/bytes", octets],
      ["/grouped/json", "application/json"],
      ["/parts", form],
      ["/router/stream", octets]
    ])("of %s is limited before and after it is decoded", async (path, type) => {
      const gzip = { "content-encoding": "gzip" }
      const { status } = await send(path, gzipSync(part(limit)), type, gzip)
      assert.strictEqual(status, 413)
      // A gzip member with a comment that takes more than the limit, and little content.
      const small = gzipSync(part(10))
      const member = [small.subarray(0, 3), Buffer.from([0x10]), small.subarray(4, 10)]
      const commented = Buffer.concat([
        ...member,
        Buffer.alloc(2 * limit, "c"),
        Buffer.from([0]),
        small.subarray(10)
      ])
      assert.strictEqual((await send(path, commented, type, gzip)).status, 413)
    })

    it("that is too long fails in the handler, which may answer otherwise", async () => {
      const reply = await send("/caught", "x".repeat(limit + 1), octets)
      assert.deepStrictEqual([reply.status, await reply.text()], [200, "-1"])
    })
  })
}

for (const name of ["node", "proxied"] as const) {
  it.each(["GET /router/stream", "POST /router/twice"])(
    `a streamed body on ${name} is counted with every method and in all its parts: %s`,
    async (line) => {
      const app = await boot(name, [Bodies], { bodyLimit: "10 kB" })
      const client = await app.connect()
      const chunk = `3e8\r\n${"x".repeat(1000)}\r\n`
      client.send(
        `${line} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n` + chunk.repeat(11)
      )
      const { headers, status } = await arrives("The reply", client.reply())
      assert.strictEqual(status, 413)
      assert.strictEqual(headers["connection"], "close")
      client.destroy()
      await arrives("The end of the app", app.stop())
    }
  )
}
