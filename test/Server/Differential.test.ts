import * as Http from "node:http"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import { App } from "flange"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import * as Lifecycle from "../../src/Plugin/Lifecycle.ts"
import * as Host from "../../src/Server/Host.ts"
import type { Listener } from "../../src/Server/Listener/Listener.ts"
import * as NodeListener from "../../src/Server/Listener/Node/NodeListener.ts"
import * as ProxiedListener from "../../src/Server/Listener/Proxied/ProxiedListener.ts"
import * as WebListener from "../../src/Server/Listener/Web/WebListener.ts"
import * as generated from "./generatedApi.ts"

const seed = Number(process.env["DIFFERENTIAL_SEED"] ?? 1)
const endpoints = 40
const count = Number(process.env["DIFFERENTIAL_REQUESTS"] ?? 400)

interface Reply {
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
  readonly status: number
}

type Send = (request: generated.Sent) => Promise<Reply>

/** Headers that are the connection's or the moment's, not the reply's. */
const transient = new Set(["connection", "date", "keep-alive", "x-request-id"])

const reply = (
  status: number,
  headers: Iterable<readonly [string, string]>,
  body: string
): Reply => ({
  body: body.replace(/"correlationId":"[^"]*"/, '"correlationId":"*"'),
  headers: Object.fromEntries(
    [...headers].filter(([name]) => !transient.has(name)).sort(([a], [b]) => (a < b ? -1 : 1))
  ),
  status
})

const overHttp =
  (url: string): Send =>
  ({ body, headers, method, path }) =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(url)
      // Not `fetch`, which would put the path into another form.
      const request = Http.request({ headers, hostname, method, path, port }, (response) => {
        const chunks: Array<Buffer> = []
        response.on("data", (chunk: Buffer) => chunks.push(chunk))
        response.on("end", () =>
          resolve(
            reply(
              response.statusCode!,
              Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
              Buffer.concat(chunks).toString()
            )
          )
        )
      })
      request.on("error", reject)
      request.end(body)
    })

const inMemory =
  (handler: WebListener.ContextualWebHandler): Send =>
  async ({ body, headers, method, path }) => {
    const request = new Request(`http://localhost${path}`, {
      headers,
      method,
      ...(body === undefined ? {} : { body })
    })
    const response = await handler(request)
    return reply(response.status, response.headers.entries(), await response.text())
  }

const scope = Scope.makeUnsafe()
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

const boot = (listener: Listener, compile: boolean) =>
  Lifecycle.boot(
    App.make("generated", [generated.plugin(seed, endpoints)]),
    Host.make("generated", listener, compile),
    { values: { server: { host: "127.0.0.1", port: 0 } } }
  ).pipe(
    Effect.provide([NodeServices.layer, Logger.layer([])]),
    Scope.provide(scope),
    Effect.runPromise
  )

const proxied = async (compile: boolean): Promise<Send> =>
  overHttp((await boot(ProxiedListener.listen, compile)).address!)

const node = async (compile: boolean): Promise<Send> =>
  overHttp((await boot(NodeListener.listen, compile)).address!)

const web = async (compile: boolean): Promise<Send> => {
  let handler: WebListener.ContextualWebHandler | undefined
  await boot(
    WebListener.make((made) => (handler = made)),
    compile
  )
  return inMemory(handler!)
}

describe(`lanes and listeners, ${count} requests of seed ${seed}`, () => {
  let reference: Send
  beforeAll(async () => {
    reference = await node(false)
  })

  it("the generated requests meet every status that the API has", async () => {
    const statuses = new Set<number>()
    for (const request of generated.requests(seed, endpoints, count)) {
      statuses.add((await reference(request)).status)
    }
    assert.deepStrictEqual(
      [...statuses].sort((a, b) => a - b),
      [200, 201, 202, 203, 204, 400, 404, 405, 409, 415, 418, 500]
    )
  })

  for (const [name, start] of [
    ["compiled, node", () => node(true)],
    ["compiled, proxied", () => proxied(true)],
    ["general, proxied", () => proxied(false)],
    ["compiled, web", () => web(true)],
    ["general, web", () => web(false)]
  ] as const) {
    it(`${name}: gives the bytes that the general lane gives on node`, async () => {
      const send = await start()
      for (const request of generated.requests(seed, endpoints, count)) {
        const [expected, actual] = await Promise.all([reference(request), send(request)])
        assert.deepStrictEqual(actual, expected, JSON.stringify(request))
      }
    })
  }

  it("most of the endpoints take the compiled lane, and the others say why they do not", () => {
    const { routes } = App.describe(App.make("g", [generated.plugin(seed, endpoints)]))
    assert.isAbove(routes.filter(({ lane }) => lane === "compiled").length, endpoints)
    for (const { lane, laneReason } of routes) {
      assert.strictEqual(laneReason === undefined, lane === "compiled")
    }
  })
})
