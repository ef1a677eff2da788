/** Paths with and without a slash at the end: two paths, or by choice a redirect. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { Plugin, Route } from "flange"
import * as Auth from "flange/Auth"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { boot, type Counted } from "./counted.ts"
import { arrives, guardProcess, listeners } from "./userCode/server.ts"

guardProcess()

const text = Schema.String

class SlashApi extends HttpApiGroup.make("slash").add(
  HttpApiEndpoint.get("all", "/items", { success: text }),
  HttpApiEndpoint.post("create", "/items", {
    payload: Schema.Struct({ name: text }),
    success: text
  }),
  HttpApiEndpoint.get("directory", "/directory/sub/", { success: text }),
  HttpApiEndpoint.get("files", "/deep/files/*", { params: { "*": text }, success: text }),
  HttpApiEndpoint.get("pair", "/pairs/:a/:b", { params: { a: text, b: text }, success: text }),
  HttpApiEndpoint.get("read", "/items/:id", { params: { id: text }, success: text }),
  HttpApiEndpoint.put("replace", "/both/", { success: text }),
  HttpApiEndpoint.get("root", "/", { success: text }),
  HttpApiEndpoint.get("word", "/:word", { params: { word: text }, success: text })
) {}

class SecretApi extends HttpApiGroup.make("secret").add(
  HttpApiEndpoint.get("secret", "/admin/secret", { success: text })
) {}

const reply = () => Effect.succeed("reached")

const Chain = Auth.plugin({
  default: Auth.chain([
    Auth.bearer([{ identity: { subject: "alice" }, token: Redacted.make("token-of-alice") }])
  ])
})

const Slash = Plugin.make("test:slash", {
  routes: [
    Route.public(SlashApi, (handlers) =>
      handlers.handleAll({
        all: reply,
        create: ({ payload }) => Effect.succeed(payload.name),
        directory: reply,
        files: reply,
        pair: reply,
        read: reply,
        replace: reply,
        root: reply,
        word: reply
      })
    ),
    Route.protected(SecretApi, (handlers) => handlers.handleAll({ secret: reply })),
    Route.raw("raw", HttpRouter.add("GET", "/raw/path", HttpServerResponse.jsonUnsafe("raw")), {
      access: "public"
    })
  ]
})

for (const name of listeners) {
  describe(`a slash at the end of a path on ${name}`, () => {
    let redirecting: Counted
    let strict: Counted
    beforeAll(async () => {
      redirecting = await boot(name, [Chain, Slash], { trailingSlash: "redirect" })
      strict = await boot(name, [Chain, Slash])
    })
    afterAll(async () => {
      await arrives("The end of the app", redirecting.stop())
      await arrives("The end of the app", strict.stop())
    })

    const ask = async (app: Counted, path: string, method = "GET", init: RequestInit = {}) => {
      const sent = app.ask(path, { ...init, method, redirect: "manual" })
      const response = await arrives("The reply", sent)
      await response.arrayBuffer()
      return `${response.status} ${response.headers.get("location") ?? ""}`.trim()
    }

    it.each([
      ["/items/", "308 /items"],
      ["/items/1/", "308 /items/1"],
      ["/directory/sub", "308 /directory/sub/"],
      ["/raw/path/", "308 /raw/path"],
      ["/deep/files", "308 /deep/files/"],
      ["/items/?a=1&b=/x/?%2F;", "308 /items?a=1&b=/x/?%2F;"],
      ["/items/a;b/", "308 /items/a;b"],
      ["/items/a%2Fb%3F/", "308 /items/a%2Fb%3F"],
      ["/items/%C3%A9/", "308 /items/%C3%A9"],
      ["/items", "200"],
      ["/deep/files/", "200"],
      ["/deep/files/a/", "200"],
      ["/", "200"],
      ["/?a", "200"],
      ["/nowhere/else/at/all/", "404"],
      ["/items/1//", "404"],
      ["/Items/1/", "404"],
      ["/items/%ff/", "400"]
    ])("%s is answered with %s if the app chooses redirects", async (path, expected) => {
      assert.strictEqual(await ask(redirecting, path), expected)
    })

    it("a redirect is for the methods of the route only, and keeps the method", async () => {
      const body = JSON.stringify({ name: "Lamp" })
      const headers = { "content-type": "application/json" }
      assert.strictEqual(await ask(redirecting, "/items/", "POST", { body, headers }), "308 /items")
      assert.strictEqual(await ask(redirecting, "/items/", "HEAD"), "308 /items")
      assert.strictEqual(await ask(redirecting, "/items/", "DELETE"), "404")
      assert.strictEqual(await ask(redirecting, "/raw/path/", "POST"), "404")
    })

    it("a path that has routes as it is written is not redirected", async () => {
      // GET /:word takes /both, and PUT takes /both/.
      assert.strictEqual(await ask(redirecting, "/both/"), "405")
    })

    it("is another path if the app does not choose redirects", async () => {
      for (const path of [
        "/items/",
        "/directory",
        "/raw/path/",
        "/files/1/../",
        "/admin/secret/"
      ]) {
        if (path.includes("..")) continue
        assert.strictEqual(await ask(strict, path), path === "/directory" ? "200" : "404", path)
      }
    })

    it("a redirect of a protected route says no more than the route itself", async () => {
      assert.strictEqual(await ask(redirecting, "/admin/secret/"), "308 /admin/secret")
      assert.strictEqual(await ask(redirecting, "/admin/secret"), "401")
    })

    it("observers are told of a redirect, and no handler runs", async () => {
      await ask(redirecting, "/items/told/?q=1")
      assert.include(redirecting.told, "/items/told/?q=1 308")
    })

    if (name === "web") return

    const raw = async (target: string) => {
      const client = await redirecting.connect()
      client.send(`GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`)
      const { headers, status } = await arrives("The reply", client.reply("GET"))
      client.destroy()
      return `${status} ${new Headers(headers as never).get("location") ?? ""}`.trim()
    }

    it.each([
      "//evil.com/",
      "//evil.com",
      "///evil.com/",
      "/\\evil.com/",
      "/\\/evil.com/",
      "/\\evil.com",
      "http://x//evil.com/",
      "http://x/\\evil.com/",
      "//evil.com/items/",
      "/../items/",
      "/./items/",
      "/items/../",
      "/items/..",
      "/%2e%2e/",
      "/items/\\/",
      "/items/\u00e9/"
    ])("%s is no way to another host or path", async (target) => {
      assert.notMatch(await raw(target), /^3/)
    })

    it("a query with bytes beyond ASCII does not break the reply", async () => {
      assert.include(["308", "400"], (await raw("/items/?q=\u00e9")).split(" ")[0])
    })

    it("an encoded slash stays in the path", async () => {
      assert.strictEqual(await raw("/%2Fevil.com/"), "308 /%2Fevil.com")
      assert.strictEqual(await raw("/%5Cevil.com/"), "308 /%5Cevil.com")
      assert.strictEqual(await raw("http://x/items/"), "308 /items")
    })
  })
}
