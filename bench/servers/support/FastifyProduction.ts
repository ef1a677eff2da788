/** The production plugins of Fastify; NestJS on Fastify uses the same. */
import { randomUUID } from "node:crypto"
import type { IncomingMessage } from "node:http"
import cors from "@fastify/cors"
import helmet from "@fastify/helmet"
import jwt from "@fastify/jwt"
import rateLimit from "@fastify/rate-limit"
import {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions
} from "fastify"
import { jwt as token, origin, rateLimit as limit } from "./Contract.ts"
import { accessLines, logging } from "./FastifyLogging.ts"

declare module "@fastify/jwt" {
  interface FastifyJWT {
    user: { readonly scope: string; readonly sub: string }
  }
}

const accepted = /^[A-Za-z0-9._-]{1,128}$/

export const options = {
  ...logging,
  genReqId: (request: IncomingMessage) => {
    const given = request.headers["x-request-id"]
    return typeof given === "string" && accepted.test(given) ? given : randomUUID()
  }
} satisfies FastifyServerOptions

/** Sends an RFC 9457 problem document. */
export const problem = (reply: FastifyReply, status: number, title: string, detail: string) =>
  reply
    .code(status)
    .type("application/problem+json")
    .send(JSON.stringify({ detail, status, title, type: "about:blank" }))

export const register = async (app: FastifyInstance) => {
  app.addHook("onRequest", (request, reply, done) => {
    reply.header("x-request-id", request.id)
    done()
  })
  accessLines(app)
  await app.register(helmet)
  await app.register(cors, { origin })
  await app.register(jwt, {
    secret: token.secret,
    verify: { algorithms: ["HS256"], allowedAud: token.audience, allowedIss: token.issuer }
  })
  app.addHook("onRequest", (request) => request.jwtVerify())
  await app.register(rateLimit, {
    hook: "preHandler",
    keyGenerator: (request) => request.user.sub,
    max: limit.max,
    timeWindow: limit.windowMillis
  })
}

/** What the caller reads of an error that Fastify or a plugin of it threw. */
export const onError = (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
  const status = error.statusCode ?? 500
  if (status === 401) reply.header("www-authenticate", "Bearer")
  if (status >= 500) request.log.error(error)
  return problem(
    reply,
    status,
    error.name,
    status >= 500 ? "The server could not complete the request" : error.message
  )
}
