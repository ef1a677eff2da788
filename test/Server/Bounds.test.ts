/** What a request may cost: the limits of bodies on every listener. */
import { gzipSync } from "node:zlib"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import { Plugin, Route } from "flange"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { boot, type Counted } from "./counted.ts"
import { arrives, guardProcess, listeners } from "./userCode/server.ts"

guardProcess()

interface Tree {
  readonly children: ReadonlyArray<Tree>
}

const Tree = Schema.Struct({
  children: Schema.Array(Schema.suspend((): Schema.Codec<Tree> => Tree))
})

const Names = Schema.Struct({ names: Schema.Array(Schema.Union([Schema.Int, Schema.String])) })

class BoundsApi extends HttpApiGroup.make("bounds").add(
  HttpApiEndpoint.post("any", "/any", { payload: Schema.Json, success: Schema.String }),
  HttpApiEndpoint.post("counts", "/counts", {
    payload: Schema.Record(Schema.String, Schema.Int),
    success: Schema.String
  }),
  HttpApiEndpoint.post("form", "/form", {
    payload: Schema.Struct({ a: Schema.String }).pipe(HttpApiSchema.asFormUrlEncoded()),
    success: Schema.String
  }),
  HttpApiEndpoint.post("names", "/names", {
    payload: Names,
    query: { page: Schema.Int },
    success: Schema.String
  }),
  HttpApiEndpoint.post("tree", "/tree", { payload: Tree, success: Schema.String })
) {}

const taken = () => Effect.succeed("taken")

const Bounds = Plugin.make("test:bounds", {
  routes: [
    Route.public(BoundsApi, (handlers) =>
      handlers.handleAll({ any: taken, counts: taken, form: taken, names: taken, tree: taken })
    )
  ]
})

const nested = (open: string, close: string, levels: number) =>
  open.repeat(levels) + close.repeat(levels)

interface Problem {
  readonly detail: string
  readonly errors?: ReadonlyArray<{ readonly detail: string; readonly pointer: string }>
}

for (const name of listeners) {
  describe(`a body on ${name}`, () => {
    let app: Counted
    beforeAll(async () => {
      app = await boot(name, [Bounds])
    })
    afterAll(() => arrives("The end of the app", app.stop()))

    const send = async (
      path: string,
      body: NonNullable<RequestInit["body"]>,
      headers: Readonly<Record<string, string>> = {}
    ) => {
      const init = { body, headers: { "content-type": "application/json", ...headers } }
      const reply = await arrives("The reply", app.ask(path, { ...init, method: "POST" }))
      return { problem: (await reply.json()) as Problem, status: reply.status }
    }

    it.each([
      ["arrays", "/any", "[", "]", 100],
      ["objects", "/any", '{"a":', "}", 99],
      ["a recursive schema", "/tree", '{"children":[', "]}", 50]
    ])(
      "of %s is taken at the most levels and refused above",
      async (_, path, open, close, most) => {
        const inner = open === "[" ? "" : open.includes("children") ? "" : "[]"
        const bodyOf = (levels: number) => open.repeat(levels) + inner + close.repeat(levels)
        assert.strictEqual((await send(path, bodyOf(most))).status, 200)
        const { problem, status } = await send(path, bodyOf(most + 1))
        assert.strictEqual(status, 400)
        assert.strictEqual(problem.errors?.[0]?.detail, "Nested in more than 100 levels")
      }
    )

    it("of many levels is refused with the place of the first that is too deep", async () => {
      const { problem } = await send("/any", `{"a":[1,${nested("[", "]", 200_000)}]}`)
      const { pointer } = problem.errors![0]!
      assert.strictEqual(pointer, `/a/1${"/0".repeat(98)}`)
    })

    it("of which all is wrong has 100 problems listed, and one that says so", async () => {
      const wrong = JSON.stringify({ names: Array(20_000).fill(true) })
      const { problem, status } = await send("/names?page=x", wrong)
      assert.strictEqual(status, 400)
      assert.strictEqual(problem.detail, "The request has 100 problems or more")
      assert.lengthOf(problem.errors!, 101)
      assert.strictEqual(problem.errors![0]!.pointer, "/page")
      assert.strictEqual(problem.errors![99]!.pointer, "/names/98")
      assert.strictEqual(
        problem.errors![100]!.detail,
        "There may be more problems, which are not listed"
      )
    })

    it("of a record with many wrong entries has 100 problems listed", async () => {
      const entries = Array.from({ length: 20_000 }, (_, i) => [`k${i}`, "x"])
      const { problem } = await send("/counts", JSON.stringify(Object.fromEntries(entries)))
      assert.lengthOf(problem.errors!, 101)
    })

    it("with a problem behind many values of the second form has that one", async () => {
      const late = JSON.stringify({ names: [...Array<string>(20_000).fill("a"), true] })
      const { problem } = await send("/names?page=1", late)
      assert.deepStrictEqual(
        problem.errors!.map(({ pointer }) => pointer),
        ["/names/20000"]
      )
    })

    it("has no problem that only its start would have", async () => {
      const members = Array.from({ length: 5000 }, (_, i) => [`k${i}`, 1])
      const wrong = { ...Object.fromEntries(members), names: Array(5000).fill(true) }
      const { problem } = await send("/names?page=1", JSON.stringify(wrong))
      assert.isFalse(problem.errors!.some(({ detail }) => detail.includes("Missing")))
    })

    it("with fewer problems has each listed", async () => {
      const some = JSON.stringify({ names: [...Array<string>(5000).fill("a"), true, 1.5] })
      const { problem } = await send("/names?page=1", some)
      assert.deepStrictEqual(
        problem.errors!.map(({ pointer }) => pointer),
        ["/names/5000", "/names/5001"]
      )
    })

    it.each([
      ["a=1".padEnd(3 + 2 * 999, "&b"), 200],
      ["a=1".padEnd(3 + 2 * 1000, "&b"), 413],
      [`a=1${"&".repeat(100_000)}`, 413]
    ])("of a form has a most number of fields: %#", async (body, expected) => {
      const type = { "content-type": "application/x-www-form-urlencoded" }
      const { problem, status } = await send("/form", body, type)
      assert.strictEqual(status, expected)
      if (status === 413) assert.strictEqual(problem.detail, "The form has more than 1000 fields")
    })

    it.each([
      ["gzip", 1, 200],
      ["x-gzip", 1, 200],
      ["X-GZIP", 1, 200],
      ["identity, gzip", 1, 200],
      ["gzip, gzip", 2, 415],
      ["deflate, gzip", 1, 415],
      ["x-gzip, gzip", 2, 415],
      [`${"gzip,".repeat(1000)}gzip`, 1, 415]
    ])("with the codings %s has at most one", async (coding, times, expected) => {
      let body: Uint8Array = Buffer.from("[1]")
      for (let i = 0; i < times; i++) body = gzipSync(body)
      const { status } = await send("/any", Buffer.from(body), { "content-encoding": coding })
      assert.strictEqual(status, expected)
    })

    it.each([
      ["application/json", 200],
      ["application/json; charset=utf-8", 200],
      ['Application/JSON;charset="UTF-8"', 200],
      ["application/json; charset=us-ascii", 200],
      ["application/json; charset=iso-8859-1", 415],
      ["application/json; charset=utf-16", 415],
      ["text/json", 415],
      [undefined, 415]
    ])("of the type %s is read only if that says that it can be", async (type, expected) => {
      const headers = type === undefined ? {} : { "content-type": type }
      const init = { body: new TextEncoder().encode("[1]"), headers, method: "POST" }
      assert.strictEqual((await arrives("The reply", app.ask("/any", init))).status, expected)
    })

    it("that is empty needs no type", async () => {
      const reply = await arrives("The reply", app.ask("/any", { method: "POST" }))
      assert.strictEqual(reply.status, 400)
    })

    it("of many pieces is whole", async () => {
      const text = JSON.stringify("0123456789".repeat(60_000))
      const bytes = new TextEncoder().encode(text)
      const body = new ReadableStream({
        start: (controller) => {
          for (let at = 0; at < bytes.length; at += 1009) {
            controller.enqueue(bytes.subarray(at, at + 1009))
          }
          controller.close()
        }
      })
      const headers = { "content-type": "application/json" }
      const init = { body, duplex: "half" as const, headers, method: "POST" }
      assert.strictEqual((await arrives("The reply", app.ask("/any", init))).status, 200)
    })

    if (name === "web") return

    const head = "POST /any HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n`

    it.each([
      ["one byte each", "1\r\n \r\n", 200_000],
      ["one byte each, with an extension", "1;a\r\n \r\n", 5_000],
      ["63 bytes each", `3f\r\n${" ".repeat(63)}\r\n`, 2_000]
    ])("in many pieces of %s is refused, and its connection closes", async (_, chunk, count) => {
      const client = await app.connect()
      client.send(`${chunked}${chunk.repeat(count)}0\r\n\r\n`)
      const reply = await arrives("The reply", client.reply())
      assert.strictEqual(reply.status, 400)
      assert.include(reply.body, "too many small pieces")
      assert.strictEqual(reply.headers["connection"], "close")
      await arrives("The end of the connection", client.end())
    })

    it("in some small pieces is taken", async () => {
      const client = await app.connect()
      client.send(`${chunked}${"1\r\n \r\n".repeat(998)}2\r\n[]\r\n0\r\n\r\n`)
      assert.strictEqual((await arrives("The reply", client.reply())).status, 200)
      client.destroy()
    })
  })
}
