/** Addresses in `Location`, whoever writes them, and the names of files. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { App, ContentDisposition, Created, Middleware, Plugin, Route } from "flange"
import { assert, describe, it } from "vitest"
import { both, type Place } from "./codecs.ts"
import { before, wrap } from "./codecsApi.ts"

const success = Schema.String

const query = { to: Schema.String }

class AddressesApi extends HttpApiGroup.make("addresses").add(
  HttpApiEndpoint.get("created", "/created", { query, success: Created(success) }),
  HttpApiEndpoint.get("other", "/other", { success }),
  HttpApiEndpoint.get("redirect", "/redirect", { query, success }),
  HttpApiEndpoint.get("stream", "/stream", { query, success }),
  HttpApiEndpoint.get("typed", "/typed", {
    query,
    success: HttpApiSchema.WithHeaders(success, { location: Schema.String })
  })
) {}

const redirect = (to: string) => HttpServerResponse.redirect(to)

// A handler may return a response.
const Addresses = Plugin.make("test:addresses", {
  routes: [
    Route.public(AddressesApi, (handlers) =>
      handlers.handleAll({
        created: ({ query }) => Effect.succeed(Created.at(query.to, "created")),
        other: () => Effect.succeed("other"),
        redirect: ({ query }) => Effect.succeed(redirect(query.to) as never),
        stream: ({ query }) =>
          Effect.succeed(
            HttpServerResponse.stream(Stream.make(new Uint8Array([120])), {
              headers: { location: query.to },
              status: 303
            }) as never
          ),
        typed: ({ query }) =>
          Effect.succeed(
            HttpApiSchema.withHeaders({ body: "typed", headers: { location: query.to } })
          )
      })
    ),
    Route.raw(
      "raw",
      HttpRouter.add(
        "GET",
        "/raw",
        Effect.map(HttpServerRequest.HttpServerRequest, ({ url }) =>
          redirect(new URLSearchParams(url.split("?")[1]).get("to")!)
        )
      ),
      { access: "public" }
    )
  ]
})

const places: ReadonlyArray<Place> = ["memory", "node", "proxied"]

/** Addresses, and how they are sent. */
const cases = [
  ["/a b", "/a%20b"],
  ["/é€😀", "/%C3%A9%E2%82%AC%F0%9F%98%80"],
  ["/\u017f\u212a", "/%C5%BF%E2%84%AA"],
  ["/a\r\nset-cookie: b=c", "/a%0D%0Aset-cookie:%20b=c"],
  ["/\t/evil.example", "/%09/evil.example"],
  ["/\\evil.example", "/%5Cevil.example"],
  ["/\u0000\u007f\u0085", "/%00%7F%C2%85"],
  ["/\ud800", "/%EF%BF%BD"],
  ["/a%20b%C3%A9", "/a%20b%C3%A9"],
  ["/100%", "/100%25"],
  ["/a?b=c d&e=%2F#f g", "/a?b=c%20d&e=%2F#f%20g"],
  ["https://ada:b@[::1]:8080/[a]", "https://ada:b@[::1]:8080/%5Ba%5D"],
  ["https://[::1]:8080/[a]", "https://[::1]:8080/%5Ba%5D"],
  ["//[2001:db8::7]/a", "//[2001:db8::7]/a"],
  ["", ""]
] as const

describe.each(places)("the address of a reply, %s", (place) => {
  it("is percent-encoded once, whoever writes it", async () => {
    const paths = ["/created", "/raw", "/redirect", "/stream", "/typed"]
    const received = await both(
      () => App.make("addresses", [Addresses]),
      async ({ send }) => {
        const received = []
        for (const path of paths) {
          for (const [to] of cases) {
            const target = `${path}?to=${encodeURIComponent(to.toWellFormed())}`
            const { headers, status } = await send(target, { redirect: "manual" })
            received.push({ location: headers["location"], path, status, to })
          }
        }
        return received
      },
      place
    )
    const statuses = { "/created": 201, "/stream": 303, "/typed": 200 } as Record<string, number>
    assert.deepStrictEqual(
      received,
      paths.flatMap((path) =>
        cases.map(([to, location]) => ({ location, path, status: statuses[path] ?? 302, to }))
      )
    )
  })

  it("is percent-encoded if middleware writes it", async () => {
    for (const middleware of [
      before((request) => {
        request.setHeader("Location", "/é")
        return Middleware.pass
      }),
      before(() => Effect.succeed(redirect("/é"))),
      Middleware.headers("constant", { build: Effect.succeed(() => ({ Location: "/é" })) }),
      wrap((next) => Effect.map(next, HttpServerResponse.setHeader("location", "/é")))
    ]) {
      const { headers } = await both(
        () =>
          App.make("addresses", [Addresses, Plugin.make("test:m", { middleware: [middleware] })]),
        ({ send }) => send("/other", { redirect: "manual" }),
        place
      )
      assert.strictEqual(headers["location"], "/%C3%A9")
    }
  })
})

describe("the value of Content-Disposition", () => {
  it.each([
    ["report.pdf", 'attachment; filename="report.pdf"'],
    ["annual report (1).pdf", 'attachment; filename="annual report (1).pdf"'],
    ["../../etc/passwd", 'attachment; filename="passwd"'],
    ["C:\\Users\\ada\\plan.txt", 'attachment; filename="plan.txt"'],
    ["a\r\nset-cookie: b", 'attachment; filename="a__set-cookie: b"'],
    ['a".exe', `attachment; filename="a_.exe"; filename*=UTF-8''a%22.exe`],
    ["50%41.txt", `attachment; filename="50_41.txt"; filename*=UTF-8''50%2541.txt`],
    ["100%.txt", 'attachment; filename="100%.txt"'],
    [
      "é'(*)€.pdf",
      `attachment; filename="_'(*)_.pdf"; filename*=UTF-8''%C3%A9%27%28%2A%29%E2%82%AC.pdf`
    ],
    ["😀", `attachment; filename="_"; filename*=UTF-8''%F0%9F%98%80`],
    ["\ud800.txt", `attachment; filename="_.txt"; filename*=UTF-8''%EF%BF%BD.txt`],
    ["invoice\u202Efdp.exe", 'attachment; filename="invoicefdp.exe"'],
    [".htaccess", 'attachment; filename=".htaccess"'],
    ["", "attachment"],
    ["..", "attachment"],
    ["a/", "attachment"],
    [" ", "attachment"]
  ])("names %j as %s", (name, value) => {
    assert.strictEqual(ContentDisposition.attachment(name), value)
    assert.strictEqual(ContentDisposition.inline(name), value.replace(/^attachment/, "inline"))
  })

  it.each(places)("is sent as it is made, whatever the name, %s", async (place) => {
    const value = ContentDisposition.attachment('é"\r\n/../\u0000ü.pdf')
    const reply = await both(
      () =>
        App.make("addresses", [
          Addresses,
          Plugin.make("test:m", {
            middleware: [
              before((request) => {
                request.setHeader("content-disposition", value)
                return Middleware.pass
              })
            ]
          })
        ]),
      ({ send }) => send("/other"),
      place
    )
    assert.deepStrictEqual(
      [reply.status, reply.headers["content-disposition"]],
      [200, `attachment; filename="__.pdf"; filename*=UTF-8''_%C3%BC.pdf`]
    )
  })
})
