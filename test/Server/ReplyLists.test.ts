/** Cookies and other headers that several writers add to one reply. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { ApiError, App, BodyLimit, Middleware, Plugin, Route, SetCookie } from "flange"
import { assert, describe, it } from "vitest"
import { both, type Place } from "./codecs.ts"
import { before, wrap } from "./codecsApi.ts"

const dated = "own=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/"

const success = Schema.String

class Conflict extends ApiError.make<Conflict>()("Conflict", {
  code: "CONFLICT",
  detail: "It is there already",
  status: 409
}) {}

const Cookied = HttpApiSchema.WithHeaders(success, { "set-cookie": Schema.Array(Schema.String) })

class ListsApi extends HttpApiGroup.make("lists").add(
  HttpApiEndpoint.get("conflict", "/conflict", { error: Conflict, success }),
  HttpApiEndpoint.get("defect", "/defect", { success }),
  HttpApiEndpoint.get("empty", "/empty", { success }),
  HttpApiEndpoint.get("failed", "/failed", { success }),
  HttpApiEndpoint.get("plain", "/plain", { success }),
  HttpApiEndpoint.get("reply", "/reply", { success }),
  HttpApiEndpoint.get("stream", "/stream", { success }),
  HttpApiEndpoint.get("typed", "/typed", { success: Cookied }),
  HttpApiEndpoint.post("write", "/write", {
    payload: Schema.Struct({ text: Schema.String }),
    success
  }).annotate(BodyLimit, 64)
) {}

/** Adds a cookie and values of lists to a reply. */
const own = (response: HttpServerResponse.HttpServerResponse) =>
  HttpServerResponse.setHeaders(HttpServerResponse.setCookieUnsafe(response, "own", "1"), {
    link: "<own>; rel=next",
    vary: "Accept",
    "www-authenticate": "Own"
  })

// A handler may return a response, or fail with one.
const stream = own(HttpServerResponse.stream(Stream.make(new TextEncoder().encode("stream"))))

const Lists = Plugin.make("test:lists", {
  routes: [
    Route.public(ListsApi, (handlers) =>
      handlers.handleAll({
        conflict: () => Effect.fail(new Conflict()),
        defect: () => Effect.die("defect"),
        empty: () => Effect.succeed(own(HttpServerResponse.empty({ status: 404 })) as never),
        failed: () => Effect.fail(own(HttpServerResponse.text("no", { status: 409 })) as never),
        plain: () => Effect.succeed("plain"),
        reply: () => Effect.succeed(own(HttpServerResponse.text("reply")) as never),
        stream: () => Effect.succeed(stream as never),
        typed: () =>
          Effect.succeed(
            HttpApiSchema.withHeaders({ body: "typed", headers: { "set-cookie": ["o=1", dated] } })
          ),
        write: ({ payload }) => Effect.succeed(payload.text)
      })
    ),
    Route.raw(
      "raw",
      HttpRouter.add("GET", "/raw", Effect.succeed(own(HttpServerResponse.text("raw")))),
      { access: "public" }
    )
  ]
})

const appOf = (...middleware: ReadonlyArray<Middleware.Middleware<never, never>>) =>
  App.make("lists", [Lists, Plugin.make("test:middleware", { middleware })])

const constant = (name: string, headers: Readonly<Record<string, string>>) =>
  Middleware.headers(name, { build: Effect.succeed(() => headers) })

const body = JSON.stringify({ text: "a" })
const json = { "content-type": "application/json" }

/** Every way in which a reply comes about: its request, its status and its own cookies. */
const replies: ReadonlyArray<
  readonly [path: string, status: number, cookies: ReadonlyArray<string>, init?: RequestInit]
> = [
  ["/conflict", 409, []],
  ["/defect", 500, []],
  ["/empty", 404, ["own=1"]],
  ["/failed", 409, ["own=1"]],
  ["/nowhere", 404, []],
  ["/plain", 200, []],
  ["/plain", 200, [], { method: "HEAD" }],
  ["/raw", 200, ["own=1"]],
  ["/reply", 200, ["own=1"]],
  ["/stream", 200, ["own=1"]],
  ["/typed", 200, ["o=1", dated]],
  ["/write", 200, [], { body, headers: json, method: "POST" }],
  ["/write", 400, [], { body: "{", headers: json, method: "POST" }],
  ["/write", 413, [], { body: `${body}${" ".repeat(100)}`, headers: json, method: "POST" }],
  ["/write", 415, [], { body, headers: { "content-type": "text/plain" }, method: "POST" }]
]

const places: ReadonlyArray<Place> = ["memory", "node", "proxied"]

const passing = wrap((next) => next)

/** Sets a cookie as a handler of Effect does before the reply is sent. */
const late = wrap((next) =>
  Effect.withFiber((fiber) => {
    HttpEffect.appendPreResponseHandlerUnsafe(fiber.context, (_request, response) =>
      Effect.succeed(HttpServerResponse.setCookieUnsafe(response, "late", "1"))
    )
    return next
  })
)

const around = wrap((next) => Effect.map(next, HttpServerResponse.setCookieUnsafe("around", "1")))

const adds = (change: (request: Middleware.Incoming) => void) =>
  before((request) => {
    change(request)
    return Middleware.pass
  })

const safe = "; Path=/; HttpOnly; Secure; SameSite=Lax"

describe.each(places)("the cookies of one reply, %s", (place) => {
  /** The statuses and cookies of all replies of an app. */
  const all = (app: () => App.Any, wanted = replies) =>
    both(
      app,
      async ({ send }) => {
        const received = []
        for (const [path, , , init] of wanted) {
          const { headers, status } = await send(path, init)
          received.push({ cookies: headers["set-cookie"]?.split("\n"), headers, path, status })
        }
        return received
      },
      place
    )

  it.each([
    ["a function", []],
    ["an effect", [passing]]
  ] as const)("all arrive, whoever sets them, where the route runs as %s", async (_, wraps) => {
    const received = await all(() =>
      appOf(
        constant("one", { "Set-Cookie": "constant=1" }),
        constant("two", { "set-cookie": "constant=2; Priority=High" }),
        adds((request) => request.setHeader("set-cookie", "set=1; Unknown")),
        ...wraps,
        adds((request) => request.setHeader("Set-Cookie", "set=2; Path=/a=b")),
        adds((request) => {
          request.appendHeader("Set-Cookie", "appended=1")
          request.setCookie("made", "1")
        })
      )
    )
    for (const [i, [path, status, own]] of replies.entries()) {
      const { cookies, ...reply } = received[i]!
      assert.strictEqual(reply.status, status, path)
      assert.sameMembers(
        cookies!,
        [
          "appended=1",
          "constant=1",
          "constant=2; Priority=High",
          `made=1${safe}`,
          "set=1; Unknown",
          "set=2; Path=/a=b",
          ...own
        ],
        path
      )
      // A client keeps the last cookie of a name: that of the handler.
      assert.deepStrictEqual(cookies!.slice(cookies!.length - own.length), own, path)
    }
  })

  it("all arrive from middleware around the reply and from handlers before it is sent", async () => {
    const received = await all(() =>
      appOf(
        late,
        around,
        adds((request) => request.setCookie("made", "1", { secure: false }))
      )
    )
    for (const [i, [path, status, own]] of replies.entries()) {
      assert.strictEqual(received[i]!.status, status, path)
      assert.sameMembers(
        received[i]!.cookies!,
        ["around=1", "late=1", "made=1; Path=/; HttpOnly; SameSite=Lax", ...own],
        path
      )
    }
  })

  it("are those of a before that answers, too", async () => {
    const answer = own(HttpServerResponse.empty({ status: 401 }))
    const [reply] = await all(
      () =>
        appOf(
          adds((request) => request.setCookie("outer", "1")),
          before((request) => {
            request.setCookie("session", "", { maxAge: 0 })
            return Effect.succeed(answer)
          })
        ),
      [["/plain", 401, []]]
    )
    assert.strictEqual(reply!.status, 401)
    assert.deepStrictEqual(reply!.cookies, [
      `outer=1${safe}`,
      `session=; Max-Age=0${safe}`,
      "own=1"
    ])
  })

  it("cannot end their line, whoever sets them", async () => {
    for (const sets of [
      adds((request) => request.setHeader("set-cookie", "a=1\r\nx-injected: 1")),
      wrap((next) => Effect.map(next, HttpServerResponse.setHeader("set-cookie", "a=\nx: 1")))
    ]) {
      for (const reply of await all(() => appOf(sets))) {
        assert.strictEqual(reply.status, 500, reply.path)
        assert.notProperty(reply.headers, "x-injected")
        assert.notProperty(reply.headers, "set-cookie")
      }
    }
  })
})

describe.each(places)("a list in a header, %s", (place) => {
  const all = (
    paths: ReadonlyArray<string>,
    ...middleware: ReadonlyArray<Middleware.Middleware<never, never>>
  ) =>
    both(
      () => appOf(...middleware),
      async ({ send }) => {
        const received: Array<readonly [string, Readonly<Record<string, string>>]> = []
        for (const path of paths) received.push([path, (await send(path)).headers])
        return received
      },
      place
    )

  const lists = ["link", "vary", "www-authenticate"] as const

  it.each([
    ["a function", []],
    ["an effect", [passing]]
  ] as const)("has what several have appended, where the route runs as %s", async (_, wraps) => {
    const withOwn = ["/empty", "/raw", "/reply", "/stream"]
    for (const [path, headers] of await all(
      ["/conflict", "/plain", ...withOwn],
      constant("one", { link: "<one>", vary: "One", "www-authenticate": "One" }),
      constant("two", { link: "<two>", vary: "one, Two", "www-authenticate": "Two" }),
      adds((request) => {
        for (const name of lists) request.appendHeader(name, "Three")
      }),
      ...wraps,
      adds((request) => {
        for (const name of lists) request.appendHeader(name.toUpperCase(), "Four")
      })
    )) {
      const [link, vary, challenge] = withOwn.includes(path)
        ? ["<own>; rel=next, ", "Accept, ", "Own, "]
        : ["", "", ""]
      assert.deepInclude(
        headers,
        {
          link: `${link}<one>, <two>, Three, Four`,
          vary: `${vary}One, Two, Three, Four`,
          "www-authenticate": `${challenge}One, Two, Three, Four`
        },
        path
      )
    }
  })

  it("is what a before sets in its place, with what is appended", async () => {
    for (const [path, headers] of await all(
      ["/plain", "/reply", "/stream"],
      constant("one", { link: "<one>", "x-list": "one" }),
      adds((request) => request.appendHeader("x-list", "appended")),
      adds((request) => {
        for (const name of ["link", "x-list"]) request.setHeader(name, "<set>")
      })
    )) {
      assert.deepInclude(headers, { link: "<set>", "x-list": "<set>, appended" }, path)
    }
  })

  it("never changes the id or the framing of the reply", async () => {
    const [[, headers]] = (await all(
      ["/plain"],
      adds((request) => {
        for (const name of ["X-Request-Id", "Content-Length", "Transfer-Encoding"]) {
          request.appendHeader(name, "1")
        }
      })
    )) as [[string, Readonly<Record<string, string>>]]
    assert.deepInclude(headers, { "content-length": "7", "x-request-id": "r-1" })
    assert.notProperty(headers, "transfer-encoding")
  })
})

describe("SetCookie.header", () => {
  it("has safe attributes, and those that are given", () => {
    assert.strictEqual(SetCookie.header("a", "b"), `a=b${safe}`)
    assert.strictEqual(SetCookie.header("a", "é; b\r\nc"), `a=%C3%A9%3B%20b%0D%0Ac${safe}`)
    assert.strictEqual(
      SetCookie.header("__Host-a", "b", { maxAge: "1 hour", sameSite: "strict" }),
      "__Host-a=b; Max-Age=3600; Path=/; HttpOnly; Secure; SameSite=Strict"
    )
    assert.strictEqual(
      SetCookie.header("a", "b", {
        domain: "a.example",
        httpOnly: false,
        path: "/b",
        secure: false
      }),
      "a=b; Domain=a.example; Path=/b; SameSite=Lax"
    )
  })

  it.each([
    ["a b", "c", {}, /the name is not a token/],
    ["", "c", {}, /the name is not a token/],
    ["a\r\nb", "c", {}, /the name is not a token/],
    ["a", "\ud800", {}, /the value has a character/],
    ["a", "é".repeat(700), {}, /4201 bytes/],
    ["a", "b", { domain: "a; Path=/" }, /`domain` has/],
    ["a", "b", { path: "/; Secure" }, /`path` has/],
    ["a", "b", { path: "c" }, /`path` does not start with "\/"/],
    ["a", "b", { maxAge: Infinity }, /`maxAge` is not finite/],
    ["a", "b", { expires: new Date(NaN) }, /`expires` is no date/],
    ["a", "b", { sameSite: "none", secure: false }, /`sameSite: none` only with `secure`/],
    ["a", "b", { partitioned: true, secure: false }, /`partitioned` only with `secure`/],
    ["__Secure-a", "b", { secure: false }, /__Secure- only with `secure`/],
    ["__Host-a", "b", { path: "/c" }, /__Host- only with the path "\/"/],
    ["__host-a", "b", { domain: "a.example" }, /__host- only with the path "\/"/]
  ] as const)(
    "refuses %j with the value %j and %j where it is called",
    (name, value, options, why) => {
      try {
        SetCookie.header(name, value, options as SetCookie.Options)
        assert.fail("it was not refused")
      } catch (error) {
        assert.instanceOf(error, SetCookie.CookieError)
        assert.strictEqual(error.cookie, name)
        assert.match(error.message, why)
        assert.include(error.message, JSON.stringify(name))
      }
    }
  )
})
