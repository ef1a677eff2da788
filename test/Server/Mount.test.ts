/** Request listeners of `node:http` in routes, on every listener of Flange. */
import type { IncomingMessage, ServerResponse } from "node:http"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { CurrentIdentity, Mount, Plugin, RequestId, Route } from "flange"
import * as Auth from "flange/Auth"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { guardProcess, listeners, serve, type Server, until } from "./userCode/server.ts"

guardProcess()

type Listen = (request: IncomingMessage, response: ServerResponse) => unknown

/** What listeners saw of requests whose client went away, and of replies that were sent. */
let seen: Array<string>

/** Breaks the reply that `/old/late` has begun. */
let breakLate: () => void

const echo: Listen = (request, response) => {
  response.writeHead(201, { "x-length": request.headers["content-length"] ?? "none" })
  request.pipe(response)
}

const paths: Readonly<Record<string, Listen>> = {
  "/old/chunked": (_, response) => {
    response.setHeader("transfer-encoding", "chunked")
    response.write("a")
    response.end("b")
  },
  "/old/cookies": (_, response) => {
    response.setHeader("set-cookie", ["a=1; Path=/", "b=2"])
    response.setHeader("vary", ["origin", "accept"])
    response.end()
  },
  "/old/destroyed": (_, response) => response.destroy(),
  "/old/echo": echo,
  "/old/empty": (_, response) => response.writeHead(304, { etag: '"1"' }).end(),
  "/old/head": (request, response) => {
    response.setHeader("content-length", 5)
    response.end(request.method === "HEAD" ? undefined : "hello")
  },
  "/old/late": (_, response) => {
    breakLate = () => response.destroy(new Error("late"))
    response.write("begun")
  },
  "/old/rejects": async () => {
    await Promise.resolve()
    throw new Error("rejected")
  },
  "/old/request": (request, response) => {
    const { headers, httpVersion, method, rawHeaders, url } = request
    const { remoteAddress } = request.socket
    response.setHeader("content-type", "application/json")
    response.end(
      JSON.stringify({ headers, httpVersion, method, raw: rawHeaders, remoteAddress, url })
    )
  },
  "/old/throws": () => {
    throw new Error("thrown")
  },
  "/old/who": (request, response) => {
    request.setTimeout(1000)
    const services = Mount.services(request)
    const caller = Context.getOption(services, CurrentIdentity)
    const subject = Option.map(caller, ({ subject }) => subject)
    response.end(`${Context.get(services, RequestId)} ${Option.getOrElse(subject, () => "-")}`)
  }
}

const listener: Listen = (request, response) => {
  response.on("finish", () => seen.push(`finish ${request.url}`))
  response.on("close", () => seen.push(`close ${request.url} ${response.writableFinished}`))
  return paths[request.url!.split("?")[0]!.replace("/safe", "/old")]!(request, response)
}

const MountPlugin = Plugin.make("test:mount", {
  routes: [
    Route.raw("old", Mount.layer("/old/*", Effect.succeed(listener)), { access: "public" }),
    Route.raw("safe", Mount.layer("/safe/*", Effect.succeed(listener)), { access: "protected" })
  ]
})

const AuthPlugin = Auth.plugin({
  default: Auth.chain([
    Auth.bearer([{ identity: { subject: "ada" }, token: Redacted.make("token-of-ada") }])
  ])
})

describe.each(listeners)("a mounted listener on %s", (name) => {
  let server: Server
  beforeEach(async () => {
    seen = []
    server = await serve(name, [AuthPlugin, MountPlugin])
  })
  afterEach(() => server.stop())

  const ask = async (path: string, init?: RequestInit) => {
    const { body, headers, status } = await server.send("r-1", path, init)
    return { body, headers, status }
  }

  it("gets the head of the request as the client sent it", async () => {
    const { body, headers, status } = await ask("/old/request?a=%20b&c;d", {
      headers: { "x-a": "1, 2" },
      method: "GET"
    })
    const request = JSON.parse(body)
    assert.strictEqual(status, 200)
    assert.deepInclude(request, {
      httpVersion: "1.1",
      method: "GET",
      url: "/old/request?a=%20b&c;d"
    })
    assert.notProperty(request.headers, "content-length")
    assert.notProperty(request.headers, "transfer-encoding")
    assert.deepInclude(request.headers, { "x-a": "1, 2", "x-request-id": "r-1" })
    assert.strictEqual(headers.get("content-type"), "application/json")
    assert.strictEqual(headers.get("x-request-id"), "r-1")
    assert.strictEqual(request.remoteAddress, name === "web" ? undefined : "127.0.0.1")
  })

  it("streams bodies in both directions", async () => {
    const whole = "x".repeat(3_000_000)
    const known = await ask("/old/echo", { body: whole, method: "POST" })
    assert.strictEqual(known.status, 201)
    assert.isTrue(known.body === whole)
    assert.isNull(known.headers.get("content-type"))
    assert.deepStrictEqual(seen, ["finish /old/echo", "close /old/echo true"])
  })

  it("replies without a body, and with a head alone", async () => {
    const head = await ask("/old/head", { method: "HEAD" })
    assert.deepStrictEqual(
      [head.status, head.body, head.headers.get("content-length")],
      [200, "", "5"]
    )
    assert.strictEqual((await ask("/old/head")).body, "hello")
    const empty = await ask("/old/empty")
    assert.deepStrictEqual([empty.status, empty.body, empty.headers.get("etag")], [304, "", '"1"'])
    const cookies = await ask("/old/cookies")
    assert.deepStrictEqual(cookies.headers.getSetCookie(), ["a=1; Path=/", "b=2"])
    assert.strictEqual(cookies.headers.get("vary"), "origin, accept")
    assert.strictEqual((await ask("/old/chunked")).body, "ab")
  })

  it("that throws, rejects or leaves is answered with 500, and the log has the cause", async () => {
    for (const [path, cause] of [
      ["/old/throws", "thrown"],
      ["/old/rejects", "rejected"],
      ["/old/destroyed", "closed the connection"]
    ] as const) {
      const { body, status } = await ask(path)
      assert.deepInclude(JSON.parse(body), { code: "INTERNAL_ERROR", correlationId: "r-1" }, path)
      assert.strictEqual(status, 500)
      assert.include(String(server.failures.at(-1)!.cause), cause)
    }
  })

  it("that fails in the reply cuts it", async () => {
    const { cut, status } = await server.send("r-1", "/old/late", {}, () => breakLate())
    assert.deepStrictEqual([status, cut], [200, true])
    await until("The log", () => server.failures.length > 0)
    assert.include(String(server.failures[0]!.cause), "aborted")
  })

  it("knows the id of the request and, in a protected group, the caller", async () => {
    assert.strictEqual((await ask("/old/who")).body, "r-1 -")
    assert.strictEqual((await ask("/safe/who")).status, 401)
    assert.strictEqual(seen.length, 2)
    const headers = { authorization: "Bearer token-of-ada" }
    assert.strictEqual((await ask("/safe/who", { headers })).body, "r-1 ada")
  })
})
