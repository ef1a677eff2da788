/** The default listener: HTTP/1.1 on `node:http`, fit for the open internet. */
import type * as Http from "node:http"
import type * as Net from "node:net"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Bind from "../Bind.ts"
import * as Drain from "../Drain.ts"
import type { Listener } from "../Listener.ts"
import * as Opener from "../Opener.ts"
import { refusals } from "../Refusal.ts"
import { UpgradeWire } from "../UpgradeWire.ts"
import { Connections } from "./Connections.ts"
import { NodeWire } from "./NodeWire.ts"
import * as Strict from "./Strict.ts"

// The import statement would also evaluate the module's lazy parts.
const { createServer } = process.getBuiltinModule("node:http")

/** Listens on `server.host` and `server.port`. Fails with `BindError`. */
export const listen: Listener = ({ config, serve, serving, upgrades }) =>
  Effect.gen(function* () {
    const opener = yield* Opener.make(serving)
    const server = createServer({
      connectionsCheckingInterval: 1000,
      headersTimeout: Duration.toMillis(config.headersTimeout),
      // `Strict` checks for repeated lines and for Host, which Node would drop or answer itself.
      joinDuplicateHeaders: true,
      keepAliveTimeout: Duration.toMillis(config.keepAlive),
      maxHeaderSize: config.maxHeaderBytes,
      requestTimeout: Duration.toMillis(config.requestTimeout),
      requireHostHeader: false,
      shouldUpgradeCallback: (request) => {
        const isUpgrade =
          // Nobody reads a connection that waits, so that it would outlive its client.
          !connections.owes(request.socket) &&
          Strict.offersUpgrade(request) &&
          upgrades(request.method!, request.url!)
        if (!isUpgrade) ignoredOffers.add(request)
        return isUpgrade
      }
    })
    const ignoredOffers = new WeakSet<Http.IncomingMessage>()
    const connections = new Connections(server, config)
    const writeTimeout = Duration.toMillis(config.writeTimeout)
    const sweep = setInterval(
      () => connections.destroyStalled(writeTimeout),
      Math.min(1000, writeTimeout / 4)
    ).unref()
    yield* Effect.addFinalizer(() => Effect.sync(() => clearInterval(sweep)))
    server.on("connection", (socket: Net.Socket) => {
      if (connections.all.size > config.maxConnections) Strict.refuseConnection(socket, serving)
    })
    server.on("clientError", (error, socket: Net.Socket) =>
      Strict.onClientError(error, socket, connections, serving)
    )
    server.on("checkExpectation", (request, reply) =>
      Strict.refuse(request, reply, refusals.Expect, serving)
    )
    server.on("connect", (request, socket: Net.Socket) => {
      connections.handedOver(socket)
      // Without a reader the connection would outlive its client.
      socket.once("end", () => socket.end()).resume()
      connections.awaitReplies(socket, () =>
        Strict.refuseUpgrade(request, socket, refusals.Connect.error, serving)
      )
    })
    server.on("request", (request, reply) => {
      // The connection was refused.
      if (request.socket.writableEnded) return
      // Node loses the bytes that came with such a request and belong to the next ones.
      if (ignoredOffers.has(request)) reply.setHeader("connection", "close")
      connections.opened(request, reply, () => {
        const refusal = Strict.refusal(request)
        if (refusal !== undefined) return Strict.refuse(request, reply, refusal, serving)
        serve(new NodeWire(request, reply, opener))
      })
    })
    server.on("upgrade", (request, socket: Net.Socket, rest) => {
      connections.handedOver(socket)
      connections.awaitReplies(socket, () => {
        // The connection was refused, or is gone.
        if (socket.writableEnded || socket.destroyed) return
        const refusal = Strict.upgradeRefusal(request)
        if (refusal !== undefined) return Strict.refuseUpgrade(request, socket, refusal, serving)
        serve(new UpgradeWire(request, socket, rest, opener))
      })
    })

    const address = yield* Bind.tcp(server, config.host ?? "0.0.0.0", config.port)
    const drain = yield* Drain.make({
      announceClose: () => connections.announceClose(),
      connections: connections.all,
      requests: opener.requests,
      server,
      serving
    })
    return { address, drain }
  })
