/** Bodies that cannot be read to their end, on the listeners that have sockets. */
import { setTimeout as sleep } from "node:timers/promises"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as HttpRouter from "effect/http/HttpRouter"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Middleware, Plugin, Route } from "flange"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { maxDiscarded } from "../../../src/Server/Listener/Linger.ts"
import { boot, type Counted } from "../counted.ts"
import { guardProcess, until } from "../userCode/server.ts"
import { replies } from "./Proxied/rig.ts"

guardProcess()

const Form = Schema.Struct({ name: Schema.String })
const success = Schema.Unknown

class BodiesApi extends HttpApiGroup.make("bodies").add(
  HttpApiEndpoint.post("bytes", "/bytes", { payload: HttpApiSchema.StreamUint8Array(), success }),
  HttpApiEndpoint.post("form", "/form", {
    payload: Form.pipe(HttpApiSchema.asMultipart()),
    success
  }),
  HttpApiEndpoint.get("hold", "/hold", { success }),
  HttpApiEndpoint.post("json", "/json", { payload: Schema.Json, success }),
  HttpApiEndpoint.post("parts", "/parts", {
    payload: Form.pipe(HttpApiSchema.asMultipartStream()),
    success
  }),
  HttpApiEndpoint.post("unread", "/unread", { success })
) {}

const count = <E>(stream: Stream.Stream<unknown, E>) => Effect.orDie(Stream.runCount(stream))

const raw = <E, R>(use: (request: HttpServerRequest) => Effect.Effect<unknown, E, R>) =>
  Effect.flatMap(HttpServerRequest, (request) =>
    Effect.as(use(request), HttpServerResponse.empty())
  )

const octets = "application/octet-stream"
const form = "multipart/form-data; boundary=b"
const json = "application/json"

/** The endpoints that read a body, its type, and the beginning of a valid one. */
const reading: ReadonlyArray<readonly [path: string, type: string, begin: string]> = [
  ["/bytes", octets, "some"],
  ["/form", form, '--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nada'],
  ["/json", json, "[1,"],
  ["/parts", form, '--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nada'],
  ["/raw/bytes", octets, "some"],
  ["/raw/parts", form, '--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nada'],
  ["/raw/text", "text/plain", "some"]
]

/** The requests that are answered before their body is read, and the status. */
const unread: ReadonlyArray<readonly [path: string, status: number]> = [
  ["/nowhere", 404],
  ["/raw/unread", 204],
  ["/unread", 200]
]

const head = (path: string, type: string, ...fields: ReadonlyArray<string>) =>
  [`POST ${path} HTTP/1.1`, "Host: a", `Content-Type: ${type}`, ...fields, "", ""].join("\r\n")

const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`

/** The beginning of a chunk that never comes. */
const silence = "5\r\n"

const tooLong = chunk("x".repeat(maxDiscarded + 1))

const chunked = "Transfer-Encoding: chunked"

const hold = "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n"

for (const name of ["node", "proxied"] as const) {
  describe(`a body on ${name}`, () => {
    let app: Counted
    let gate = Deferred.makeUnsafe<void>()
    /** The requests that have come as far as their body, which is read at once. */
    let posted = 0
    beforeAll(async () => {
      const Bodies = Plugin.make("test:bodies", {
        middleware: [
          Middleware.before("posted", {
            build: Effect.succeed(({ method }) =>
              method === "POST"
                ? () => {
                    posted++
                    return Middleware.pass
                  }
                : undefined
            ),
            slot: "Custom"
          })
        ],
        routes: [
          Route.public(BodiesApi, (handlers) =>
            handlers.handleAll({
              bytes: ({ payload }) => count(payload),
              form: ({ payload }) => Effect.succeed(payload),
              hold: () => Effect.as(Deferred.await(gate), "held"),
              json: ({ payload }) => Effect.succeed(payload),
              parts: ({ payload }) => count(payload),
              unread: () => Effect.succeed("unread")
            })
          ),
          Route.raw(
            "raw",
            Layer.mergeAll(
              HttpRouter.add(
                "POST",
                "/raw/bytes",
                raw(({ stream }) => count(stream))
              ),
              HttpRouter.add(
                "POST",
                "/raw/parts",
                raw((request) => count(request.multipartStream))
              ),
              HttpRouter.add(
                "POST",
                "/raw/text",
                raw(({ text }) => text)
              ),
              HttpRouter.add("POST", "/raw/unread", HttpServerResponse.empty())
            ),
            { access: "public" }
          )
        ]
      })
      const timeouts = { bodyTimeout: "1 second", headersTimeout: "1 second" }
      app = await boot(name, [Bodies], { ...timeouts, requestTimeout: "1 second" })
    })
    afterAll(() => app.stop())

    /** The replies to a text, until the connection ends. */
    const statuses = async (text: string) => {
      const client = await app.connect()
      client.send(text)
      const got = replies(await client.end()).map(({ status }) => status)
      client.destroy()
      return got
    }

    /** The same for many, each behind a request whose reply is sent after the bodies have failed. */
    const behind = async (texts: ReadonlyArray<string>, patience: number) => {
      gate = Deferred.makeUnsafe()
      const before = app.told.length
      const clients = await Promise.all(texts.map(() => app.connect()))
      for (const [i, text] of texts.entries()) clients[i]!.send(hold + text)
      await until("The end of the requests", () => app.told.length >= before + texts.length)
      await sleep(patience)
      for (const client of clients) assert.strictEqual(client.text, "")
      Effect.runSync(Deferred.succeed(gate, undefined))
      const got: Array<ReadonlyArray<number>> = []
      for (const client of clients) {
        got.push(replies(await client.end()).map(({ status }) => status))
        client.destroy()
      }
      return got
    }

    describe.each(reading)("of %s", (path, type, begin) => {
      it.each([
        ["has no size", "no\r\n"],
        ["is longer than its size", "1\r\nab\r\n"]
      ])("is refused if a chunk %s", async (_, bad) => {
        const request = head(path, type, chunked) + chunk(begin)
        assert.deepStrictEqual(await statuses(request + bad), [400])
      })

      it("is refused if it is not what its coding says", async () => {
        const coded = [`Content-Length: ${begin.length}`, "Content-Encoding: gzip"]
        const request = head(path, type, ...coded, "Connection: close")
        assert.deepStrictEqual(await statuses(request + begin), [400])
      })
    })

    it("that nobody reads is not read to its end", async () => {
      const requests = unread.flatMap(([path, status]) =>
        [`${chunk("a")}no\r\n`, tooLong, silence].map(
          (body) => [head(path, octets, chunked) + body, status] as const
        )
      )
      await Promise.all(
        requests.map(async ([request, status]) =>
          assert.deepStrictEqual(await statuses(request), [status])
        )
      )
    })

    const begun = (path: string, type: string, begin: string) =>
      head(path, type, chunked) + chunk(begin)

    it("that is malformed or too long takes no reply with it that is owed", async () => {
      const read = reading.map((each) => `${begun(...each)}no\r\n`)
      const others = unread.flatMap(([path]) =>
        [`${chunk("a")}no\r\n`, tooLong].map((body) => head(path, octets, chunked) + body)
      )
      assert.deepStrictEqual(await behind([...read, ...others], 50), [
        ...reading.map(() => [200, 400]),
        ...unread.flatMap(([, status]) => [
          [200, status],
          [200, status]
        ])
      ])
    })

    it("of a client that leaves while an earlier reply is owed ends its request only", async () => {
      gate = Deferred.makeUnsafe()
      const before = posted
      const clients = await Promise.all(reading.map(() => app.connect()))
      for (const [i, each] of reading.entries()) clients[i]!.send(hold + begun(...each))
      await until("The bodies", () => posted - before === clients.length)
      assert.strictEqual(app.open(), 2 * clients.length)
      for (const client of clients) client.destroy()
      await until("The end of the requests", () => app.open() === 0)
      assert.deepStrictEqual(await statuses(head("/unread", octets, "Connection: close")), [200])
    })

    it.each([
      ["in the head of the next request", "GET /un", 0],
      ["after what is no request", "no request\r\n\r\n", 0],
      ["a while after what is no request", "no request\r\n\r\n", 50],
      ["after a malformed body", `${begun("/bytes", octets, "some")}no\r\n`, 50]
    ])("ends the requests of a client that leaves %s", async (_, rest, patience) => {
      gate = Deferred.makeUnsafe()
      const client = await app.connect()
      client.send(hold)
      await until("The request", () => app.open() === 1)
      client.send(rest)
      await sleep(patience)
      client.socket.end()
      await until("The end of the requests", () => app.open() === 0)
      client.destroy()
    })

    it("that never comes takes no reply with it that is owed", async () => {
      const read = reading.map((each) => begun(...each) + silence)
      const others = unread.map(([path]) => head(path, octets, chunked) + silence)
      // By then every timeout of an unread body has passed.
      assert.deepStrictEqual(await behind([...read, ...others], 2500), [
        ...reading.map(() => [200, 408]),
        ...unread.map(([, status]) => [200, status])
      ])
    })
  })
}
