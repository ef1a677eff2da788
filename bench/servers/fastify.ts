import fastify, { type FastifyInstance, type preHandlerHookHandler } from "fastify"
import { host, observed, port, ready, routes, tier } from "./support/Arguments.ts"
import {
  createItem,
  findItem,
  hello,
  type NewItem,
  resource,
  resources,
  scopes,
  user
} from "./support/Contract.ts"

const text = { type: "string" } as const
const tags = { items: text, type: "array" } as const
const id = { properties: { id: { type: "integer" } }, required: ["id"], type: "object" } as const

const bare = (app: FastifyInstance) => {
  app.get(
    "/json",
    { schema: { response: { 200: { properties: { message: text }, type: "object" } } } },
    () => Promise.resolve(hello)
  )
  app.get<{ Params: { id: number }; Querystring: { verbose?: boolean } }>(
    "/users/:id",
    {
      schema: {
        params: id,
        querystring: { properties: { verbose: { type: "boolean" } }, type: "object" },
        response: {
          200: {
            properties: { id: { type: "integer" }, name: text, verbose: { type: "boolean" } },
            type: "object"
          }
        }
      }
    },
    ({ params, query }) => Promise.resolve(user(params.id, query.verbose))
  )
  const echo = {
    properties: {
      name: { maxLength: 100, minLength: 1, type: "string" },
      age: { type: "integer" },
      tags
    },
    required: ["name", "age", "tags"],
    type: "object"
  } as const
  app.post<{ Body: { age: number; name: string; tags: ReadonlyArray<string> } }>(
    "/echo",
    { schema: { body: echo, response: { 200: echo } } },
    ({ body }) => Promise.resolve(body)
  )
  for (const one of resources(routes)) {
    app.get<{ Params: { id: number } }>(
      `${one.path}/:id`,
      {
        schema: {
          params: { properties: { id: { type: "integer" } }, required: ["id"], type: "object" },
          response: {
            200: { properties: { id: { type: "integer" }, [one.field]: text }, type: "object" }
          }
        }
      },
      ({ params }) => Promise.resolve(resource(one, params.id))
    )
  }
}

const production = async (app: FastifyInstance) => {
  const { onError, problem, register } = await import("./support/FastifyProduction.ts")
  app.setErrorHandler(onError)
  app.setNotFoundHandler((_request, reply) => problem(reply, 404, "Not Found", "No such route"))
  await register(app)
  const scope =
    (needed: string): preHandlerHookHandler =>
    (request, reply, done) => {
      if (request.user.scope.split(" ").includes(needed)) return done()
      problem(reply, 403, "Forbidden", `Needs ${needed}`)
    }
  const item = {
    properties: {
      createdAt: text,
      id: { type: "integer" },
      name: text,
      price: { type: "number" },
      tags
    },
    type: "object"
  } as const
  app.get<{ Params: { id: number } }>(
    "/v1/items/:id",
    { preHandler: scope(scopes.read), schema: { params: id, response: { 200: item } } },
    async ({ params }, reply) =>
      findItem(params.id) ?? problem(reply, 404, "Not Found", `Item ${params.id} does not exist`)
  )
  app.post<{ Body: NewItem }>(
    "/v1/items",
    {
      preHandler: scope(scopes.write),
      schema: {
        body: {
          properties: {
            name: { maxLength: 100, minLength: 1, type: "string" },
            price: { minimum: 0, type: "number" },
            tags
          },
          required: ["name", "price", "tags"],
          type: "object"
        },
        response: { 201: item }
      }
    },
    async ({ body }, reply) => reply.code(201).send(createItem(body))
  )
}

const measured = async (app: FastifyInstance) => {
  const { duration, text } = await import("./observed/Prometheus.ts")
  app.addHook("onResponse", (request, reply, done) => {
    const route = request.routeOptions.url ?? "*"
    duration.observe(
      { method: request.method, route, status: reply.statusCode },
      reply.elapsedTime / 1000
    )
    done()
  })
  app.get("/metrics", text)
}

// Ajv turns "x" into an array and 7 into a string unless it is told not to.
const ajv = { customOptions: { coerceTypes: true as const } }
if (tier === "bare") {
  const { accessLines, logging } = await import("./support/FastifyLogging.ts")
  const app = fastify({ ...(observed ? logging : {}), ajv })
  if (observed) {
    accessLines(app)
    await measured(app)
  }
  bare(app)
  await app.listen({ host, port })
} else {
  const { options } = await import("./support/FastifyProduction.ts")
  const app = fastify({ ...options, ajv })
  if (observed) await measured(app)
  await production(app)
  await app.listen({ host, port })
}
ready()
