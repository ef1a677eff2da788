/** The fields of multipart forms, decoded as those of other forms, with both codecs. */
import { readFile } from "node:fs/promises"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Multipart from "effect/http/Multipart"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { App, Plugin, Route } from "flange"
import { assert, describe, it } from "vitest"
import { both, type Place } from "./codecs.ts"

const Fields = Schema.Struct({
  at: Schema.optionalKey(Schema.Date),
  big: Schema.optionalKey(Schema.BigInt),
  counts: Schema.optionalKey(Schema.Array(Schema.Int)),
  either: Schema.optionalKey(Schema.Union([Schema.Int, Schema.String])),
  finite: Schema.optional(Schema.Finite),
  flag: Schema.optionalKey(Schema.Boolean),
  kind: Schema.optionalKey(Schema.Literals(["a", 1])),
  limit: Schema.Int.pipe(
    Schema.check(Schema.isLessThanOrEqualTo(10)),
    Schema.withDecodingDefaultKey(Effect.succeed(5))
  ),
  maybe: Schema.optionalKey(Schema.NullOr(Schema.Int)),
  tags: Schema.optionalKey(Schema.Array(Schema.String)),
  text: Schema.optionalKey(Schema.FiniteFromString)
})

const Deep = Schema.Struct({ a: Schema.Unknown })

const success = Schema.String

class FormsApi extends HttpApiGroup.make("forms").add(
  HttpApiEndpoint.post("fields", "/fields", {
    payload: Fields.pipe(HttpApiSchema.asMultipart()),
    success
  }),
  HttpApiEndpoint.post("files", "/files", {
    payload: Schema.Struct({
      all: Multipart.FilesSchema,
      count: Schema.Int,
      maybe: Schema.optionalKey(Multipart.SingleFileSchema),
      one: Multipart.SingleFileSchema
    }).pipe(HttpApiSchema.asMultipart()),
    success
  }),
  HttpApiEndpoint.post("json", "/json", {
    payload: Schema.Struct({ meta: Schema.fromJsonString(Deep) }).pipe(HttpApiSchema.asMultipart()),
    success
  }),
  HttpApiEndpoint.post("plain", "/plain", {
    payload: Fields.pipe(HttpApiSchema.asFormUrlEncoded()),
    success
  }),
  HttpApiEndpoint.post("stream", "/stream", {
    payload: Schema.Record(Schema.String, Schema.String).pipe(HttpApiSchema.asMultipartStream()),
    success
  }),
  HttpApiEndpoint.post("texts", "/texts", {
    payload: Schema.Record(Schema.String, Schema.String).pipe(HttpApiSchema.asMultipart()),
    success
  })
) {}

const show = (value: unknown) =>
  Effect.succeed(JSON.stringify(value, (_, item) => (typeof item === "bigint" ? `${item}n` : item)))

const read = (file: Multipart.PersistedFile) =>
  Effect.promise(async () => [file.key, file.name, await readFile(file.path, "utf8")])

const app = () =>
  App.make("forms", [
    Plugin.make("test:forms", {
      routes: [
        Route.public(FormsApi, (handlers) =>
          handlers.handleAll({
            fields: ({ payload }) => show(payload),
            files: ({ payload: { all, count, maybe, one } }) =>
              Effect.gen(function* () {
                const files = yield* Effect.forEach([...all, one, ...(maybe ? [maybe] : [])], read)
                return yield* show([count, ...files])
              }),
            json: ({ payload }) => show(payload),
            plain: ({ payload }) => show(payload),
            stream: ({ payload }) =>
              Effect.flatMap(Effect.orDie(Stream.runCollect(payload)), ({ length }) =>
                show(length)
              ),
            texts: ({ payload }) => show(payload)
          })
        )
      ]
    })
  ])

type Pair = readonly [name: string, value: string]

const multipart = (pairs: ReadonlyArray<Pair>): RequestInit => {
  const body = new FormData()
  for (const [name, value] of pairs) body.append(name, value)
  return { body, method: "POST" }
}

const urlEncoded = (pairs: ReadonlyArray<Pair>): RequestInit => {
  const body = new URLSearchParams()
  for (const [name, value] of pairs) body.append(name, value)
  return { body, method: "POST" }
}

/** A form of one part with these headers and bytes. */
const part = (headers: string, value: string | Uint8Array): RequestInit => ({
  body: Buffer.concat([
    Buffer.from(`--b\r\nContent-Disposition: form-data; ${headers}\r\n\r\n`),
    Buffer.from(value as string),
    Buffer.from("\r\n--b--\r\n")
  ]),
  headers: { "content-type": "multipart/form-data; boundary=b" },
  method: "POST"
})

/** A form of parts, each with headers and value. */
const raw = (...parts: ReadonlyArray<string>): RequestInit => ({
  body: Buffer.from([...parts.map((text) => `--b\r\n${text}\r\n`), "--b--\r\n"].join(""), "latin1"),
  headers: { "content-type": "multipart/form-data; boundary=b" },
  method: "POST"
})

const field = 'Content-Disposition: form-data; name="a"\r\n\r\nada'
const file = 'Content-Disposition: form-data; name="a"; filename="a"\r\n\r\nada'
const disposition = 'Content-Disposition: form-data; name="b"'

/** Parts whose headers have no empty line at their end. */
const endless = [
  "",
  "a",
  "ada\r\n",
  disposition,
  `${disposition}\r\nX: y`,
  `${disposition}\r\nX: y\r`,
  `${disposition}\r*\r\nada`,
  `${disposition}\r\r\nada`,
  `${disposition}; filename="b"\r\nada`
]

/** Parts with headers that cannot be read. */
const badHeaders = [
  ...endless,
  // A control character is in a name or a value.
  ...["\0", "\x01", "\n", "\v", "\x1b", "\x7f", "\r", "\r\0", "\r\t"].flatMap((control) => [
    `Content-Disposition: form-data; name="b${control}b"\r\n\r\nada`,
    `Content-Disposition: form-data; name="b"; filename="b${control}b"\r\n\r\nada`,
    `${disposition}${control}\r\n\r\nada`,
    `${disposition}\r\nContent-Type: text/${control}plain\r\n\r\nada`,
    `${disposition}\r\nX: y${control}z\r\n\r\nada`,
    `${disposition}\r\nX${control}Y: z\r\n\r\nada`,
    `X: y${control}z\r\nX: y\r\n${disposition}\r\n\r\nada`
  ])
]

const valid: ReadonlyArray<readonly [pairs: ReadonlyArray<Pair>, value: object]> = [
  [[], { limit: 5 }],
  [[["tags", "a"]], { limit: 5, tags: ["a"] }],
  [
    [
      ["tags", "a"],
      ["tags", "b"]
    ],
    { limit: 5, tags: ["a", "b"] }
  ],
  [[["counts", "1"]], { counts: [1], limit: 5 }],
  [
    [
      ["counts", "1"],
      ["counts", "-2"]
    ],
    { counts: [1, -2], limit: 5 }
  ],
  [[["limit", "7"]], { limit: 7 }],
  [[["finite", "1.5"]], { finite: 1.5, limit: 5 }],
  [[["flag", "true"]], { flag: true, limit: 5 }],
  [[["flag", "false"]], { flag: false, limit: 5 }],
  [[["either", "5"]], { either: 5, limit: 5 }],
  [[["either", "x"]], { either: "x", limit: 5 }],
  [[["kind", "1"]], { kind: 1, limit: 5 }],
  [[["maybe", "null"]], { limit: 5, maybe: null }],
  [[["maybe", "3"]], { limit: 5, maybe: 3 }],
  [[["big", "12345678901234567890"]], { big: "12345678901234567890n", limit: 5 }],
  [[["text", "2"]], { limit: 5, text: 2 }],
  [[["at", "2026-02-03T10:00:00Z"]], { at: "2026-02-03T10:00:00.000Z", limit: 5 }]
]

const invalid: ReadonlyArray<readonly [pairs: ReadonlyArray<Pair>, pointer: string]> = [
  [[["limit", "05"]], "/limit"],
  [[["limit", "11"]], "/limit"],
  [[["limit", ""]], "/limit"],
  [[["flag", "1"]], "/flag"],
  [[["counts", "x"]], "/counts/0"],
  [[["at", "2026-02-30"]], "/at"],
  [
    [
      ["limit", "1"],
      ["limit", "2"]
    ],
    "/limit"
  ]
]

const levels = (count: number) => "[".repeat(count) + "]".repeat(count)

const json = 'name="meta"\r\nContent-Type: application/json'
const plain = 'name="meta"'
const key = 'The key "__proto__" is not allowed'
const latin = Buffer.from([0x22, 0xe9, 0x22])
const pointer = (count: number) => `/meta/a${"/0".repeat(count)}`

const broken: ReadonlyArray<
  readonly [path: string, headers: string, value: string | Uint8Array, issue: object]
> = [
  [
    "/json",
    json,
    `{"a":${levels(100)}}`,
    { detail: "Nested in more than 100 levels", pointer: pointer(99) }
  ],
  [
    "/json",
    plain,
    `{"a":${levels(100)}}`,
    { detail: "Nested in more than 100 levels", pointer: pointer(99) }
  ],
  ["/texts", json, levels(101), { detail: "Nested in more than 100 levels" }],
  ["/json", json, '{"a":{"__proto__":1}}', { detail: key, pointer: "/meta/a/__proto__" }],
  ["/json", plain, '{"a":{"__pr\\u006fto__":1}}', { detail: key, pointer: "/meta/a/__proto__" }],
  ["/texts", json, '{"__proto__":1}', { detail: key, pointer: "/meta/__proto__" }],
  ["/json", json, latin, { detail: "Not valid UTF-8", pointer: "/meta" }],
  ["/json", plain, latin, { detail: "Not valid UTF-8", pointer: "/meta" }],
  ["/texts", plain, latin, { detail: "Not valid UTF-8", pointer: "/meta" }],
  ["/texts", `${plain}\r\nContent-Type: text/plain; charset=utf-8`, latin, { pointer: "/meta" }],
  ["/texts", json, "{", { pointer: "/meta" }],
  ["/json", plain, "{", { pointer: "/meta" }]
]

describe.each<Place>(["memory", "node", "proxied"])("a multipart form on %s", (place) => {
  it("has the values of the same url-encoded form", () =>
    both(
      app,
      async ({ send }) => {
        for (const [pairs, value] of valid) {
          const form = urlEncoded(pairs)
          for (const reply of [
            await send("/fields", multipart(pairs)),
            await send("/plain", form)
          ]) {
            assert.strictEqual(reply.status, 200, reply.body)
            assert.deepStrictEqual(JSON.parse(JSON.parse(reply.body)), value)
          }
        }
      },
      place
    ))

  it("is refused with the issues of the same url-encoded form", () =>
    both(
      app,
      async ({ send }) => {
        for (const [pairs, pointer] of invalid) {
          const form = urlEncoded(pairs)
          const [multi, plain] = [
            JSON.parse((await send("/fields", multipart(pairs))).body),
            JSON.parse((await send("/plain", form)).body)
          ]
          assert.deepStrictEqual(
            [multi.code, multi.errors[0]?.pointer],
            ["VALIDATION_FAILED", pointer]
          )
          assert.deepStrictEqual(multi.errors, plain.errors)
        }
      },
      place
    ))

  it("keeps its files beside fields that are decoded", () =>
    both(
      app,
      async ({ send }) => {
        const body = new FormData()
        body.append("all", new Blob(["a"]), "a.txt")
        body.append("count", "3")
        body.append("all", new Blob(["b"]), "b.txt")
        body.append("one", new Blob([new Uint8Array([0x31])]), "c.bin")
        const reply = await send("/files", { body, method: "POST" })
        assert.deepStrictEqual(JSON.parse(JSON.parse(reply.body)), [
          3,
          ["all", "a.txt", "a"],
          ["all", "b.txt", "b"],
          ["one", "c.bin", "1"]
        ])
        const alone = await send(
          "/files",
          multipart([
            ["all", "text"],
            ["count", "1"],
            ["one", "text"]
          ])
        )
        const { errors } = JSON.parse(alone.body)
        assert.deepStrictEqual(
          errors.map(({ pointer }: { pointer: string }) => pointer),
          ["/all/0", "/one/0"]
        )
      },
      place
    ))

  it("may have JSON in a field", () =>
    both(
      app,
      async ({ send }) => {
        for (const headers of ['name="meta"', 'name="meta"\r\nContent-Type: application/json']) {
          const reply = await send("/json", part(headers, `{"a":${levels(99)}}`))
          assert.strictEqual(reply.status, 200, reply.body)
        }
      },
      place
    ))

  it("obeys the rules of JSON and text bodies in its fields", () =>
    both(
      app,
      async ({ send }) => {
        for (const [path, headers, value, issue] of broken) {
          const { body, status } = await send(path, part(headers, value))
          const { errors } = JSON.parse(body)
          assert.deepStrictEqual([status, errors.length], [400, 1], body)
          assert.deepInclude(errors[0], { location: "body", ...issue })
        }
      },
      place
    ))

  it("has parts whose headers end", () =>
    both(
      app,
      async ({ send }) => {
        const head = "Content-Disposition: form-data; name="
        const parts = {
          empty: `${head}"meta"\r\n\r\n`,
          field: `${head}"meta"\r\n\r\nx\r\n`,
          file: `${head}"file"; filename="a.txt"\r\n\r\nx\r\n`,
          first: "",
          line: `${head}"meta"\r\n`,
          word: "meta\r\n"
        }
        for (const before of [parts.first, parts.field, parts.file]) {
          for (const broken of [parts.empty, parts.line, parts.word]) {
            for (const after of ["", parts.field]) {
              const all = [before, broken, after].filter((one) => one !== "")
              const body = `--b\r\n${all.join("--b\r\n")}--b--\r\n`
              const reply = await send("/texts", { ...part("", ""), body })
              assert.match(
                JSON.parse(reply.body).errors[0].detail,
                /^Not a multipart form: a part has /,
                body
              )
            }
          }
        }
      },
      place
    ))

  it("is refused if a part has headers that cannot be read", () =>
    both(
      app,
      async ({ send }) => {
        for (const path of ["/stream", "/texts"]) {
          assert.strictEqual((await send(path, raw(field))).status, 200)
          const refused = async (...parts: ReadonlyArray<string>) => {
            const { body, status } = await send(path, raw(...parts))
            assert.strictEqual(status, 400, `${JSON.stringify(parts)} ${body}`)
            const { code, errors } = JSON.parse(body)
            assert.strictEqual(code, "MALFORMED_REQUEST")
            assert.match(errors[0].detail, /^Not a multipart form: a part has /)
          }
          await Promise.all(badHeaders.map((bad) => refused(field, bad, field)))
          const others = endless.flatMap((bad) => [[bad], [field, bad], [file, bad]])
          await Promise.all(others.map((parts) => refused(...parts)))
        }
      },
      place
    ))

  it("has names of valid UTF-8", () =>
    both(
      app,
      async ({ send }) => {
        for (const headers of ['name="\xe9"', 'name="\xe9"; filename="a.txt"']) {
          const { body, ...init } = part(headers, "x")
          const bytes = Buffer.from(String(body), "latin1")
          const reply = await send("/texts", { ...init, body: bytes })
          assert.deepInclude(JSON.parse(reply.body).errors[0], {
            detail: "The name of a part is not valid UTF-8",
            location: "body"
          })
        }
        const { status } = await send("/texts", part('name="é"', "x"))
        assert.strictEqual(status, 200)
      },
      place
    ))

  it("may have a field in another charset", () =>
    both(
      app,
      async ({ send }) => {
        const headers = `${plain}\r\nContent-Type: text/plain; charset=iso-8859-1`
        const { body } = await send("/texts", part(headers, latin))
        assert.deepStrictEqual(JSON.parse(JSON.parse(body)), { meta: '"é"' })
      },
      place
    ))
})
