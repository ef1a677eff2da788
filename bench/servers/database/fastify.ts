// Fastify with a driver: `pg` or `postgres`, as DRIVER says.
import fastify from "fastify"
import { host, port, ready } from "../support/Arguments.ts"
import { type Item, many, statements } from "./Contract.ts"
import type { Queries } from "./Queries.ts"

const queries: Queries =
  process.env["DRIVER"] === "postgres"
    ? (await import("./Postgres.ts")).queries
    : (await import("./Pg.ts")).queries

const integer = { type: "integer" } as const
const item = {
  properties: { id: integer, name: { type: "string" }, price: integer },
  required: ["id", "name", "price"],
  type: "object"
} as const
const params = { properties: { id: integer }, required: ["id"], type: "object" } as const
const body = {
  properties: { name: { maxLength: 100, minLength: 1, type: "string" }, price: integer },
  required: ["name", "price"],
  type: "object"
} as const

const app = fastify()

app.get<{ Params: { id: number } }>(
  "/items/:id",
  { schema: { params, response: { 200: item } } },
  async ({ params }) => (await queries.all(statements.read, [params.id]))[0]
)

app.get<{ Querystring: { after: number } }>(
  "/items",
  {
    schema: {
      querystring: { properties: { after: integer }, required: ["after"], type: "object" },
      response: { 200: { items: item, type: "array" } }
    }
  },
  ({ query }) => queries.all(statements.page, [query.after])
)

app.get<{ Params: { id: number } }>(
  "/items/:id/many",
  { schema: { params, response: { 200: { items: item, type: "array" } } } },
  async ({ params }) => {
    const found: Array<Item> = []
    for (let i = 0; i < many; i++) {
      found.push((await queries.all(statements.read, [params.id + i]))[0]!)
    }
    return found
  }
)

app.post<{ Body: Omit<Item, "id"> }>(
  "/items",
  { schema: { body, response: { 201: item } } },
  async ({ body }, reply) => {
    const inserted = await queries.transaction(({ all }) =>
      all(statements.insert, [body.name, body.price])
    )
    reply.code(201)
    return inserted[0]
  }
)

app.post<{ Params: { id: number } }>(
  "/items/:id/raise",
  { schema: { params, response: { 200: item } } },
  ({ params }) =>
    queries.transaction(async ({ all }) => {
      const [found] = await all(statements.lock, [params.id])
      return (await all(statements.update, [params.id, found!.price + 1]))[0]
    })
)

await app.listen({ host, port })
ready()
