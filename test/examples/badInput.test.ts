/** Whatever comes through the socket, the sample API answers with a problem document and stays up. */
import { layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestApp } from "flange/Testing"
import { expect } from "vitest"
import { app } from "../../examples/sample-api/app.ts"
import { type RawReply, send } from "./rawHttp.ts"

const id = "0198c0de-0000-7000-8000-000000000000"
const item = `/v1/items/${id}`
const json = { "content-type": "application/json" }

const head = (method: string, target: string, headers: Record<string, string> = {}) =>
  [
    `${method} ${target} HTTP/1.1`,
    ...Object.entries({ host: "localhost", ...headers }).map((pair) => pair.join(": ")),
    "\r\n"
  ].join("\r\n")

const body = (
  method: string,
  target: string,
  content: Buffer | string,
  headers: Record<string, string> = json
) => [
  head(method, target, { "content-length": String(Buffer.byteLength(content)), ...headers }),
  content
]

const mebibyte = Buffer.alloc(1024 * 1024, "a")

const chunked = function* (mebibytes: number) {
  yield head("POST", "/v1/items", { ...json, "transfer-encoding": "chunked" })
  for (let i = 0; i < mebibytes; i++) {
    yield `${mebibyte.length.toString(16)}\r\n`
    yield mebibyte
    yield "\r\n"
  }
  yield "0\r\n\r\n"
}

interface Expected {
  readonly allow?: string
  readonly code: string
  readonly errors?: ReadonlyArray<readonly [location: string, pointer: string]>
  readonly status: number
}

const invalid = (...errors: ReadonlyArray<readonly [string, string]>): Expected => ({
  code: "VALIDATION_FAILED",
  errors,
  status: 400
})

const malformed = (location = "body", pointer = ""): Expected => ({
  code: "MALFORMED_REQUEST",
  errors: [[location, pointer]],
  status: 400
})

const tooLarge: Expected = { code: "PAYLOAD_TOO_LARGE", status: 413 }
const notFound: Expected = { code: "ROUTE_NOT_FOUND", status: 404 }
const uriTooLong: Expected = { code: "URI_TOO_LONG", status: 414 }
const unsupported: Expected = { code: "UNSUPPORTED_MEDIA_TYPE", status: 415 }

const cases: ReadonlyArray<readonly [string, Iterable<Buffer | string>, Expected]> = [
  ["malformed JSON", body("POST", "/v1/items", '{"name":'), malformed()],
  ["malformed JSON in PUT", body("PUT", item, "{'name':1}"), malformed()],
  ["malformed JSON in PATCH", body("PATCH", item, "nope"), malformed()],
  ["JSON with a NUL", body("POST", "/v1/items", "\0{}"), malformed()],
  [
    "deep nesting",
    body("POST", "/v1/items", "[".repeat(100_000)),
    malformed("body", "/0".repeat(100))
  ],
  [
    "deep nesting that is JSON",
    body("POST", "/v1/items", `{"name":${"[".repeat(100_000)}${"]".repeat(100_000)}}`),
    malformed("body", `/name${"/0".repeat(99)}`)
  ],
  [
    "deep nesting on a compiled endpoint, with an escape",
    body("PUT", item, `{"name":7,"\\u0061":${"[".repeat(100_000)}${"]".repeat(100_000)}}`),
    malformed("body", `/a${"/0".repeat(99)}`)
  ],
  ["JSON of another type", body("POST", "/v1/items", '"name"'), invalid(["body", ""])],
  ["null", body("POST", "/v1/items", "null"), invalid(["body", ""])],
  ["a list", body("POST", "/v1/items", "[]"), invalid(["body", ""])],
  ["an empty body", body("POST", "/v1/items", ""), invalid(["body", ""])],
  ["no body", [head("POST", "/v1/items")], invalid(["body", ""])],
  ["a missing field", body("POST", "/v1/items", "{}"), invalid(["body", "/name"])],
  ["a missing field in PUT", body("PUT", item, '{"description":"d"}'), invalid(["body", "/name"])],
  [
    "wrong types, all of them",
    body("POST", "/v1/items", '{"name":7,"description":{}}'),
    invalid(["body", "/description"], ["body", "/name"])
  ],
  [
    "null in PUT, where PATCH takes it",
    body("PUT", item, '{"name":"n","description":null}'),
    invalid(["body", "/description"])
  ],
  [
    "a name that is too long",
    body("PATCH", item, JSON.stringify({ name: "n".repeat(201) })),
    invalid(["body", "/name"])
  ],
  [
    "text that no database keeps: a NUL, half of a surrogate pair",
    body("POST", "/v1/items", '{"description":"a\\ud83d","name":"a\\u0000b"}'),
    invalid(["body", "/description"], ["body", "/name"])
  ],
  [
    "a description that is too long",
    body("PATCH", item, JSON.stringify({ description: "d".repeat(10_001) })),
    invalid(["body", "/description"])
  ],
  [
    "invalid UTF-8",
    body("POST", "/v1/items", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])),
    malformed()
  ],
  ["UTF-16", body("POST", "/v1/items", Buffer.from('{"name":"n"}', "utf16le")), malformed()],
  ["an overlong sequence", body("POST", "/v1/items", Buffer.from([0xc0, 0xaf])), malformed()],
  [
    "a __proto__ key",
    body("POST", "/v1/items", '{"name":"n","__proto__":{"admin":true}}'),
    malformed("body", "/__proto__")
  ],
  [
    "a __proto__ key inside",
    body("POST", "/v1/items", '{"name":"n","a/b":[{"__proto__":1}]}'),
    malformed("body", "/a~1b/0/__proto__")
  ],
  [
    "a __proto__ key at the deepest level",
    body("POST", "/v1/items", `{"name":"n","a":${"[".repeat(98)}{"__proto__":1}${"]".repeat(98)}}`),
    malformed("body", `/a${"/0".repeat(98)}/__proto__`)
  ],
  [
    "an escaped __proto__ key",
    body("POST", "/v1/items", '{"name":"n","\\u005f_proto__":1}'),
    malformed("body", "/__proto__")
  ],
  [
    "9 MiB with a Content-Length",
    [
      head("POST", "/v1/items", { ...json, "content-length": String(9 * mebibyte.length) }),
      ...Array.from({ length: 9 }, () => mebibyte)
    ],
    tooLarge
  ],
  [
    "9 MiB announced and not sent",
    [head("POST", "/v1/items", { ...json, "content-length": String(9 * mebibyte.length) })],
    tooLarge
  ],
  ["9 MiB in chunks", chunked(9), tooLarge],
  ["text", body("POST", "/v1/items", "name=n", { "content-type": "text/plain" }), unsupported],
  [
    "a form",
    body("POST", "/v1/items", "name=n", { "content-type": "application/x-www-form-urlencoded" }),
    unsupported
  ],
  [
    "a content type that is none",
    body("POST", "/v1/items", "{}", { "content-type": ";;/" }),
    unsupported
  ],
  ["an unknown path", [head("GET", "/v1/nothing")], notFound],
  ["another case", [head("GET", "/V1/Items")], notFound],
  ["a doubled slash", [head("GET", "//v1/items")], notFound],
  ["dots", [head("GET", "/v1/../../etc/passwd")], notFound],
  ["the path __proto__", [head("GET", "/__proto__")], notFound],
  ["a very long path", [head("GET", `/${"a".repeat(8000)}`)], notFound],
  [
    "a wrong method",
    [head("DELETE", "/v1/items")],
    { allow: "GET, HEAD, OPTIONS, POST", code: "METHOD_NOT_ALLOWED", status: 405 }
  ],
  [
    "a wrong method on an item",
    [head("POST", item)],
    { allow: "DELETE, GET, HEAD, OPTIONS, PATCH, PUT", code: "METHOD_NOT_ALLOWED", status: 405 }
  ],
  [
    "an uncommon method",
    [head("PROPFIND", "/v1/items")],
    { allow: "GET, HEAD, OPTIONS, POST", code: "METHOD_NOT_ALLOWED", status: 405 }
  ],
  ["bad percent-encoding", [head("GET", "/v1/items/%zz")], malformed("path")],
  ["percent-encoding that is no UTF-8", [head("GET", "/v1/items/%ff")], malformed("path")],
  ["a lone percent", [head("GET", "/%")], malformed("path")],
  ["an encoded NUL", [head("GET", "/v1/items/%00")], invalid(["path", "/id"])],
  ["an id that is no UUID", [head("GET", "/v1/items/7")], invalid(["path", "/id"])],
  ["an id of 2000 characters", [head("DELETE", `/v1/items/${"7".repeat(2000)}`)], uriTooLong],
  ["page=0", [head("GET", "/v1/items?page=0")], invalid(["query", "/page"])],
  ["page=-1", [head("GET", "/v1/items?page=-1")], invalid(["query", "/page"])],
  ["page=1.5", [head("GET", "/v1/items?page=1.5")], invalid(["query", "/page"])],
  ["page=abc", [head("GET", "/v1/items?page=abc")], invalid(["query", "/page"])],
  ["an empty page", [head("GET", "/v1/items?page=")], invalid(["query", "/page"])],
  ["page=1e999", [head("GET", "/v1/items?page=1e999")], invalid(["query", "/page"])],
  ["two pages", [head("GET", "/v1/items?page=1&page=2")], invalid(["query", "/page"])],
  ["limit=501", [head("GET", "/v1/items?limit=501")], invalid(["query", "/limit"])],
  [
    "limit=0 and page=0",
    [head("GET", "/v1/items?limit=0&page=0")],
    invalid(["query", "/limit"], ["query", "/page"])
  ],
  [
    "a huge header",
    [head("GET", "/v1/items", { "x-huge": "a".repeat(20_000) })],
    { code: "HEADERS_TOO_LARGE", status: 431 }
  ],
  ["a Host with a space", [head("GET", "/v1/items", { host: "a b" })], malformed("header")],
  ["a Host with a path", [head("GET", "/v1/items", { host: "a/b" })], malformed("header")],
  ["no Host", ["GET /v1/items HTTP/1.1\r\n\r\n"], malformed("header")],
  ["no HTTP at all", ["hello\r\n\r\n"], malformed("header")],
  [
    "a header name with a space",
    ["GET /v1/items HTTP/1.1\r\nhost: a\r\nx y: z\r\n\r\n"],
    malformed("header")
  ],
  [
    "two lengths",
    ["POST /v1/items HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}"],
    malformed("header")
  ],
  [
    "a length and chunks",
    [
      "POST /v1/items HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
    ],
    malformed("header")
  ]
]

const problem = ({ body: text, headers, status }: RawReply) => {
  expect(headers.get("content-type")).toBe("application/problem+json")
  const document = JSON.parse(text)
  expect(document).toMatchObject({
    detail: expect.stringMatching(/./),
    status,
    title: expect.stringMatching(/./),
    type: expect.stringMatching(/^urn:problem:/)
  })
  expect(headers.get("x-request-id")).toMatch(/^[A-Za-z0-9._-]{1,128}$/)
  expect(document.correlationId).toBe(headers.get("x-request-id"))
  return document
}

layer(TestApp.layerListening(app))("bad input", (it) => {
  it.effect.each(cases)("%s", ([, chunks, expected]) =>
    Effect.gen(function* () {
      const api = yield* TestApp.service(app)
      const reply = yield* Effect.promise(() => send(api.url, chunks))
      const { code, errors } = problem(reply)
      expect({ code, status: reply.status }).toEqual({
        code: expected.code,
        status: expected.status
      })
      if (expected.allow !== undefined) expect(reply.headers.get("allow")).toBe(expected.allow)
      if (expected.errors !== undefined) {
        const places = errors.map((each: Record<string, string>) => [
          each["location"],
          each["pointer"]
        ])
        expect(places).toEqual(expected.errors)
        for (const { detail } of errors) expect(detail).not.toBe("")
      }
      ;(yield* api.get("/v1/items")).expectStatus(200)
    })
  )

  it.effect("is no error of the server: nothing is created and nothing is logged as one", () =>
    Effect.gen(function* () {
      const api = yield* TestApp.service(app)
      ;(yield* api.get("/v1/items")).expectJsonMatch({ total: 0 })
      expect("admin" in {}).toBe(false)
      api.expectNoErrors()
    })
  )
})
