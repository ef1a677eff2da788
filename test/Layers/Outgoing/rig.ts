/** Upstreams on loopback, and clients with a configuration. */
import { spawn } from "node:child_process"
import type { lookup as dnsLookup } from "node:dns"
import { once } from "node:events"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { createServer as createTlsServer } from "node:https"
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net"
import { createInterface } from "node:readline"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as Metric from "effect/Metric"
import * as Config from "../../../src/Config/index.ts"
import { Clients, OutgoingConfig, refusalOf } from "../../../src/Layers/Outgoing/index.ts"
import { services } from "../../../src/Layers/Outgoing/OutgoingPlugin.ts"
import * as Transport from "../../../src/Layers/Outgoing/Transport.ts"

/** A server that counts its requests and connections. */
export interface Upstream {
  readonly close: () => void
  /** The connections that are open. */
  readonly connections: Set<Socket>
  readonly requests: Array<IncomingMessage>
  readonly url: string
}

const listening = (
  server: ReturnType<typeof createTcpServer> | Server,
  requests: Upstream["requests"],
  scheme = "http"
) =>
  Effect.acquireRelease(
    Effect.callback<Upstream>((done) => {
      const connections = new Set<Socket>()
      server.on("connection", (socket: Socket) => {
        connections.add(socket)
        socket.on("close", () => connections.delete(socket))
        socket.on("error", () => {})
      })
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        const close = () => {
          server.close()
          for (const socket of connections) socket.destroy()
        }
        done(Effect.succeed({ close, connections, requests, url: `${scheme}://127.0.0.1:${port}` }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )

type Answer = (request: IncomingMessage, response: ServerResponse, count: number) => void

/** Serves requests with a function until the scope closes. */
export const serve = (answer: Answer) => {
  const requests: Array<IncomingMessage> = []
  return listening(createServer(counted(requests, answer)), requests)
}

/** Serves requests over TLS with a function until the scope closes. */
export const serveTls = (pair: { readonly cert: string; readonly key: string }, answer: Answer) => {
  const requests: Array<IncomingMessage> = []
  return listening(createTlsServer(pair, counted(requests, answer)), requests, "https")
}

const counted =
  (requests: Array<IncomingMessage>, answer: Answer) =>
  (request: IncomingMessage, response: ServerResponse): void => {
    requests.push(request)
    answer(request, response, requests.length)
  }

/**
 * Serves requests in a process of its own, which goes on while this one is busy, until the scope closes. `answer` is
 * the source of an `Answer`.
 */
export const serveApart = (answer: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const source = `
        const answer = ${answer}
        require("node:http")
          .createServer((request, response) => {
            answer(request, response)
            console.log("request")
          })
          .listen(0, "127.0.0.1", function () { console.log(this.address().port) })`
      const child = spawn("node", ["--eval", source], { stdio: ["ignore", "pipe", "inherit"] })
      const lines = createInterface(child.stdout)
      const [port] = (await once(lines, "line")) as [string]
      const apart = { child, count: 0, url: `http://127.0.0.1:${port}` }
      lines.on("line", () => apart.count++)
      return apart
    }),
    ({ child }) => Effect.sync(() => child.kill())
  )

/** Answers each lookup with the next addresses of the list, the last of them again and again. */
export const resolver = (...answers: ReadonlyArray<ReadonlyArray<string>>) => {
  let count = 0
  const asked: Array<string> = []
  const lookup = (
    host: string,
    _options: unknown,
    callback: (error: null, addresses: ReadonlyArray<object>) => void
  ) => {
    asked.push(host)
    const addresses = answers[Math.min(count++, answers.length - 1)]!
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }))
    )
  }
  // It has the one form of `lookup` that the transport calls.
  return { asked, lookup: lookup as unknown as typeof dnsLookup }
}

/** Serves connections with a function until the scope closes. */
export const serveTcp = (answer: (socket: Socket) => void) => listening(createTcpServer(answer), [])

/** Loads the section `outgoing`. */
export const load = (values: object) =>
  Config.load({ sections: [OutgoingConfig], values: { outgoing: values }, variables: {} }).pipe(
    Effect.provide(NodeServices.layer)
  )

/** Times that a busy machine does not exceed. */
const patient = {
  attemptTimeout: "10 minutes",
  connectTimeout: "5 minutes",
  maxWait: "5 minutes",
  timeout: "20 minutes"
}

/** Creates the clients of a configuration, with metrics. They end with the scope. */
export const clients = (values: object, lookup?: Parameters<typeof Transport.make>[1]) =>
  Effect.gen(function* () {
    const { context } = yield* load({ ...patient, ...values })
    const registry = new Map()
    const all = yield* services((settings) => Transport.make(settings, lookup)).pipe(
      Effect.provide(context),
      Effect.provideService(Metric.MetricRegistry, registry)
    )
    return {
      client: Context.get(all, HttpClient.HttpClient),
      /** Returns the value of a counter or a gauge, summed over its series. */
      metric: (id: string) =>
        Effect.map(
          Effect.provideService(Metric.snapshot, Metric.MetricRegistry, registry),
          (series) =>
            series
              .filter((each) => each.id === id)
              .reduce((sum, { state }) => sum + numberOf(state), 0)
        ),
      named: Context.get(all, Clients).named,
      userUrls: Context.get(all, Clients).forUserUrls
    }
  })

const numberOf = (state: object): number =>
  "count" in state ? Number(state.count) : "value" in state ? Number(state.value) : 0

/** Returns the limit with which an effect fails. */
export const limitOf = <A>(effect: Effect.Effect<A, HttpClientError>) =>
  Effect.map(Effect.flip(effect), (error) => refusalOf(error)?.limit)

/** Waits until a condition holds. */
export const until = (condition: () => boolean): Effect.Effect<void> =>
  Effect.promise(async () => {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
  })
