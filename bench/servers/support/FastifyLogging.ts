/** Fastify's access log: one line per request instead of Fastify's two. */
import { type FastifyInstance, type FastifyServerOptions, LogController } from "fastify"

export const logging = {
  logController: new LogController({ disableRequestLogging: true }),
  logger: { base: null, level: "info" }
} satisfies FastifyServerOptions

export const accessLines = (app: FastifyInstance) => {
  app.addHook("onResponse", (request, reply, done) => {
    request.log.info({
      method: request.method,
      ms: reply.elapsedTime,
      status: reply.statusCode,
      url: request.url
    })
    done()
  })
}
