/** Which replies are compressed, and their headers, on every listener. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ask, decoded, long, places, textOf } from "./fixtures.ts"

const all = { "accept-encoding": "gzip, br, zstd" }

describe.each(places)("compression %s", (_place, boot) => {
  const test = (
    name: string,
    run: (test: Effect.Success<ReturnType<typeof boot>>) => Effect.Effect<void>
  ) => it.live(name, () => Effect.scoped(Effect.flatMap(boot({}), run)))

  test("uses the coding that the client accepts, and the app's favourite of several", (app) =>
    Effect.gen(function* () {
      for (const [accepted, coding] of [
        ["gzip", "gzip"],
        ["br", "br"],
        ["gzip, br", "br"],
        ["gzip, br, zstd", "zstd"],
        ["gzip, br;q=0.5", "gzip"]
      ] as const) {
        for (const size of [3000, 100_000, 3_000_000]) {
          const reply = yield* ask(app, `/json/${size}`, { "accept-encoding": accepted })
          assert.strictEqual(reply.header("content-encoding"), coding)
          assert.strictEqual(reply.header("vary"), "Accept-Encoding")
          assert.strictEqual(decoded(reply), JSON.stringify(textOf(size)))
          assert.isBelow(reply.bytes.length, size / 5)
        }
      }
    }))

  test("leaves a reply as it is without a coding that the client accepts", (app) =>
    Effect.gen(function* () {
      const headers: ReadonlyArray<Record<string, string>> = [
        {},
        { "accept-encoding": "" },
        { "accept-encoding": "deflate, identity" },
        { "accept-encoding": "br;q=0, gzip;q=0, identity;q=0" }
      ]
      for (const sent of headers) {
        const reply = yield* ask(app, "/json/3000", sent)
        assert.isUndefined(reply.header("content-encoding"))
        assert.strictEqual(reply.header("vary"), "Accept-Encoding")
        assert.strictEqual(decoded(reply), JSON.stringify(textOf(3000)))
      }
    }))

  test("leaves a body below the threshold alone, without Vary", (app) =>
    Effect.gen(function* () {
      for (const path of ["/json/500", "/never/3000", "/bare"]) {
        const reply = yield* ask(app, path, all)
        assert.isUndefined(reply.header("content-encoding"), path)
        assert.isUndefined(reply.header("vary"), path)
      }
    }))

  test("leaves a body alone that must stay as it is", (app) =>
    Effect.gen(function* () {
      for (const how of [
        "digest",
        "empty",
        "encoded",
        "events",
        "image",
        "md5",
        "noTransform",
        "part"
      ]) {
        const reply = yield* ask(app, `/made/${how}`, all)
        assert.strictEqual(
          reply.header("content-encoding"),
          how === "encoded" ? "gzip" : undefined,
          how
        )
        assert.isUndefined(reply.header("vary"), how)
        assert.strictEqual(reply.bytes.toString(), how === "empty" ? "" : long, how)
      }
    }))

  test("compresses a type by its suffix, in any case", (app) =>
    Effect.gen(function* () {
      const reply = yield* ask(app, "/made/svg", all)
      assert.strictEqual(reply.header("content-encoding"), "zstd")
      assert.strictEqual(decoded(reply), long)
    }))

  test("compresses errors too", (app) =>
    Effect.gen(function* () {
      const declared = yield* ask(app, "/errors", all)
      assert.strictEqual(declared.status, 409)
      assert.strictEqual(declared.header("content-encoding"), "zstd")
      assert.strictEqual(JSON.parse(decoded(declared)).code, "TOO_MUCH")
      const early = yield* ask(app, "/nowhere", { ...all, "x-closed": "1" })
      assert.strictEqual(early.status, 503)
      assert.strictEqual(decoded(early), long)
    }))

  test("a strong ETag becomes weak, and Vary is added to that of the handler", (app) =>
    Effect.gen(function* () {
      for (const [how, plain] of [
        ["strong", '"v1"'],
        ["weak", 'W/"v1"']
      ] as const) {
        assert.strictEqual((yield* ask(app, `/made/${how}`)).header("etag"), plain)
        assert.strictEqual((yield* ask(app, `/made/${how}`, all)).header("etag"), 'W/"v1"')
      }
      assert.strictEqual(
        (yield* ask(app, "/made/varying", all)).header("vary"),
        "Accept, Accept-Encoding"
      )
      assert.strictEqual((yield* ask(app, "/made/ranges", all)).header("accept-ranges"), "none")
    }))

  test("a 304 has the ETag of the form that the client has, and Vary", (app) =>
    Effect.gen(function* () {
      for (const [known, etag] of [
        ['W/"v1"', 'W/"v1"'],
        ['"v0", W/"v1"', 'W/"v1"'],
        ['W/"v1", "v1"', '"v1"'],
        ['"v1"', '"v1"'],
        ["*", '"v1"']
      ] as const) {
        const reply = yield* ask(app, "/made/notModified", { ...all, "if-none-match": known })
        assert.strictEqual(reply.status, 304)
        assert.strictEqual(reply.header("etag"), etag)
        assert.strictEqual(reply.header("vary"), "Accept-Encoding")
        assert.isUndefined(reply.header("content-encoding"))
      }
    }))

  test("HEAD has the headers of GET, and no content", (app) =>
    Effect.gen(function* () {
      for (const path of ["/json/3000", "/json/100000", "/made/strong"]) {
        const get = yield* ask(app, path, all)
        const head = yield* ask(app, path, all, "HEAD")
        assert.strictEqual(head.bytes.length, 0)
        for (const name of ["content-encoding", "content-length", "content-type", "etag", "vary"]) {
          assert.strictEqual(head.header(name), get.header(name), `${path} ${name}`)
        }
      }
      const stream = yield* ask(app, "/stream/known", all, "HEAD")
      assert.strictEqual(stream.header("content-encoding"), "zstd")
      assert.isUndefined(stream.header("content-length"))
    }))

  test("never compresses for a caller that a cookie authenticated, unless the contract allows it", (app) =>
    Effect.gen(function* () {
      const cookie = { ...all, cookie: "session=a-long-random-session" }
      const token = { ...all, authorization: "Bearer a-long-random-token" }
      const mine = yield* ask(app, "/mine", cookie)
      assert.isUndefined(mine.header("content-encoding"))
      assert.strictEqual(mine.header("vary"), "Accept-Encoding")
      assert.strictEqual((yield* ask(app, "/mine", token)).header("content-encoding"), "zstd")
      assert.strictEqual((yield* ask(app, "/allowed", cookie)).header("content-encoding"), "zstd")
      // A cookie that authenticates nobody changes nothing.
      const visitor = yield* ask(app, "/json/3000", { ...all, cookie: "theme=dark" })
      assert.strictEqual(visitor.header("content-encoding"), "zstd")
    }))

  test("a cached reply is stored as it is, and compressed for each client", (app) =>
    Effect.gen(function* () {
      for (const accepted of ["br", "gzip", "identity", "br"]) {
        const reply = yield* ask(app, "/cached", { "accept-encoding": accepted })
        const isCoded = accepted !== "identity"
        assert.strictEqual(reply.header("content-encoding"), isCoded ? accepted : undefined)
        assert.strictEqual(reply.header("vary"), "Accept-Encoding")
        assert.strictEqual(decoded(reply), JSON.stringify(long))
        const tag = reply.header("etag")!
        assert.strictEqual(tag.startsWith("W/"), isCoded)
        const again = yield* ask(app, "/cached", {
          "accept-encoding": accepted,
          "if-none-match": tag
        })
        assert.strictEqual(again.status, 304)
        assert.strictEqual(again.header("etag"), tag)
      }
    }))

  test("a stream has no length, and keeps its type", (app) =>
    Effect.gen(function* () {
      const known = yield* ask(app, "/stream/known", all)
      assert.strictEqual(known.header("content-type"), "text/plain")
      assert.strictEqual(known.header("content-encoding"), "zstd")
      assert.isUndefined(known.header("content-length"))
      assert.strictEqual(decoded(known), long)
      const text = yield* ask(app, "/stream/text", all)
      assert.strictEqual(decoded(text), textOf(100).repeat(3))
    }))

  it.live("varies by Origin as well behind CORS with several origins", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const app = yield* boot({ cors: { origins: ["https://a.example", "https://b.example"] } })
        const reply = yield* ask(app, "/json/3000", { ...all, origin: "https://a.example" })
        assert.strictEqual(reply.header("vary"), "Origin, Accept-Encoding")
        assert.strictEqual(reply.header("access-control-allow-origin"), "https://a.example")
        assert.strictEqual(decoded(reply), JSON.stringify(textOf(3000)))
      })
    )
  )

  it.live("the section changes threshold, codings and types", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const app = yield* boot({
          compression: { codings: ["gzip"], threshold: 100, types: ["image/png"] }
        })
        assert.strictEqual((yield* ask(app, "/made/image", all)).header("content-encoding"), "gzip")
        assert.isUndefined((yield* ask(app, "/json/3000", all)).header("vary"))
      })
    )
  )
})
