import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Schema from "effect/Schema"
import { assert, describe, it } from "vitest"
import { MalformedRequest } from "../../../src/Contract/Catalogue.ts"
import * as Payload from "../../../src/Server/Codec/Payload.ts"
import * as Strict from "../../../src/Server/Codec/Strict.ts"
import * as generated from "./generated.ts"
import { serve } from "./inMemory.ts"

interface Sent {
  readonly body?: string | Uint8Array
  readonly method?: "GET" | "POST"
  readonly payload: ReadonlyArray<Schema.Top>
  readonly query?: string
  readonly type?: string
}

/** What stands for a payload that does not reach the handler. */
const refused = Symbol("refused")

const strict = Strict.of(100)

const endpointOf = ({ method = "POST", payload }: Sent, i: number) =>
  HttpApiEndpoint.make(method)(`case${i}`, `/${i}`, {
    payload: [...payload] as never
    // The declared types need a schema for each service.
  }) as unknown as HttpApiEndpoint.Top

const byEffect = (sent: ReadonlyArray<Sent>) => {
  const found: Array<unknown> = sent.map(() => refused)
  const handle = (i: number, { payload }: { readonly payload: unknown }) =>
    Effect.sync(() => {
      found[i] = payload
    })
  return serve(sent.map(endpointOf), handle as never, async (send) => {
    for (const [i, { body, method = "POST", query = "", type }] of sent.entries()) {
      await send(`/${i}${query}`, {
        // A body of text would come with a content type of its own.
        body: method === "GET" ? null : Buffer.from(body ?? ""),
        headers: type === undefined ? {} : { "content-type": type },
        method
      })
    }
    return found
  })
}

const limits: Payload.Limits = { maxFields: 1000, maxJsonDepth: 100 }

const byCodec = async (sent: ReadonlyArray<Sent>) =>
  Promise.all(
    sent.map(async (all, i) => {
      const { body = "", method = "POST", query = "", type } = all
      const payload = Payload.payloads(endpointOf(all, i), strict).get(
        Payload.mediaType(method, type)
      )
      if (payload === undefined) return refused
      const record = HttpServerRequest.searchParamsFromURL(new URL(`http://localhost/${query}`))
      try {
        const input = payload.read(Buffer.from(body), record, limits)
        const exits = await Promise.all(
          [payload.decoder.first, payload.decoder.all].map((decode) =>
            Effect.runPromiseExit(decode(input))
          )
        )
        const [first, every] = exits.map((exit) => (Exit.isSuccess(exit) ? exit.value : refused))
        assert.deepStrictEqual(first, every)
        return first
      } catch (error) {
        assert.instanceOf(error, MalformedRequest)
        return refused
      }
    })
  )

const compare = async (sent: ReadonlyArray<Sent>) => {
  const [codec, effect] = [await byCodec(sent), await byEffect(sent)]
  codec.forEach((value, i) => assert.deepStrictEqual(value, effect[i], `case ${i}`))
  return codec
}

const Item = Schema.Struct({
  id: Schema.Int,
  tags: Schema.optionalKey(Schema.Array(Schema.String))
})

const form = Item.pipe(HttpApiSchema.asFormUrlEncoded())

const formType = "application/x-www-form-urlencoded"

const text = Schema.String.pipe(HttpApiSchema.asText())

const bytes = Schema.Uint8Array.pipe(HttpApiSchema.asUint8Array())

describe("Payload", () => {
  it("a payload of every encoding is that of Effect's handler", async () => {
    const values = await compare([
      { body: '{"id":1}', payload: [Item] },
      { body: '{"id":1,"tags":["a"]}', payload: [Item], type: "Application/JSON; charset=utf-8" },
      { body: '{"id":"1"}', payload: [Item] },
      { body: '{"id":1', payload: [Item] },
      { body: "", payload: [Item] },
      { body: "", payload: [Item, Schema.Null] },
      { body: "", payload: [Schema.NullOr(Item)] },
      { body: "null", payload: [Schema.NullOr(Item)] },
      { body: "id=1&tags=a&tags=b", payload: [form], type: formType },
      { body: "id=1&tags=a", payload: [form], type: formType },
      { body: "id=1&id=2", payload: [form], type: formType },
      { body: "?id=1", payload: [form], type: formType },
      { body: "\uFEFFid=1", payload: [form], type: formType },
      { body: "", payload: [form], type: formType },
      { body: "plain ä", payload: [text], type: "text/plain" },
      { body: "", payload: [text], type: "text/plain" },
      { body: Uint8Array.of(0, 255), payload: [bytes], type: "application/octet-stream" },
      { body: "{}", payload: [Item], type: "text/plain" },
      { method: "GET", payload: [Item], query: "?id=1&tags=a" },
      { method: "GET", payload: [Item], query: "?id=x" },
      { method: "GET", payload: [Item], query: "?id=1", type: "application/json" },
      { body: '"waits"', payload: [generated.later.schema] }
    ])
    assert.deepStrictEqual(
      values.flatMap((value, i) => (value === refused ? [i] : [])),
      [2, 3, 4, 6, 10, 11, 12, 13, 17, 19]
    )
  })

  it("an endpoint reads the payload of the media type that was sent", async () => {
    const payload = [Item, form, text, bytes, Schema.Struct({ other: Schema.Boolean })]
    const values = await compare([
      { body: '{"id":1}', payload },
      { body: '{"other":true}', payload, type: "application/json" },
      { body: "id=1", payload, type: formType },
      { body: "plain", payload, type: "text/plain" },
      { body: "plain", payload, type: "application/octet-stream" },
      { body: "plain", payload, type: "text/html" }
    ])
    assert.deepStrictEqual(values, [
      { id: 1 },
      { other: true },
      { id: 1 },
      "plain",
      Uint8Array.from(Buffer.from("plain")),
      refused
    ])
  })

  it("bytes of a payload are its own", () => {
    const endpoint = endpointOf({ payload: [bytes] }, 0)
    const { read } = Payload.payloads(endpoint, strict).get("application/octet-stream")!
    const pool = Uint8Array.of(1, 2, 3, 4)
    const value = read(pool.subarray(1, 3), {}, limits) as Uint8Array
    assert.deepStrictEqual([...new Uint8Array(value.buffer)], [2, 3])
  })

  it.each([
    ["json", Item, Buffer.from([0x22, 0xff, 0x22])],
    ["json with a key of the prototype", Item, Buffer.from('{"id":1,"__proto__":{}}')],
    ["json that ends early", Item, Buffer.from('{"id":')],
    ["a form", form, Buffer.from([0xff])],
    ["a form with encoded bytes that are no text", form, Buffer.from("id=1&a=%C3%28")],
    ["a form in Latin-1", form, Buffer.from("a=%E9")],
    ["a form with a name that is no text", form, Buffer.from("id=1&%ff=1")],
    ["a form with a percent sign alone", form, Buffer.from("id=1&a=50%")],
    ["json of more levels than allowed", Item, Buffer.from("[".repeat(101) + "]".repeat(101))],
    ["text", text, Buffer.from([0xff])]
  ])("a body that is no %s is refused as malformed", (_, schema, body) => {
    const [{ read }] = [
      ...Payload.payloads(endpointOf({ payload: [schema] }, 0), strict).values()
    ] as [Payload.PayloadDecoder]
    assert.throws(() => read(body, {}, limits), MalformedRequest)
  })

  it("payloads of generated schemas are those of Effect's handler", async () => {
    const next = generated.random(7)
    const sent = Array.from({ length: 300 }, (): ReadonlyArray<Sent> => {
      const { schema, value } = generated.sample(next, 2)
      const encoded = Schema.encodeUnknownSync(Schema.toCodecJson(schema as Schema.Codec<unknown>))(
        value()
      )
      return [encoded, generated.mutate(next, encoded), generated.mutate(next, encoded)].map(
        (input) => ({
          body: JSON.stringify(input, (_, item) => (typeof item === "bigint" ? "12" : item)) ?? "",
          payload: [schema]
        })
      )
    })
      .flat()
      // The codec refuses this key, which Effect lets through.
      .filter(({ body }) => typeof body !== "string" || !body.includes("__proto__"))
    const values = await compare(sent)
    assert.isAbove(values.filter((value) => value === refused).length, 150)
    assert.isAbove(values.filter((value) => value !== refused).length, 350)
  })

  it("forms of generated schemas are those of Effect's handler", async () => {
    const next = generated.random(23)
    const sent = Array.from({ length: 200 }, (): ReadonlyArray<Sent> => {
      const { pairs, schema } = generated.texts(next)
      return Array.from({ length: 4 }, () => {
        // The codec refuses this name, which Effect lets through.
        const body = String(new URLSearchParams(pairs().filter(([name]) => name !== "__proto__")))
        return next() < 0.5
          ? { body, payload: [schema.pipe(HttpApiSchema.asFormUrlEncoded())], type: formType }
          : { method: "GET", payload: [schema], query: `?${body}` }
      })
    }).flat()
    const values = await compare(sent)
    assert.isAbove(values.filter((value) => value === refused).length, 100)
    assert.isAbove(values.filter((value) => value !== refused).length, 100)
  })
})
