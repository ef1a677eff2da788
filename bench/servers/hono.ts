import { serve } from "@hono/node-server"
import { zValidator } from "@hono/zod-validator"
import { type Context, Hono, type ValidationTargets } from "hono"
import { HTTPException } from "hono/http-exception"
import type { ContentfulStatusCode } from "hono/utils/http-status"
import { z, type ZodType } from "zod"
import { host, observed, port, ready, routes, tier } from "./support/Arguments.ts"
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

interface Env {
  Variables: {
    jwtPayload: { readonly scope: string; readonly sub: string }
    requestId: string
  }
}

const problem = (
  c: Context,
  status: ContentfulStatusCode,
  title: string,
  detail: string,
  errors?: unknown
) =>
  c.body(JSON.stringify({ detail, errors, status, title, type: "about:blank" }), status, {
    "content-type": "application/problem+json"
  })

const valid = <T extends keyof ValidationTargets, S extends ZodType>(target: T, schema: S) =>
  zValidator(target, schema, (result, c) =>
    result.success
      ? undefined
      : problem(c, 400, "Bad Request", "The request is not as declared", result.error.issues)
  )

const app = new Hono<Env>()
app.notFound((c) => problem(c, 404, "Not Found", "No such route"))
app.onError((error, c) => {
  if (!(error instanceof HTTPException)) {
    return problem(c, 500, "Internal Server Error", "The server could not complete the request")
  }
  const { status } = error
  if (status === 401) c.header("www-authenticate", "Bearer")
  return problem(c, status, status === 401 ? "Unauthorized" : "Bad Request", error.message)
})

const accessLines = async () => {
  const { pino } = await import("pino")
  const log = pino({ base: null })
  app.use(async (c, next) => {
    const start = performance.now()
    await next()
    log.info({
      method: c.req.method,
      ms: performance.now() - start,
      requestId: c.var.requestId,
      status: c.res.status,
      url: c.req.path
    })
  })
}

const measured = async () => {
  const { httpInstrumentationMiddleware } = await import("@hono/otel")
  const { routePath } = await import("hono/route")
  const { duration, text } = await import("./observed/Prometheus.ts")
  app.use(httpInstrumentationMiddleware())
  app.use(async (c, next) => {
    const start = performance.now()
    await next()
    const labels = { method: c.req.method, route: routePath(c, -1), status: c.res.status }
    duration.observe(labels, (performance.now() - start) / 1000)
  })
  app.get("/metrics", async (c) => c.text(await text()))
}

const bare = () => {
  app.get("/json", (c) => c.json(hello))
  app.get("/users/:id", valid("param", Id), valid("query", Verbose), (c) =>
    c.json(user(c.req.valid("param").id, c.req.valid("query").verbose))
  )
  app.post("/echo", valid("json", Echo), (c) => c.json(c.req.valid("json")))
  for (const one of resources(routes)) {
    const Own = z.object({ id: z.coerce.number().int() })
    app.get(`${one.path}/:id`, valid("param", Own), (c) =>
      c.json(resource(one, c.req.valid("param").id))
    )
  }
}

const production = async () => {
  const { createMiddleware } = await import("hono/factory")
  const { rateLimiter } = await import("hono-rate-limiter")
  const { cors } = await import("hono/cors")
  const { jwt } = await import("hono/jwt")
  const { requestId } = await import("hono/request-id")
  const { secureHeaders } = await import("hono/secure-headers")
  const { secureHeaders: helmet } = await import("./support/SecureHeaders.ts")
  app.use(requestId({ limitLength: 128 }))
  await accessLines()
  app.use(
    secureHeaders({
      contentSecurityPolicy: Object.fromEntries(
        helmet["content-security-policy"].split(";").map((directive) => {
          const [name = "", ...values] = directive.split(" ")
          return [name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase()), values]
        })
      ),
      strictTransportSecurity: helmet["strict-transport-security"]
    })
  )
  app.use(cors({ origin }))
  app.use(
    jwt({
      alg: "HS256",
      secret: token.secret,
      verification: { aud: token.audience, iss: token.issuer }
    })
  )
  app.use(
    rateLimiter<Env>({
      handler: (c) => problem(c, 429, "Too Many Requests", "Too many requests"),
      keyGenerator: (c) => c.var.jwtPayload.sub,
      limit: limit.max,
      standardHeaders: "draft-6",
      windowMs: limit.windowMillis
    })
  )
  const scope = (needed: string) =>
    createMiddleware<Env>(async (c, next) =>
      c.var.jwtPayload.scope.split(" ").includes(needed)
        ? next()
        : problem(c, 403, "Forbidden", `Needs ${needed}`)
    )
  app.get("/v1/items/:id", scope(scopes.read), valid("param", Id), (c) => {
    const { id } = c.req.valid("param")
    const item = findItem(id)
    return item === undefined
      ? problem(c, 404, "Not Found", `Item ${id} does not exist`)
      : c.json(item)
  })
  app.post("/v1/items", scope(scopes.write), valid("json", NewItemShape), (c) =>
    c.json(createItem(c.req.valid("json")), 201)
  )
}

if (observed) await measured()
if (tier === "bare") {
  if (observed) await accessLines()
  bare()
} else await production()
serve({ fetch: app.fetch, hostname: host, port }, ready)
