/** Multipart forms that are too large or cannot be read, on every listener. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import type * as Multipart from "effect/http/Multipart"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Plugin, Route } from "flange"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { boot, type Counted } from "./counted.ts"
import { arrives, guardProcess, listeners } from "./userCode/server.ts"

guardProcess()

const form = Schema.Struct({ name: Schema.String })

class FormsApi extends HttpApiGroup.make("forms").add(
  HttpApiEndpoint.post("limited", "/limited", {
    payload: form.pipe(
      HttpApiSchema.asMultipart({ maxFieldSize: "10 bytes", maxParts: 2, maxTotalSize: "1 kB" })
    ),
    success: Schema.String
  }),
  HttpApiEndpoint.post("plain", "/plain", {
    payload: form.pipe(HttpApiSchema.asMultipart()),
    success: Schema.String
  }),
  HttpApiEndpoint.post("streamed", "/streamed", {
    payload: form.pipe(HttpApiSchema.asMultipartStream({ maxTotalSize: "20 kB" })),
    success: Schema.Int
  })
) {}

/** The lengths of files that were read to their ends. */
const whole: Array<number> = []

const lengthOf = (part: Multipart.Part) =>
  part._tag === "Field"
    ? Effect.succeed(0)
    : Effect.tap(
        Stream.runFold(
          part.content,
          () => 0,
          (sum, { length }) => sum + length
        ),
        (length) => Effect.sync(() => whole.push(length))
      )

const Forms = Plugin.make("test:forms", {
  routes: [
    Route.public(FormsApi, (handlers) =>
      handlers.handleAll({
        limited: ({ payload }) => Effect.succeed(payload.name),
        plain: ({ payload }) => Effect.succeed(payload.name),
        streamed: ({ payload }) =>
          Effect.orDie(
            Stream.runFold(
              Stream.mapEffect(payload, lengthOf),
              () => 0,
              (sum, length) => sum + length
            )
          )
      })
    )
  ]
})

const type = "multipart/form-data; boundary=b"

const part = (name: string, value: string) =>
  `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`

const end = "--b--\r\n"

const named = part("name", "ada")

for (const name of listeners) {
  describe(`a multipart form on ${name}`, () => {
    let app: Counted
    beforeAll(async () => {
      app = await boot(name, [Forms], { bodyLimit: "10 kB" })
    })
    afterAll(() => arrives("The end of the app", app.stop()))

    const send = async (path: string, body: string, contentType = type) => {
      const headers = { "content-type": contentType }
      const reply = await arrives("The reply", app.ask(path, { body, headers, method: "POST" }))
      const value = (await reply.json()) as number | Readonly<Record<string, any>> | string
      if (typeof value === "number") return [reply.status, undefined]
      return typeof value === "string"
        ? [reply.status, value]
        : [reply.status, value["code"], value["errors"]?.[0]?.detail ?? value["detail"]]
    }

    it("within the limits is read", async () => {
      assert.deepStrictEqual(await send("/plain", named + end), [200, "ada"])
      assert.deepStrictEqual(await send("/limited", named + end), [200, "ada"])
    })

    const tooLarge = "PAYLOAD_TOO_LARGE"
    const broken = "MALFORMED_REQUEST"

    it.each([
      ["/limited", named.repeat(3) + end, 413, tooLarge, "The form has more than 2 parts"],
      [
        "/limited",
        part("name", "a".repeat(11)) + end,
        413,
        tooLarge,
        "A field of the form is longer than 10 bytes"
      ],
      [
        "/plain",
        part("name", "a".repeat(20_000)) + end,
        413,
        tooLarge,
        "The body is longer than 10000 bytes"
      ],
      ["/plain", named, 400, broken, "Not a multipart form: it ends before its last boundary"],
      [
        "/plain",
        `--b\r\nContent Disposition\r\n\r\nada\r\n${end}`,
        400,
        broken,
        "Not a multipart form: a part has headers that cannot be read"
      ]
    ])("sent to %s is refused with the reason: %#", async (path, body, status, code, detail) => {
      assert.deepStrictEqual(await send(path, body), [status, code, detail])
    })

    const file = (length: number) =>
      `--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n${"x".repeat(length)}`

    it("has the length that its contract allows, above that of other bodies", async () => {
      assert.deepStrictEqual(await send("/streamed", `${file(15_000)}\r\n${end}`), [200, undefined])
      const [status] = await send("/streamed", `${file(25_000)}\r\n${end}`)
      assert.strictEqual(status, 413)
    })

    it.each([
      ["ends in a file", file(5000), 400],
      ["ends in the boundary behind a file", `${file(5000)}\r\n--b`, 400],
      ["is too long in a file", file(25_000), 413]
    ])("that %s does not let who reads the file take it for whole", async (_, body, status) => {
      whole.length = 0
      assert.strictEqual((await send("/streamed", body))[0], status)
      assert.deepStrictEqual(whole, [])
    })

    it("without a boundary is refused with the reason", async () => {
      assert.deepStrictEqual(await send("/plain", named + end, "multipart/form-data"), [
        400,
        broken,
        "Not a multipart form: its Content-Type has no boundary"
      ])
    })
  })
}
