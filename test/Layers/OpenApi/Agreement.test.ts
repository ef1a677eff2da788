import formats from "ajv-formats"
/** The document and the server agree: a body that fits the schema is accepted, another is 400. */
import { Ajv2020 } from "ajv/dist/2020.js"
import { App } from "flange"
import * as OpenApi from "flange/OpenApi"
import { assert, it } from "vitest"
import { plugin, requests } from "../../Server/generatedApi.ts"
import type { Json } from "./valid.ts"

const endpoints = 8

it.each([1, 2, 3, 4, 5])("on the bodies of a generated API, seed %d", async (seed) => {
  const web = App.toWebHandler(
    App.make("test", [OpenApi.plugin, plugin(seed, endpoints)], {
      config: { values: {}, variables: {} }
    })
  )
  const reply = await web.handler(new Request("http://app/openapi.json"))
  const document = (await reply.json()) as Json
  const ajv = new Ajv2020({ strict: false })
  formats.default(ajv)
  ajv.addSchema(document, "document")
  const bodies = new Map(
    Object.entries<Json>(document["paths"]).map(([path, { post }]) => [
      path,
      post === undefined
        ? undefined
        : ajv.compile({
            $ref: `document#/paths/${path.replaceAll("/", "~1")}/post/requestBody/content/application~1json/schema`
          })
    ])
  )
  let accepted = 0
  let refused = 0
  for (const { body, headers, method } of requests(seed, endpoints, 600)) {
    if (method !== "POST" || body === undefined || headers["content-type"] !== "application/json") {
      continue
    }
    let value: unknown
    try {
      value = JSON.parse(body)
    } catch {
      continue
    }
    if (body.includes("_proto__") || "content-encoding" in headers) continue
    for (let i = 0; i < endpoints; i++) {
      const fits = bodies.get(`/echo/${i}/{id}`)!(value)
      const { status } = await web.handler(
        new Request(`http://app/echo/${i}/1`, { body, headers, method })
      )
      // Effect reads the empty text as the number 0.
      const isLenient = !fits && status === 200 && body.includes('""')
      assert.strictEqual(status, fits || isLenient ? 200 : 400, `${i} ${body}`)
      if (fits) accepted++
      else refused++
    }
  }
  assert.isAbove(accepted, 5)
  assert.isAbove(refused, 100)
  await web.dispose()
})
