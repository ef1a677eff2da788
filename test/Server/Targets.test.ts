/** How the target and the method of a request are read, on every listener. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import { Plugin, Route } from "flange"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { boot, type Counted } from "./counted.ts"
import { arrives, guardProcess, listeners } from "./userCode/server.ts"

guardProcess()

class TargetsApi extends HttpApiGroup.make("targets").add(
  HttpApiEndpoint.delete("clear", "/items", { success: Schema.String }),
  HttpApiEndpoint.get("pair", "/pairs/:a/:b", {
    params: { a: Schema.String, b: Schema.String },
    query: { q: Schema.optionalKey(Schema.String) },
    success: Schema.String
  }),
  HttpApiEndpoint.get("read", "/items/:id", {
    params: { id: Schema.String },
    query: { q: Schema.optionalKey(Schema.String) },
    success: Schema.String
  }),
  HttpApiEndpoint.delete("remove", "/items/:id", {
    params: { id: Schema.String },
    success: Schema.String
  }),
  HttpApiEndpoint.get("root", "/", { success: Schema.String })
) {}

const RawRoutes = HttpRouter.add(
  "GET",
  "/raw/:id",
  Effect.map(HttpRouter.params, ({ id }) => HttpServerResponse.jsonUnsafe(`raw ${id}`))
)

const Targets = Plugin.make("test:targets", {
  routes: [
    Route.public(TargetsApi, (handlers) =>
      handlers.handleAll({
        clear: () => Effect.succeed("clear"),
        pair: ({ params, query }) => Effect.succeed(`pair ${params.a} ${params.b} ${query.q}`),
        read: ({ params, query }) => Effect.succeed(`read ${params.id} ${query.q}`),
        remove: ({ params }) => Effect.succeed(`remove ${params.id}`),
        root: () => Effect.succeed("root")
      })
    ),
    Route.raw("raw", RawRoutes, { access: "public" })
  ]
})

const long = "a".repeat(1024)

for (const name of listeners) {
  describe(`a target on ${name}`, () => {
    let app: Counted
    beforeAll(async () => {
      app = await boot(name, [Targets], { maxHeaderBytes: "64 KiB", maxLineBytes: "32 KiB" })
    })
    afterAll(() => arrives("The end of the app", app.stop()))

    const ask = async (path: string, method = "GET") => {
      const reply = await arrives("The reply", app.ask(path, { method }))
      const body = (await reply.json()) as string | { readonly code: string }
      return typeof body === "string" ? body : `${reply.status} ${body.code}`
    }

    it.each([
      ["/items/1", "read 1 undefined"],
      ["/items/1/", "404 ROUTE_NOT_FOUND"],
      ["/items/", "404 ROUTE_NOT_FOUND"],
      ["/items//1", "404 ROUTE_NOT_FOUND"],
      ["//items/1", "404 ROUTE_NOT_FOUND"],
      ["/Items/1", "404 ROUTE_NOT_FOUND"],
      ["/pairs//b", "404 ROUTE_NOT_FOUND"],
      ["/pairs/a/", "404 ROUTE_NOT_FOUND"],
      ["/items/a;b", "read a;b undefined"],
      ["/items/a;b?q=c;d", "read a;b c;d"],
      ["/items;x/1", "404 ROUTE_NOT_FOUND"],
      ["/items/%3B", "read ; undefined"],
      ["/items/a%2Fb", "read a/b undefined"],
      ["/items/%ff", "400 MALFORMED_REQUEST"],
      ["/items/1?q=a%20b%ff", "400 MALFORMED_REQUEST"],
      ["/items/1?q=%", "400 MALFORMED_REQUEST"],
      [`/items/${long}`, `read ${long} undefined`],
      [`/items/${long}a`, "414 URI_TOO_LONG"],
      [`/pairs/a/${long}a`, "414 URI_TOO_LONG"],
      [`/pairs/${long}a/b`, "414 URI_TOO_LONG"],
      ["/raw/1", "raw 1"],
      ["/raw/1/", "404 ROUTE_NOT_FOUND"],
      ["/raw/", "404 ROUTE_NOT_FOUND"],
      ["/RAW/1", "404 ROUTE_NOT_FOUND"],
      ["//raw/1", "404 ROUTE_NOT_FOUND"],
      ["/raw/a;b", "raw a;b"],
      [`/raw/${long}`, `raw ${long}`],
      [`/raw/${long}a`, "414 URI_TOO_LONG"]
    ])("%s is read as it is written", async (path, expected) => {
      assert.strictEqual(await ask(path), expected)
    })

    it("never lets a parameter match nothing", async () => {
      assert.strictEqual(await ask("/items/", "DELETE"), "404 ROUTE_NOT_FOUND")
      assert.strictEqual(await ask("/items", "DELETE"), "clear")
    })

    if (name === "web") return

    const status = async (line: string, fields = "") => {
      const client = await app.connect()
      client.send(`${line} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`)
      const reply = await arrives(
        "The reply",
        client.reply(line.startsWith("HEAD") ? "HEAD" : "GET")
      )
      client.destroy()
      return `${reply.status} ${reply.body === "" ? "" : reply.body[0] === "{" ? JSON.parse(reply.body).code : JSON.parse(reply.body)}`
    }

    it.each([
      ["GET http://x/items/1", "200 read 1 undefined"],
      ["GET http://x/items/1?q=2", "200 read 1 2"],
      ["GET HTTP://X:80/items/1", "200 read 1 undefined"],
      ["GET http://x", "200 root"],
      ["GET http://x?a=/items/1", "200 root"],
      ["GET http://y/items/1", "400 MALFORMED_REQUEST"],
      ["GET ftp://x/items/1", "400 MALFORMED_REQUEST"],
      ["GET *", "400 MALFORMED_REQUEST"],
      ["GET items", "400 MALFORMED_REQUEST"],
      ["GET /items/1#a", "400 MALFORMED_REQUEST"],
      ["GET /items/1?q=#a", "400 MALFORMED_REQUEST"],
      ["OPTIONS *", "204 "],
      ["CONNECT x:80", "501 NOT_IMPLEMENTED"]
    ])("%s is answered with %s", async (line, expected) => {
      assert.strictEqual(await status(line), expected)
    })

    it.each(["head", "delete", "Post", "get"])("the method %s is no other", async (method) => {
      // Node's own parser knows no such methods.
      assert.include(
        name === "node" ? ["400 MALFORMED_REQUEST"] : ["405 METHOD_NOT_ALLOWED"],
        await status(`${method} /items/1`)
      )
    })

    it("an expectation is refused with a problem document", async () => {
      const reply = await status("GET /items/1", "Expect: tea\r\n")
      assert.strictEqual(reply, "417 EXPECTATION_FAILED")
    })
  })
}
