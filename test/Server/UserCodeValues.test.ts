/** Values that cannot be written, and loggers that throw: the request is answered and the app goes on. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import { Plugin, Route } from "flange"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { failure } from "./userCode/misbehave.ts"
import { guardProcess, listeners, serve, type Server, until } from "./userCode/server.ts"
import { isProblem, nextId } from "./userCode/table.ts"

const circular: Record<string, unknown> = {}
circular["self"] = circular

const deep = Array.from({ length: 5000 }).reduce<Schema.Json>((inside) => [inside], [])

const values: Readonly<Record<string, unknown>> = {
  "a big integer": 1n,
  "a circular object": circular,
  "a function": () => "a function",
  "a map": new Map([["a", 1n]]),
  "a symbol": Symbol("a symbol")
}

const params = { name: Schema.String, wait: Schema.Int }

class ValuesApi extends HttpApiGroup.make("values").add(
  HttpApiEndpoint.get("json", "/json", { success: Schema.Json }),
  HttpApiEndpoint.get("logs", "/logs", { success: Schema.String }),
  HttpApiEndpoint.get("throws", "/throws", { success: Schema.String }),
  HttpApiEndpoint.get("unknown", "/unknown", { success: Schema.Unknown }),
  HttpApiEndpoint.get("value", "/value/:name/:wait", { params, success: Schema.Unknown }),
  HttpApiEndpoint.get("well", "/well", { success: Schema.String })
) {}

const Values = Plugin.make("test:values", {
  routes: [
    Route.public(ValuesApi, (handlers) =>
      handlers.handleAll({
        json: () => Effect.succeed(deep),
        logs: () => Effect.as(Effect.logInfo("a handler logs"), "well"),
        throws: (): Effect.Effect<string> => {
          throw failure
        },
        unknown: () => Effect.succeed(deep),
        value: ({ params }) =>
          Effect.as(params.wait === 0 ? Effect.void : Effect.sleep(1), values[params.name]),
        well: () => Effect.succeed("well")
      })
    )
  ]
})

guardProcess()

const goesOn = async (server: Server) => {
  const reply = await server.send(nextId(), "/well")
  assert.deepStrictEqual([reply.status, reply.body], [200, '"well"'])
}

/** The reply to a request whose value cannot be written; the log has the reason. */
const isRefused = async (server: Server, path: string) => {
  const id = nextId()
  isProblem(await server.send(id, path), 500, "INTERNAL_ERROR", id)
  await until("The line of the log", () =>
    server.failures.some(({ cause, requestId }) => requestId === id && cause.reasons.length > 0)
  )
  await goesOn(server)
}

for (const listener of listeners) {
  describe(`on ${listener}`, () => {
    let server: Server
    beforeAll(async () => {
      server = await serve(listener, [Values])
    })
    afterAll(() => server.stop())

    for (const path of ["/json", "/unknown"]) {
      it(`a handler that returns a list nested too deep, at ${path}, on ${listener}`, () =>
        isRefused(server, path))
    }

    for (const name of Object.keys(values)) {
      for (const [wait, when] of ["at once", "after a wait"].entries()) {
        it(`a handler that returns ${name} ${when}, on ${listener}`, () =>
          isRefused(server, `/value/${name}/${wait}`))
      }
    }
  })

  describe(`on ${listener}, with a logger that throws`, () => {
    let broken = false
    let server: Server
    beforeAll(async () => {
      const logger = Logger.make(() => {
        if (broken) throw failure
      })
      server = await serve(listener, [Values], [logger])
      broken = true
    })
    afterAll(async () => {
      broken = false
      await server.stop()
    })

    it(`a handler that throws is answered with 500, on ${listener}`, async () => {
      const id = nextId()
      isProblem(await server.send(id, "/throws"), 500, "INTERNAL_ERROR", id)
      await goesOn(server)
    })

    it(`a handler that logs is answered, on ${listener}`, async () => {
      const reply = await server.send(nextId(), "/logs")
      assert.include([200, 500], reply.status)
      await goesOn(server)
    })
  })
}
