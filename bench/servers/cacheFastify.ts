// The page of `cache.ts` with `@fastify/caching` and `@fastify/etag`. The first sets `Cache-Control`, and the
// app keeps bodies in its store, as its documentation shows. The second makes strong tags of bodies, as hits
// of Flange have them, and answers `If-None-Match`.
import caching from "@fastify/caching"
import etag from "@fastify/etag"
import fastify from "fastify"
import { host, port, ready } from "./support/Arguments.ts"
import { page, seconds } from "./support/Page.ts"

const text = { type: "string" } as const
const schema = {
  response: {
    200: {
      properties: {
        products: {
          items: {
            properties: {
              id: { type: "integer" },
              name: text,
              price: { type: "number" },
              tags: { items: text, type: "array" }
            },
            type: "object"
          },
          type: "array"
        }
      },
      type: "object"
    }
  }
} as const

const app = fastify()
await app.register(etag)
await app.register(caching, { expiresIn: seconds, privacy: caching.privacy.PUBLIC })

app.get(
  "/cached",
  {
    onRequest: (request, reply, done) => {
      app.cache.get(request.url, (error: unknown, found: unknown) => {
        const body = (found as { readonly item: string } | null | undefined)?.item
        if (error !== null || body === undefined) return done()
        void reply.header("x-cache", "HIT").type("application/json; charset=utf-8").send(body)
      })
    },
    onSend: (request, reply, body, done) => {
      if (reply.getHeader("x-cache") === "HIT") return done()
      app.cache.set(request.url, body, seconds * 1000, () => done())
    },
    schema
  },
  () => Promise.resolve(page())
)
app.get("/uncached", { schema }, () => Promise.resolve(page()))

await app.listen({ host, port })
ready()
