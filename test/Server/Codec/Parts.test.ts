import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Schema from "effect/Schema"
import { assert, describe, it } from "vitest"
import * as Parts from "../../../src/Server/Codec/Parts.ts"
import * as Strict from "../../../src/Server/Codec/Strict.ts"
import * as Issues from "../../../src/Server/Exchange/Issues.ts"
import * as generated from "./generated.ts"
import { serve } from "./inMemory.ts"

const refused = Symbol("refused")

const strict = Strict.of(100)

const decoderOf = (endpoint: HttpApiEndpoint.Top, kind: Parts.Decoder["kind"]) =>
  Parts.decoders(endpoint, strict).find((decoder) => decoder.kind === kind)!

describe("Parts", () => {
  it("parts of generated schemas are those of Effect's handler", async () => {
    const next = generated.random(3)
    const cases = Array.from({ length: 200 }, (_, i) => {
      const [headers, query] = [generated.texts(next), generated.texts(next)]
      const params = { id: [Schema.String, Schema.Int, Schema.Literals(["a", "1"])][i % 3]! }
      const endpoint = HttpApiEndpoint.get(`case${i}`, `/${i}/:id`, {
        headers: headers.schema,
        params,
        query: query.schema
        // The declared types need a schema for each service.
      } as never) as unknown as HttpApiEndpoint.Top
      return { endpoint, headers, query }
    })
    const found: Array<unknown> = cases.map(() => refused)
    const handle = (i: number, { headers, params, query }: Record<string, unknown>) =>
      Effect.sync(() => {
        found[i] = { headers, params, query }
      })
    let accepted = 0
    const endpoints = cases.map(({ endpoint }) => endpoint)
    await serve(endpoints, handle as never, async (send) => {
      for (let i = 0; i < 1500; i++) {
        const at = i % cases.length
        const { endpoint, ...texts } = cases[at]!
        const id = ["1", "1", "a"][i % 3]!
        const path = `/${at}/${id}?${new URLSearchParams([...texts.query.pairs()])}`
        const headers = new Headers(
          // A header's value is of Latin letters.
          texts.headers.pairs().filter(([, text]) => /^[ -~]*$/.test(text))
        )
        found[at] = refused
        await send(path, { headers })
        const inputs = {
          headers: Object.fromEntries(headers),
          params: { id },
          payload: undefined,
          query: HttpServerRequest.searchParamsFromURL(new URL(`http://localhost${path}`))
        }
        const exits = await Promise.all(
          Parts.decoders(endpoint, strict).map(async ({ all, first, part }) => {
            const exit = await Effect.runPromiseExit(first(inputs[part]))
            const every = await Effect.runPromiseExit(all(inputs[part]))
            assert.strictEqual(every._tag, exit._tag)
            return [part, exit] as const
          })
        )
        const value = exits.every(([, exit]) => Exit.isSuccess(exit))
          ? Object.fromEntries(
              exits.map(([part, exit]) => [part, Exit.isSuccess(exit) && exit.value])
            )
          : refused
        assert.deepStrictEqual(value, found[at], `case ${at}: ${path}`)
        if (value !== refused) accepted++
      }
    })
    assert.isAbove(accepted, 500)
  })

  it("decoders stand in the order path, headers, query", () => {
    const fields = { id: Schema.Int }
    const endpoint = HttpApiEndpoint.get("a", "/:id", {
      headers: fields,
      params: fields,
      query: fields
    })
    assert.deepStrictEqual(
      Parts.decoders(endpoint as unknown as HttpApiEndpoint.Top, strict).map(({ kind }) => kind),
      ["Params", "Headers", "Query"]
    )
  })

  it("first fails with one issue, all with every issue", () => {
    const endpoint = HttpApiEndpoint.get("a", "/", {
      query: { a: Schema.Int, b: Schema.Boolean, c: Schema.String }
    })
    const { all, first, kind } = decoderOf(endpoint as unknown as HttpApiEndpoint.Top, "Query")
    const pointers = (decode: Parts.Decoder["all"]) =>
      Effect.runSync(
        Effect.match(decode({ a: "x", b: "y" }), {
          onFailure: ({ issue }) => Issues.fromSchema(kind, issue).map(({ pointer }) => pointer),
          onSuccess: () => []
        })
      )
    assert.deepStrictEqual(pointers(first), ["/a"])
    assert.deepStrictEqual(pointers(all), ["/a", "/b", "/c"])
  })

  it("a decoder returns an exit for what it accepts without waiting", () => {
    const endpoint = HttpApiEndpoint.get("a", "/", {
      query: { a: Schema.Int, list: Schema.Array(Schema.Boolean) }
    })
    const { first } = decoderOf(endpoint as unknown as HttpApiEndpoint.Top, "Query")
    assert.isTrue(Exit.isExit(first({ a: "1", list: ["true"] })))
  })

  it("an annotated endpoint refuses excess properties", () => {
    const endpoint = HttpApiEndpoint.get("a", "/", { query: { a: Schema.Int } })
    const strict = endpoint.annotate(HttpApi.QueryParseOptions, { onExcessProperty: "error" })
    const tagOf = (endpoint: unknown) =>
      (
        decoderOf(endpoint as HttpApiEndpoint.Top, "Query").first({ a: "1", b: "" }) as Exit.Exit<
          unknown,
          unknown
        >
      )._tag
    assert.strictEqual(tagOf(endpoint), "Success")
    assert.strictEqual(tagOf(strict), "Failure")
  })
})
