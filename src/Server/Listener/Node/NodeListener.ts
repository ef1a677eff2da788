/** The default listener: HTTP/1.1 and HTTP/2, with or without TLS, fit for the open internet. */
import type * as Http from "node:http"
import type * as Net from "node:net"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Defaults from "../../Defaults.ts"
import * as Bind from "../Bind.ts"
import * as Drain from "../Drain.ts"
import type { Listener } from "../Listener.ts"
import * as Opener from "../Opener.ts"
import { type Refusal, refusals, tooManyConnections } from "../Refusal.ts"
import { UpgradeWire } from "../UpgradeWire.ts"
import { Connections, of } from "./Connections.ts"
import { Http2Connection } from "./Http2/Http2Connection.ts"
import * as Http2Sessions from "./Http2/Http2Sessions.ts"
import { NodeWire } from "./NodeWire.ts"
import * as Protocols from "./Protocols.ts"
import { Reply } from "./Reply.ts"
import * as Strict from "./Strict.ts"
import * as TlsServer from "./Tls/TlsServer.ts"

// The import statement would also evaluate the module's lazy parts.
const { createServer } = process.getBuiltinModule("node:http")

/** Listens on `server.host` and `server.port`. Fails with `BindError`. */
export const listen: Listener = ({ config, serve, serving, upgrades }) =>
  Effect.gen(function* () {
    const opener = yield* Opener.make(serving)
    const host = config.host ?? Bind.defaultHosts.node
    const tls =
      config.tls &&
      (yield* TlsServer.make(config.tls, Bind.urlOf(host, config.port, "https"), serving))
    const headersTimeout = Duration.toMillis(config.headersTimeout)
    const keepAlive = Duration.toMillis(config.keepAlive)
    const requestTimeout = Duration.toMillis(config.requestTimeout)
    const writeTimeout = Duration.toMillis(config.writeTimeout)
    const ignoredOffers = new WeakSet<Http.IncomingMessage>()
    const options: Http.ServerOptions<typeof Http.IncomingMessage, typeof Reply> = {
      connectionsCheckingInterval: 1000,
      // Node refuses more: a head is a part of its request.
      headersTimeout: Math.min(headersTimeout, requestTimeout),
      // `Strict` checks for repeated lines and for Host, which Node would drop or answer itself.
      joinDuplicateHeaders: true,
      keepAliveTimeout: keepAlive,
      maxHeaderSize: config.maxHeaderBytes,
      requestTimeout,
      requireHostHeader: false,
      ServerResponse: Reply,
      shouldUpgradeCallback: (request) => {
        const isUpgrade =
          // While a connection waits it has no reader, so it would outlive its client.
          !of(request.socket).owes &&
          Strict.offersUpgrade(request) &&
          upgrades(request.method!, request.url!)
        if (!isUpgrade) ignoredOffers.add(request)
        return isUpgrade
      }
    }
    const secure =
      tls &&
      process.getBuiltinModule("node:https").createServer({
        ...options,
        ...tls.options,
        ALPNProtocols: Protocols.offered,
        handshakeTimeout: headersTimeout
      })
    const server: Http.Server<typeof Http.IncomingMessage, typeof Reply> =
      secure ?? createServer(options)
    const idleTimeout = keepAlive + headersTimeout
    const connections = new Connections({
      idleTimeout,
      maxConnections: config.maxConnections,
      maxPipelined: config.maxPipelined,
      writeTimeout
    })
    const upgrading = { connections: connections.all, opener, timeouts: { writeTimeout } }
    const sweep = setInterval(() => connections.tick(), Math.min(1000, writeTimeout / 4)).unref()
    yield* Effect.addFinalizer(() => Effect.sync(() => clearInterval(sweep)))
    const isHttp2 = tls !== undefined || (config.h2c ?? Defaults.h2c)
    const beginSession = isHttp2 ? Http2Sessions.make(config) : undefined
    const http2Limits = {
      idleTimeout,
      requestTimeout,
      writeTimeout
    }
    Protocols.attach(server, tls === undefined ? "connection" : "secureConnection", {
      connections,
      decideMillis: headersTimeout,
      http1: (socket) => {
        connections.addHttp1(socket)
        if (connections.isFull) Strict.refuseOn(socket, tooManyConnections, serving)
      },
      http2:
        beginSession &&
        ((socket) => {
          const session = beginSession(socket)
          const connection = new Http2Connection(session, socket, {
            connections,
            limits: http2Limits,
            opener,
            serve,
            serving
          })
          connections.add(connection, socket)
          if (connections.isFull) connection.announceClose()
        })
    })
    if (secure !== undefined) yield* tls!.keep(secure)
    server.on("clientError", (error, socket: Net.Socket) =>
      Strict.onClientError(error, socket, serving)
    )
    const begin = (request: Http.IncomingMessage, reply: Reply, refused?: Refusal) => {
      // Node loses the bytes that came with such a request and belong to the next ones.
      if (ignoredOffers.has(request)) reply.shouldKeepAlive = false
      connections.begin(request, reply, () => {
        const refusal = refused ?? Strict.refusal(request)
        if (refusal !== undefined) return Strict.refuse(request, reply, refusal, serving)
        serve(new NodeWire(request, reply, opener))
      })
    }
    server.on("checkContinue", (request, reply) => {
      // Node looks for it anywhere in the field.
      if (request.headers.expect!.toLowerCase() !== "100-continue") {
        return begin(request, reply, refusals.Expect)
      }
      reply.expectContinue()
      begin(request, reply)
    })
    server.on("checkExpectation", (request, reply) => begin(request, reply, refusals.Expect))
    server.on("connect", (request, socket: Net.Socket) => {
      // Without a reader the connection would outlive its client.
      socket.once("end", () => socket.end()).resume()
      of(socket).handOver(() => Strict.refuseOn(socket, refusals.Connect.error, serving, request))
    })
    server.on("request", (request, reply) => begin(request, reply))
    server.on("upgrade", (request, socket: Net.Socket, rest) => {
      of(socket).handOver(() => {
        if (socket.destroyed) return
        const refusal = Strict.upgradeRefusal(request)
        if (refusal !== undefined) return Strict.refuseOn(socket, refusal, serving, request)
        serve(new UpgradeWire(request, socket, rest, upgrading, () => connections.release(socket)))
      })
    })

    const address = yield* Bind.tcp(server, host, config.port, tls === undefined ? "http" : "https")
    const drain = yield* Drain.make({
      announceClose: () => connections.announceClose(),
      connections: connections.all,
      requests: opener.requests,
      server,
      serving
    })
    return { address, drain }
  })
