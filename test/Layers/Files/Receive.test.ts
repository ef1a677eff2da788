/** Forms with files: typed parts, their limits, and hostile forms, in memory and on each listener. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { App, Plugin, Route } from "flange"
import * as Files from "flange/Files"
import { Upload, uploadErrors } from "flange/Files/Contract"
import * as OpenApi from "flange/OpenApi"
import { TestApp } from "flange/Testing"

const DocumentForm = Upload.multipart(
  {
    attachments: Upload.files({ maxBytes: 20_000, maxFiles: 2 }),
    data: Upload.optionalFile({ maxBytes: 1000, types: ["application/json"] }),
    picture: Upload.file({ maxBytes: 200_000, types: ["image/png", "text/csv"] }),
    stars: Schema.optionalKey(Schema.Int),
    tags: Schema.optionalKey(Schema.Array(Schema.String)),
    title: Schema.NonEmptyString
  },
  { maxFieldBytes: 200, maxFields: 5 }
)

const Summary = Schema.Struct({
  attachments: Schema.Array(Schema.String),
  data: Schema.optionalKey(Schema.String),
  name: Schema.String,
  size: Schema.Int,
  stars: Schema.optionalKey(Schema.Int),
  tags: Schema.optionalKey(Schema.Array(Schema.String)),
  title: Schema.String,
  type: Schema.String
})

const options = { error: uploadErrors, payload: DocumentForm, success: Summary }

class DocumentsApi extends HttpApiGroup.make("documents").add(
  HttpApiEndpoint.post("add", "/documents", options),
  HttpApiEndpoint.post("crash", "/crash", options),
  HttpApiEndpoint.post("lazy", "/lazy", options)
) {}

const pluginOf = (directory: string, kept: Map<string, string>) => {
  const toKept = Files.toStore({
    remove: (name: string) => Effect.sync(() => kept.delete(name)),
    write: (file) =>
      Effect.map(Stream.mkString(Stream.decodeText(file.stream)), (text) => {
        kept.set(file.name, text)
        return file.name
      })
  })
  const read = (payload: Parameters<typeof Files.receive>[1]) =>
    Effect.gen(function* () {
      const { attachments, data, picture, ...fields } = yield* Files.receive(
        DocumentForm,
        payload,
        { attachments: Files.toMemory, data: toKept, picture: Files.toDisk({ directory }) }
      )
      const content = yield* Effect.promise(() => readFile(picture.path))
      if (content.length !== picture.size || picture.path.includes(picture.name)) {
        return yield* Effect.die("the file on disk is another one")
      }
      return {
        ...fields,
        attachments: attachments.map(
          ({ bytes, contentType, name }) => `${name} ${contentType} ${bytes.length}`
        ),
        ...(data === undefined ? {} : { data }),
        name: picture.name,
        size: picture.size,
        type: picture.contentType
      }
    })
  return Plugin.make("app:documents", {
    routes: [
      Route.public(DocumentsApi, (handlers) =>
        handlers.handleAll({
          add: ({ payload }) => read(payload),
          crash: ({ payload }) => Effect.andThen(read(payload), Effect.die("crash")),
          // It reads nothing of what it gets.
          lazy: ({ payload }) =>
            Effect.map(
              Files.receive(DocumentForm, payload, {
                attachments: () => Effect.succeed("a"),
                data: () => Effect.void,
                picture: ({ contentType, name }) => Effect.succeed({ contentType, name })
              }),
              ({ attachments, picture, title }) => ({
                attachments,
                name: picture.name,
                size: 0,
                title,
                type: picture.contentType
              })
            )
        })
      )
    ]
  })
}

const appOf = (directory: string, kept: Map<string, string>) =>
  App.make("documents", [pluginOf(directory, kept)])

type Booted = ReturnType<typeof appOf>

const server = { bodyTimeout: "300 millis", headersTimeout: "1 second", requestTimeout: "1 second" }

const listener = (name: string) => (app: Booted) =>
  TestApp.listening(app, {
    config: { server: { ...(name === "proxied" ? server : {}), listener: name } }
  })

const places = [
  ["in memory", (app: Booted) => TestApp.make(app)],
  ["on the node listener", listener("node")],
  ["on the proxied listener", listener("proxied")]
] as const

const png = Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), Buffer.alloc(100_000, "x")])

const headers = { "content-type": "multipart/form-data; boundary=b" }

const part = (disposition: string, content: string | Uint8Array = "", more = "") =>
  Buffer.concat([
    Buffer.from(`--b\r\nContent-Disposition: form-data; ${disposition}\r\n${more}\r\n`),
    Buffer.from(content as string),
    Buffer.from("\r\n")
  ])

const end = Buffer.from("--b--\r\n")

const form = (...parts: ReadonlyArray<string | Uint8Array>) =>
  Buffer.concat(parts.map((part) => Buffer.from(part as string)))

const title = part('name="title"', "May")
const picture = part('name="picture"; filename="p.png"', png, "Content-Type: text/html\r\n")
const attachment = (content: string | Uint8Array = "hello") =>
  part('name="attachments"; filename="a.txt"', content)

interface Rig {
  readonly directory: string
  readonly kept: Map<string, string>
  readonly test: Effect.Effect<Effect.Success<ReturnType<(typeof places)[number][1]>>, unknown>
}

for (const [place, boot] of places) {
  const receiving = (
    rule: string,
    run: (
      test: Effect.Success<ReturnType<typeof boot>>,
      rig: Omit<Rig, "test">
    ) => Effect.Effect<unknown, unknown>
  ) =>
    it.live(rule, () =>
      Effect.scoped(
        Effect.gen(function* () {
          const directory = yield* Effect.acquireRelease(
            Effect.promise(() => mkdtemp(join(tmpdir(), "flange-receive-"))),
            (folder) => Effect.promise(() => rm(folder, { force: true, recursive: true }))
          )
          const kept = new Map<string, string>()
          const test = yield* boot(appOf(directory, kept))
          yield* run(test, { directory, kept })
          yield* Effect.promise(() =>
            expect.poll(() => readdir(directory), { timeout: 60_000 }).toEqual([])
          )
        })
      )
    )

  describe(`a form with files ${place}`, () => {
    receiving("is sent by the client of its contract, and comes as typed parts", (test) =>
      Effect.gen(function* () {
        const payload = Upload.formData(DocumentForm, {
          attachments: [new File(["hello"], "../../etc/a.txt"), new Blob(["<html><body>"])],
          data: new File(['{"a":1}'], "data.json", { type: "application/json" }),
          picture: new File([png], "\u202E..\\p.png", { type: "text/html" }),
          stars: 5,
          tags: ["x", "y"],
          title: "May"
        })
        expect(yield* test.client.documents.add({ payload })).toEqual({
          attachments: [
            "a.txt application/octet-stream 5",
            // Bun sends a Blob without a name.
            `${process.versions["bun"] === undefined ? "blob" : "file"} text/html 12`
          ],
          data: "data.json",
          name: "p.png",
          size: png.length,
          stars: 5,
          tags: ["x", "y"],
          title: "May",
          type: "image/png"
        })
        const lazy = yield* test.request("POST", "/lazy", {
          body: form(title, picture, attachment(), attachment(), end),
          headers
        })
        expect(lazy.expectStatus(200).json).toEqual({
          attachments: ["a", "a"],
          name: "p.png",
          size: 0,
          title: "May",
          type: "image/png"
        })
      })
    )

    receiving("fails with the errors of its contract", (test) =>
      Effect.gen(function* () {
        // As bytes: undici throws in the void if the body of a FormData is refused before its end.
        const send = (picture: Blob, attachments: ReadonlyArray<Blob> = []) =>
          Effect.gen(function* () {
            const body = new Response(
              Upload.formData(DocumentForm, { attachments, picture, title: "May" })
            )
            const type = { "content-type": body.headers.get("content-type")! }
            const bytes = new Uint8Array(yield* Effect.promise(() => body.arrayBuffer()))
            return yield* test.request("POST", "/documents", { body: bytes, headers: type })
          })
        const large = yield* send(new Blob([png, png]))
        large.expectProblem("UPLOAD_TOO_LARGE", 413)
        large.expectJsonMatch({ limit: 200_000, pointer: "/picture" })
        const list = yield* send(new Blob([png]), [
          new Blob(["a"]),
          new Blob([Buffer.alloc(20_001)])
        ])
        list.expectProblem("UPLOAD_TOO_LARGE", 413)
        list.expectJsonMatch({ limit: 20_000, pointer: "/attachments/1" })
        const page = yield* send(new Blob(["<html>"], { type: "image/png" }))
        page.expectProblem("UPLOAD_TYPE_REFUSED", 415)
        page.expectJsonMatch({
          accepted: ["image/png", "text/csv"],
          found: "text/html",
          pointer: "/picture"
        })
        const text = yield* send(new Blob(["plain text"], { type: "image/png" }))
        text.expectProblem("UPLOAD_TYPE_REFUSED", 415)
        expect(
          yield* test.client.documents.add({
            payload: Upload.formData(DocumentForm, {
              attachments: [],
              picture: new Blob(["a,b"], { type: "text/csv" }),
              title: "May"
            })
          })
        ).toMatchObject({ type: "text/csv" })
      })
    )

    const refusals: ReadonlyArray<
      readonly [
        rule: string,
        body: Uint8Array<ArrayBuffer>,
        status: number,
        pointer: string | undefined,
        type?: string
      ]
    > = [
      ["without a file", form(title, end), 400, "/picture"],
      ["without anything", form(end), 400, "/picture"],
      ["without bytes", form(), 400, ""],
      ["without a boundary", form(title, picture, end), 400, "", "multipart/form-data"],
      ["of another type", form(title), 415, undefined, "text/plain"],
      ["with another boundary", form(title, end), 400, "", "multipart/form-data; boundary=c"],
      ["that ends in a file", form(title, picture.subarray(0, 5000)), 400, ""],
      ["that ends behind a file", form(title, picture), 400, ""],
      ["with a field that is wrong", form(part('name="title"'), picture, end), 400, "/title"],
      [
        "with a wrong field behind its file",
        form(picture, part('name="title"'), end),
        400,
        "/title"
      ],
      ["with a field twice", form(title, title, picture, end), 400, "/title"],
      ["with a file twice", form(title, picture, picture, end), 400, "/picture"],
      [
        "with too many files",
        form(title, picture, attachment(), attachment(), attachment(), end),
        400,
        "/attachments"
      ],
      [
        "with a file that it does not have",
        form(title, part('name="x~/y"; filename="x"', "x"), picture, end),
        400,
        "/x~0~1y"
      ],
      [
        "with a file in the place of a field",
        form(part('name="title"; filename="x"', "x"), picture, end),
        400,
        "/title"
      ],
      [
        "with a text in the place of a file",
        form(title, part('name="picture"', "x"), end),
        400,
        "/picture"
      ],
      [
        "with an empty file",
        form(title, part('name="picture"; filename=""'), end),
        400,
        "/picture"
      ],
      ["with a part without a name", form(title, part("x=y"), picture, end), 400, ""],
      ["with a name that is no text", form(part(`name="\uFFFD"`), picture, end), 400, ""],
      [
        "with the name of a prototype",
        form(part('name="__proto__"', "x"), picture, end),
        400,
        "/__proto__"
      ],
      [
        "with a long field",
        form(part('name="title"', "x".repeat(201)), picture, end),
        413,
        undefined
      ],
      ["with many fields", form(...Array(2000).fill(part('name="a"', "x")), end), 413, undefined],
      [
        "with an endless header",
        form(title, part('name="a"', "", `X: ${"x".repeat(50_000)}\r\n`), end),
        400,
        ""
      ],
      [
        "with endless headers",
        form(title, part('name="a"', "", "X: y\r\n".repeat(5000)), end),
        400,
        ""
      ],
      ["with a flood before it", form("x".repeat(500_000), title, picture, end), 413, undefined],
      ["with parts behind its end", form(title, picture, end, "\r\n", attachment(), end), 400, ""]
    ]

    for (const [rule, body, status, pointer, type] of refusals) {
      receiving(`${rule} is refused`, (test, { kept }) =>
        Effect.gen(function* () {
          const reply = yield* test.request("POST", "/documents", {
            body,
            headers: type === undefined ? headers : { "content-type": type }
          })
          const json = reply.json as Record<string, any>
          expect([reply.status, json["status"], reply.headers.get("content-type")]).toEqual([
            status,
            status,
            "application/problem+json"
          ])
          if (pointer !== undefined) expect(json["errors"][0].pointer).toBe(pointer)
          expect(kept.size).toBe(0)
        })
      )
    }

    receiving("with what a parser must not trip over is taken", (test) =>
      Effect.gen(function* () {
        for (const body of [
          form("preamble\r\n", title, picture, end),
          form(title, picture, "--b--"),
          form(title, picture, end, "x".repeat(10_000)),
          form(title, part('name="other"', "ignored"), picture, end),
          form(title, part('name="data"; filename=""'), picture, end),
          form(title, part(`name="picture"; filename="${"x".repeat(3000)}.png"`, png), end),
          form(title, part(`name="picture"; filename*=UTF-8''%2e%2e%2fp.png`, png), end)
        ]) {
          const reply = yield* test.request("POST", "/documents", { body, headers })
          expect([reply.status, (reply.json as Record<string, unknown>)["size"]]).toEqual([
            200,
            png.length
          ])
        }
      })
    )

    receiving("leaves nothing if a later part is refused, or its handler dies", (test, { kept }) =>
      Effect.gen(function* () {
        const data = part(
          'name="data"; filename="d.json"',
          "{}",
          "Content-Type: application/json\r\n"
        )
        const refused = yield* test.request("POST", "/documents", {
          body: form(title, data, attachment(new Uint8Array(30_000)), end),
          headers
        })
        refused.expectProblem("UPLOAD_TOO_LARGE", 413)
        const crashed = yield* test.request("POST", "/crash", {
          body: form(title, data, picture, end),
          headers
        })
        crashed.expectProblem("INTERNAL_ERROR", 500)
        yield* Effect.promise(() =>
          expect.poll(() => [...kept.keys()], { timeout: 60_000 }).toEqual([])
        )
        const taken = yield* test.request("POST", "/documents", {
          body: form(title, data, picture, end),
          headers
        })
        taken.expectStatus(200)
        expect([...kept]).toEqual([["d.json", "{}"]])
      })
    )

    if (place === "in memory") return

    const sending = (url: string, length: number, ...pieces: ReadonlyArray<Uint8Array>) => {
      const socket = connect(Number(new URL(url).port), "127.0.0.1")
      socket.on("error", () => {})
      socket.write(
        `POST /documents HTTP/1.1\r\nHost: a\r\nContent-Type: ${headers["content-type"]}\r\nContent-Length: ${length}\r\n\r\n`
      )
      for (const piece of pieces) socket.write(piece)
      return socket
    }

    receiving("whose client leaves in the middle leaves nothing", (test, { directory }) =>
      Effect.promise(async () => {
        const socket = sending(test.url, 200_000, title, picture.subarray(0, 50_000))
        await expect.poll(() => readdir(directory), { timeout: 60_000 }).toHaveLength(1)
        socket.destroy()
      })
    )

    if (place === "on the proxied listener") {
      receiving("that comes too slowly is ended", (test, { directory }) =>
        Effect.promise(async () => {
          const socket = sending(test.url, 200_000, title, picture.subarray(0, 50_000))
          let text = ""
          socket.on("data", (piece) => (text += piece))
          await expect.poll(() => readdir(directory), { timeout: 60_000 }).toHaveLength(1)
          await new Promise((resolve) => socket.on("close", resolve))
          expect(text.slice(0, 12)).toBe("HTTP/1.1 408")
        })
      )
    }
  })
}

describe("the schema of a form", () => {
  it("is refused if a file has no limit", () => {
    expect(() => Upload.file({ maxBytes: 0 })).toThrow(/Write a whole number above 0/)
  })

  it.effect("is described with its files", () =>
    Effect.gen(function* () {
      const app = App.make("described", [OpenApi.plugin, pluginOf("/tmp", new Map())])
      const test = yield* TestApp.make(app)
      const { paths } = (yield* test.get("/openapi.json")).json as Record<string, any>
      const { schema } = paths["/documents"].post.requestBody.content["multipart/form-data"]
      expect(schema).toMatchObject({
        properties: {
          attachments: { items: { format: "binary", type: "string" }, type: "array" },
          picture: {
            description: "A file of at most 200000 bytes. Of a type of: image/png, text/csv.",
            format: "binary",
            type: "string"
          },
          stars: { type: "integer" },
          title: { minLength: 1, type: "string" }
        },
        required: ["attachments", "picture", "title"]
      })
    }).pipe(Effect.scoped)
  )
})
