// Fastify over HTTP/2, with the routes of `bare` that are a GET. With TLS if TLS_CERT is set.
import { readFileSync } from "node:fs"
import fastify, { type RouteShorthandOptions } from "fastify"
import { host, port, ready } from "./support/Arguments.ts"
import { hello, user } from "./support/Contract.ts"

const text = { type: "string" } as const

const json: RouteShorthandOptions = {
  schema: { response: { 200: { properties: { message: text }, type: "object" } } }
}

const users: RouteShorthandOptions = {
  schema: {
    params: { properties: { id: { type: "integer" } }, required: ["id"], type: "object" },
    querystring: { properties: { verbose: { type: "boolean" } }, type: "object" },
    response: {
      200: {
        properties: { id: { type: "integer" }, name: text, verbose: { type: "boolean" } },
        type: "object"
      }
    }
  }
}

const { TLS_CERT: cert, TLS_KEY: key } = process.env
const ajv = { customOptions: { coerceTypes: true as const } }
// The types of the two servers have nothing in common but this.
const app =
  cert === undefined
    ? fastify({ ajv, http2: true })
    : fastify({
        ajv,
        http2: true,
        https: { allowHTTP1: true, cert: readFileSync(cert), key: readFileSync(key!) }
      })
const get = app.get.bind(app) as unknown as (
  path: string,
  options: RouteShorthandOptions,
  handler: (request: {
    readonly params: { readonly id: number }
    readonly query: { readonly verbose?: boolean }
  }) => Promise<unknown>
) => void
get("/json", json, () => Promise.resolve(hello))
get("/users/:id", users, ({ params, query }) => Promise.resolve(user(params.id, query.verbose)))
await app.listen({ host, port })
ready()
