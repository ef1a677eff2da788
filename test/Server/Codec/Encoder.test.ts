import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import { assert, describe, it } from "vitest"
import * as Encoder from "../../../src/Server/Codec/Encoder.ts"
import * as generated from "./generated.ts"
import { serve } from "./inMemory.ts"

interface Sent {
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
  readonly status: number
}

/** An endpoint by its schemas, and what its handler returns or fails with. */
interface Case {
  readonly error?: ReadonlyArray<Schema.Top>
  readonly fails?: boolean
  readonly success?: ReadonlyArray<Schema.Top>
  readonly value: unknown
}

const failed: Sent = { body: "", headers: {}, status: 500 }

const toHex = (body: string | Uint8Array) => Buffer.from(body).toString("hex")

const endpointOf = ({ error = [], success = [] }: Case, i: number) =>
  HttpApiEndpoint.get(`case${i}`, `/${i}`, {
    error: [...error],
    success: [...success]
    // The declared types need a schema for each service.
  }) as unknown as HttpApiEndpoint.Top

/** What Effect's own handlers answer to the cases. */
const byEffect = (cases: ReadonlyArray<Case>): Promise<ReadonlyArray<Sent>> => {
  return serve(
    cases.map(endpointOf),
    (i) => (cases[i]!.fails ? Effect.fail(cases[i]!.value) : Effect.succeed(cases[i]!.value)),
    (send) =>
      Promise.all(
        cases.map(async (_, i): Promise<Sent> => {
          const response = await send(`/${i}`)
          const body = toHex(new Uint8Array(await response.arrayBuffer()))
          if (response.status === 500 && body === "") return failed
          const headers = Object.fromEntries(response.headers)
          delete headers["content-length"]
          return { body, headers, status: response.status }
        })
      )
  )
}

const byCodec = (cases: ReadonlyArray<Case>): Promise<ReadonlyArray<Sent>> =>
  Promise.all(
    cases.map((all, i) => {
      const endpoint = endpointOf(all, i)
      const encode = all.fails ? Encoder.failure(endpoint) : Encoder.success(endpoint)
      return Effect.runPromise(
        Effect.suspend(() => encode(all.value)).pipe(
          Effect.map(({ body, contentType, headers, status }): Sent => {
            const type = contentType === undefined ? {} : { "content-type": contentType }
            const own = Array.from({ length: headers.length / 2 }, (_, i) => [
              headers[2 * i]!,
              headers[2 * i + 1]!
            ])
            return {
              body: toHex(body),
              headers: { ...type, ...Object.fromEntries(own) },
              status
            }
          }),
          Effect.catchCause(() => Effect.succeed(failed))
        )
      )
    })
  )

const compare = async (cases: ReadonlyArray<Case>) => {
  const [codec, effect] = [await byCodec(cases), await byEffect(cases)]
  codec.forEach((sent, i) => assert.deepStrictEqual(sent, effect[i], `case ${i}`))
  return codec
}

class Conflict extends Schema.TaggedError<Conflict>()(
  "Conflict",
  { at: Schema.DateTimeUtcFromString.pipe(Schema.optionalKey), why: Schema.String },
  { httpApiStatus: 409 }
) {}

class Gone extends Schema.TaggedError<Gone>()("Gone", {}, { httpApiStatus: 410 }) {}

class Limited extends Schema.TaggedClass<Limited>()("Limited", { after: Schema.Int }) {}

const limited = Limited.pipe(
  HttpApiSchema.encodeToWithHeaders(
    {
      body: Schema.Struct({ detail: Schema.String }).pipe(HttpApiSchema.status(429)),
      headers: { "Retry-After": Schema.Int }
    },
    {
      decode: ({ headers }) => new Limited({ after: headers["Retry-After"] }),
      encode: ({ after }) => ({
        body: { detail: "later" },
        headers: { "Retry-After": after }
      })
    }
  )
)

const Item = Schema.Struct({ id: Schema.Int, name: Schema.String })

const item = { id: 1, name: "ä" }

const tagged = HttpApiSchema.WithHeaders(Item.pipe(HttpApiSchema.status(201)), {
  "Content-Type": Schema.optionalKey(Schema.String),
  ETag: Schema.String,
  "x-list": Schema.optionalKey(Schema.Array(Schema.Int))
})

const withHeaders = (body: unknown, headers: unknown) =>
  HttpApiSchema.withHeaders({ body, headers })

describe("Encoder", () => {
  it("a reply of every encoding is that of Effect's handler", async () => {
    const statuses = await compare([
      { value: undefined },
      { success: [HttpApiSchema.NoContent], value: undefined },
      { success: [HttpApiSchema.Created], value: undefined },
      { success: [Item], value: item },
      { success: [Item], value: { id: "x" } },
      {
        success: [Item.pipe(HttpApiSchema.asJson({ contentType: "application/x+json" }))],
        value: item
      },
      { success: [Item.pipe(HttpApiSchema.asFormUrlEncoded())], value: item },
      { success: [Schema.String.pipe(HttpApiSchema.asText())], value: "plain ä" },
      { success: [Schema.String.pipe(HttpApiSchema.asText())], value: 1 },
      { success: [Schema.FiniteFromString.pipe(HttpApiSchema.asText())], value: 1.5 },
      {
        success: [Schema.Uint8Array.pipe(HttpApiSchema.asUint8Array())],
        value: Uint8Array.of(1, 255)
      },
      { success: [Schema.Uint8Array], value: Uint8Array.of(1, 255) },
      { success: [Schema.Any], value: () => 1 },
      { success: [Schema.Any], value: { toJSON: () => undefined } },
      { success: [Schema.UndefinedOr(Schema.Int)], value: undefined },
      { success: [Item.pipe(HttpApiSchema.asNoContent({ decode: () => item }))], value: item },
      { success: [generated.later.schema], value: "waits" }
    ])
    assert.deepStrictEqual(
      statuses.map(({ status }) => status),
      [204, 204, 201, 200, 500, 200, 200, 200, 500, 200, 200, 200, 200, 200, 200, 200, 200]
    )
  })

  it("a value takes the first schema of several that has it", async () => {
    const success = [
      Item,
      Schema.Struct({ code: Schema.Int }).pipe(HttpApiSchema.status(202)),
      Schema.String.pipe(HttpApiSchema.asText()),
      Schema.Uint8Array.pipe(HttpApiSchema.asUint8Array(), HttpApiSchema.status(203)),
      generated.later.schema.pipe(HttpApiSchema.status(206)),
      HttpApiSchema.NoContent
    ]
    const values = [item, { code: 1 }, "text", Uint8Array.of(7), undefined, null, { id: 1 }]
    const sent = await compare(values.map((value) => ({ success, value })))
    assert.deepStrictEqual(
      sent.map(({ status }) => status),
      [200, 202, 200, 203, 204, 204, 204]
    )
  })

  it("headers of a reply are those of its schema", async () => {
    const success = [tagged, Schema.Struct({ code: Schema.Int })]
    const sent = await compare([
      { success, value: withHeaders(item, { ETag: "v1" }) },
      { success, value: withHeaders(item, { "Content-Type": "x/y", ETag: "v1" }) },
      { success, value: withHeaders(item, { ETag: "v1", "x-list": [1, 2] }) },
      { success, value: withHeaders(item, { ETag: 7 }) },
      { success, value: withHeaders(item, undefined) },
      { success, value: withHeaders({ code: 1 }, { ETag: "v1" }) },
      { success, value: item },
      { success, value: { code: 1 } },
      { success: [limited], value: new Limited({ after: 3 }) },
      { success: [limited, Item], value: item },
      { success: [limited], value: { after: 3 } }
    ])
    assert.deepStrictEqual(sent[1]!.headers, { "content-type": "x/y", etag: "v1" })
    assert.deepStrictEqual(
      sent.map(({ status }) => status),
      [201, 201, 201, 500, 201, 500, 201, 200, 429, 200, 500]
    )
  })

  it("a failure takes the schema that has it, with its headers", async () => {
    const carrying = HttpApiSchema.WithHeaders(
      Schema.Struct({ busy: Schema.Boolean }).pipe(HttpApiSchema.status(503)),
      { "Retry-After": Schema.Int }
    )
    const error = [Conflict, Gone, limited, carrying, Schema.Literal("plain")]
    const sent = await compare(
      [
        new Conflict({ why: "twice" }),
        new Gone(),
        new Limited({ after: 3 }),
        withHeaders({ busy: true }, { "Retry-After": 9 }),
        withHeaders({ busy: true }, { "Retry-After": "x" }),
        "plain",
        "unknown"
      ].map((value) => ({ error, fails: true, value }))
    )
    assert.deepStrictEqual(
      sent.map(({ status }) => status),
      [409, 410, 429, 503, 500, 500, 500]
    )
    assert.deepStrictEqual(sent[2]!.headers, {
      "content-type": "application/json",
      "retry-after": "3"
    })
  })

  it("an endpoint that declares no failure encodes none", async () => {
    await compare([{ fails: true, value: "unknown" }])
  })

  it("what throws in a value's own code is not swallowed", () => {
    const { get } = { get: () => assert.fail("own code") }
    const endpoint = endpointOf({ success: [Item], value: undefined }, 0)
    const encode = Encoder.success(endpoint)
    const exit = Effect.runSyncExit(
      Effect.suspend(() => encode(Object.defineProperty({ id: 1 }, "name", { get })))
    )
    assert.isTrue(exit._tag === "Failure" && exit.cause.reasons[0]?._tag === "Die")
  })

  it("replies of generated schemas are those of Effect's handler", async () => {
    const next = generated.random(11)
    const cases = Array.from({ length: 300 }, (): ReadonlyArray<Case> => {
      const { schema, value } = generated.sample(next, 2)
      const form = next()
      const success =
        form < 0.2
          ? [HttpApiSchema.WithHeaders(schema, { "x-a": Schema.Int })]
          : form < 0.4
            ? [Item, schema.pipe(HttpApiSchema.status(202))]
            : [schema]
      const wrap = (body: unknown) => (form < 0.2 ? withHeaders(body, { "x-a": 5 }) : body)
      return [
        { success, value: wrap(value()) },
        { success, value: wrap(value()) },
        { success, value: wrap(generated.mutate(next, value())) }
      ]
    }).flat()
    const sent = await compare(cases)
    assert.isAbove(sent.filter((reply) => reply.status !== 500).length, 500)
    assert.isAbove(sent.filter((reply) => reply.status === 500).length, 50)
  })
})
