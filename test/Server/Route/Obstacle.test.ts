import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import { assert, describe, it } from "vitest"
import { obstacle } from "../../../src/Server/Route/Obstacle.ts"

const stream = HttpApiSchema.StreamUint8Array()

const Item = Schema.Struct({ id: Schema.Int })

const post = (schemas: { payload?: Schema.Top; success?: ReadonlyArray<Schema.Top> }) =>
  obstacle(HttpApiEndpoint.post("a", "/", schemas as never) as unknown as HttpApiEndpoint.Top)

describe("Obstacle", () => {
  it.each([
    ["its payload is multipart", { payload: Item.pipe(HttpApiSchema.asMultipart()) }],
    ["its payload is multipart", { payload: Item.pipe(HttpApiSchema.asMultipartStream()) }],
    ["its payload is a stream", { payload: stream }],
    ["its success is a stream", { success: [Item, stream] }],
    [
      "its success is a stream",
      { success: [HttpApiSchema.WithHeaders(stream, { a: Schema.Int })] }
    ],
    ["it upgrades the connection", { success: [HttpApiSchema.Upgrade({ protocol: "echo" })] }]
  ])("an endpoint has no codec if %s", (reason, schemas) => {
    assert.strictEqual(post(schemas), reason)
  })

  it.each([
    ["nothing", {}],
    ["JSON", { payload: Item, success: [Item] }],
    ["a form", { payload: Item.pipe(HttpApiSchema.asFormUrlEncoded()) }],
    [
      "text and typed headers",
      {
        success: [
          Schema.String.pipe(HttpApiSchema.asText()),
          HttpApiSchema.WithHeaders(Item, { a: Schema.Int })
        ]
      }
    ]
  ])("an endpoint of %s has a codec", (_, schemas) => {
    assert.isUndefined(post(schemas))
  })
})
