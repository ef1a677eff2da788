import * as Http from "node:http"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import { App, Middleware, Plugin, RequestId } from "flange"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import * as Boot from "../../src/Plugin/Boot/Boot.ts"
import * as Codec from "../../src/Server/Codec/Codec.ts"
import * as Host from "../../src/Server/Host.ts"
import type { Listener } from "../../src/Server/Listener/Listener.ts"
import * as NodeListener from "../../src/Server/Listener/Node/NodeListener.ts"
import * as ProxiedListener from "../../src/Server/Listener/Proxied/ProxiedListener.ts"
import * as WebListener from "../../src/Server/Listener/Web/WebListener.ts"
import * as generatedApi from "./generatedApi.ts"
import { Client } from "./Listener/Node/Http2/client.ts"

const seed = Number(process.env["DIFFERENTIAL_SEED"] ?? 1)
const endpoints = 40
const count = Number(process.env["DIFFERENTIAL_REQUESTS"] ?? 400)

interface Reply {
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
  readonly status: number
}

type Kind = "compiled" | "effect"

type Send = (request: generatedApi.Sent) => Promise<Reply>

/** What an app does with a request beside the reply. */
interface Seen {
  finalizers: number
  readonly logs: Array<string>
  readonly spans: Array<unknown>
  readonly told: Array<number>
}

/** An app that runs. */
interface Running {
  readonly seen: (id: string) => Seen
  readonly send: Send
}

/** Records what observers, finalizers, spans and the log have of each request, by its id. */
const watch = () => {
  const all = new Map<string, Seen>()
  const seen = (id: string): Seen => {
    const known = all.get(id) ?? { finalizers: 0, logs: [], spans: [], told: [] }
    all.set(id, known)
    return known
  }
  const logger = Logger.make(({ fiber, logLevel, message }) => {
    const id = fiber.getRef(RequestId)
    if (id !== "") seen(id).logs.push(`${logLevel} ${String(message)}`)
  })
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      const end = span.end.bind(span)
      span.end = (time, exit) => {
        end(time, exit)
        const { annotations: _, ...attributes } = Object.fromEntries(span.attributes)
        const id = String(attributes["test.id"])
        for (const name of own) delete attributes[name]
        seen(id).spans.push([span.name, span.kind, attributes, exit._tag])
      }
      return span
    }
  })
  const plugin = Plugin.make("test:watch", {
    layer: Layer.succeed(Tracer.Tracer, tracer),
    middleware: [
      Middleware.before("watch", {
        build: Effect.succeed(() => (request) => {
          request.annotate({ "test.id": request.requestId })
          const finalized = Effect.sync(() => {
            seen(request.requestId).finalizers++
          })
          return Effect.as(Scope.addFinalizer(request.find(Scope.Scope)!, finalized), undefined)
        }),
        slot: "TransportSecurity"
      }),
      Middleware.observe("watch", {
        build: Effect.succeed(() => ({ requestId }, status) => {
          seen(requestId).told.push(status)
        })
      })
    ]
  })
  return { logger, plugin, seen }
}

/** Attributes that are the request's id, or the connection's, which a request in memory has not. */
const own = [
  "client.address",
  "network.peer.address",
  "network.protocol.version",
  "requestId",
  "server.address",
  "server.port",
  "test.id"
]

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

const boot = (
  listener: Listener,
  codec: Kind,
  { logger, plugin }: ReturnType<typeof watch>,
  server: object = {}
) =>
  Boot.boot(
    App.make("generated", [plugin, generatedApi.plugin(seed, endpoints)]),
    Host.make(
      "generated",
      listener,
      codec === "effect" ? Codec.payloadOfEffect : Codec.payloadIfNeeded
    ),
    { values: { server: { host: "127.0.0.1", port: 0, ...server } } }
  ).pipe(
    Effect.provide([NodeServices.layer, Logger.layer([logger])]),
    Scope.provide(scope),
    Effect.runPromise
  )

/** Sends requests on one connection of HTTP/2, which is closed at the end. */
const overHttp2 = (url: string): Send => {
  const client = new Client(url)
  Effect.runSync(
    Scope.addFinalizer(
      scope,
      Effect.sync(() => client.close())
    )
  )
  return async ({ body, headers, method, path }) => {
    const { headers: fields, text } = await client.request(
      path,
      { ":method": method, ...headers },
      body
    )
    const { ":status": status, ...others } = fields
    return reply(
      status!,
      Object.entries(others).map(([name, value]) => [name, String(value)]),
      text
    )
  }
}

const onSocket =
  (listener: Listener) =>
  async (codec: Kind): Promise<Running> => {
    const watched = watch()
    return {
      seen: watched.seen,
      send: overHttp((await boot(listener, codec, watched)).address!)
    }
  }

const node = onSocket(NodeListener.listen)

const proxied = onSocket(ProxiedListener.listen)

const http2 = async (codec: Kind): Promise<Running> => {
  const watched = watch()
  const { address } = await boot(NodeListener.listen, codec, watched, { h2c: true })
  return { seen: watched.seen, send: overHttp2(address!) }
}

const web = async (codec: Kind): Promise<Running> => {
  const watched = watch()
  let handler: WebListener.ContextualWebHandler | undefined
  await boot(
    WebListener.make((made) => (handler = made)),
    codec,
    watched
  )
  return { seen: watched.seen, send: inMemory(handler!) }
}

/** What an app has done with a request, once its finalizer has run. */
const settled = async ({ seen }: Running, id: string): Promise<Seen> => {
  while (seen(id).finalizers === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  return seen(id)
}

describe(`codecs and listeners, ${count} requests of seed ${seed}`, () => {
  let reference: Running
  beforeAll(async () => {
    reference = await node("effect")
  })

  it("the generated requests meet every status that the API has", async () => {
    const statuses = new Set<number>()
    for (const request of generatedApi.requests(seed, endpoints, count)) {
      statuses.add((await reference.send(request)).status)
    }
    assert.deepStrictEqual(
      [...statuses].sort((a, b) => a - b),
      [200, 201, 202, 203, 204, 400, 404, 405, 409, 415, 418, 500]
    )
  })

  for (const [name, start] of [
    ["compiled, http2", () => http2("compiled")],
    ["effect, http2", () => http2("effect")],
    ["compiled, node", () => node("compiled")],
    ["compiled, proxied", () => proxied("compiled")],
    ["effect, proxied", () => proxied("effect")],
    ["compiled, web", () => web("compiled")],
    ["effect, web", () => web("effect")]
  ] as const) {
    it(`${name}: gives the bytes that Effect's codec gives on node`, async () => {
      const running = await start()
      let at = 0
      for (const request of generatedApi.requests(seed, endpoints, count)) {
        const id = `${name.replaceAll(", ", "-")}-${at++}`
        const sent = { ...request, headers: { ...request.headers, "x-request-id": id } }
        const [expected, actual] = await Promise.all([reference.send(sent), running.send(sent)])
        assert.deepStrictEqual(actual, expected, JSON.stringify(request))
        assert.deepStrictEqual(
          await settled(running, id),
          await settled(reference, id),
          `beside the reply to ${JSON.stringify(request)}`
        )
      }
    })
  }

  it("most endpoints are compiled, and the others have a reason why they are not", () => {
    const { routes } = App.describe(App.make("g", [generatedApi.plugin(seed, endpoints)]))
    assert.isAbove(routes.filter(({ codec }) => codec === "compiled").length, endpoints)
    for (const { codec, codecReason } of routes) {
      assert.strictEqual(codecReason === undefined, codec === "compiled")
    }
  })
})
