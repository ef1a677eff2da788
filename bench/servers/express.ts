import express, { type ErrorRequestHandler, type RequestHandler, type Response } from "express"
import { z } from "zod"
import { host, port, ready, routes, tier } from "./support/Arguments.ts"
import {
  createItem,
  findItem,
  hello,
  jwt as token,
  origin,
  rateLimit as limit,
  resource,
  resources,
  scopes,
  user
} from "./support/Contract.ts"
import { Echo, Id, NewItemShape, Verbose } from "./support/Zod.ts"

declare module "express-serve-static-core" {
  interface Locals {
    claims: { readonly scope: string; readonly sub: string }
    requestId: string
  }
}

const app = express()
app.disable("x-powered-by")
// Peers send no ETag; Express would hash every body.
app.disable("etag")

const problem = (
  response: Response,
  status: number,
  title: string,
  detail: string,
  errors?: unknown
) =>
  response
    .status(status)
    .type("application/problem+json")
    .send(JSON.stringify({ detail, errors, status, title, type: "about:blank" }))

const invalid = (response: Response, { issues }: z.ZodError) =>
  problem(response, 400, "Bad Request", "The request is not as declared", issues)

const bare = () => {
  app.get("/json", (_request, response) => {
    response.json(hello)
  })
  app.get("/users/:id", (request, response) => {
    const params = Id.safeParse(request.params)
    if (!params.success) return void invalid(response, params.error)
    const query = Verbose.safeParse(request.query)
    if (!query.success) return void invalid(response, query.error)
    response.json(user(params.data.id, query.data.verbose))
  })
  app.post("/echo", express.json(), (request, response) => {
    const body = Echo.safeParse(request.body)
    if (!body.success) return void invalid(response, body.error)
    response.json(body.data)
  })
  for (const one of resources(routes)) {
    const Own = z.object({ id: z.coerce.number().int() })
    app.get(`${one.path}/:id`, (request, response) => {
      const params = Own.safeParse(request.params)
      if (!params.success) return void invalid(response, params.error)
      response.json(resource(one, params.data.id))
    })
  }
}

const production = async () => {
  const { randomUUID } = await import("node:crypto")
  const { default: cors } = await import("cors")
  const { rateLimit } = await import("express-rate-limit")
  const { default: helmet } = await import("helmet")
  const { default: jsonwebtoken } = await import("jsonwebtoken")
  const { pino } = await import("pino")
  const { pinoHttp } = await import("pino-http")

  const accepted = /^[A-Za-z0-9._-]{1,128}$/
  app.use(
    pinoHttp({
      genReqId: (request, response) => {
        const given = request.headers["x-request-id"]
        const id = typeof given === "string" && accepted.test(given) ? given : randomUUID()
        response.setHeader("x-request-id", id)
        return id
      },
      logger: pino({ base: null }),
      serializers: {
        req: ({ id, method, url }) => ({ id, method, url }),
        res: ({ statusCode }) => ({ statusCode })
      },
      wrapSerializers: true
    })
  )
  app.use(helmet())
  app.use(cors({ origin }))
  app.use((request, response, next) => {
    const header = request.headers.authorization
    try {
      if (!header?.startsWith("Bearer ")) throw new Error("No bearer token")
      response.locals.claims = jsonwebtoken.verify(header.slice(7), token.secret, {
        algorithms: ["HS256"],
        audience: token.audience,
        issuer: token.issuer
      }) as unknown as Response["locals"]["claims"]
    } catch {
      response.setHeader("www-authenticate", "Bearer")
      return void problem(response, 401, "Unauthorized", "Authentication is required")
    }
    next()
  })
  app.use(
    rateLimit({
      handler: (_request, response) => problem(response, 429, "Too Many Requests", "Slow down"),
      keyGenerator: (_request, response) => response.locals["claims"].sub,
      legacyHeaders: false,
      limit: limit.max,
      standardHeaders: "draft-6",
      windowMs: limit.windowMillis
    })
  )
  const scope =
    (needed: string): RequestHandler =>
    (_request, response, next) => {
      if (response.locals.claims.scope.split(" ").includes(needed)) return next()
      problem(response, 403, "Forbidden", `Needs ${needed}`)
    }
  app.get("/v1/items/:id", scope(scopes.read), (request, response) => {
    const params = Id.safeParse(request.params)
    if (!params.success) return void invalid(response, params.error)
    const item = findItem(params.data.id)
    if (item === undefined) {
      return void problem(response, 404, "Not Found", `Item ${params.data.id} does not exist`)
    }
    response.json(item)
  })
  app.post("/v1/items", scope(scopes.write), express.json(), (request, response) => {
    const body = NewItemShape.safeParse(request.body)
    if (!body.success) return void invalid(response, body.error)
    response.status(201).json(createItem(body.data))
  })
}

if (tier === "bare") bare()
else await production()

app.use((_request, response) => void problem(response, 404, "Not Found", "No such route"))
const onError: ErrorRequestHandler = (error, _request, response, _next) => {
  const status: number = error.status ?? 500
  problem(response, status, error.name, status >= 500 ? "Internal error" : error.message)
}
app.use(onError)
app.listen(port, host, () => ready())
