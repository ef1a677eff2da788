/** The listener for services behind a proxy: strict HTTP/1.1 on `node:net`. */
import { createServer } from "node:net"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { isLoopback } from "../../../Config/Loopback.ts"
import * as Bind from "../Bind.ts"
import * as Drain from "../Drain.ts"
import type { Listener } from "../Listener.ts"
import * as Opener from "../Opener.ts"
import { tooManyConnections } from "../Refusal.ts"
import { Clock } from "./Clock.ts"
import { Connection } from "./Connection.ts"
import type { ListenerState } from "./ListenerState.ts"
import * as RefusalReply from "./RefusalReply.ts"

/**
 * Listens on `server.socket`, or else on `server.host` (127.0.0.1) and `server.port`. A
 * request with more than one reading is refused with a problem document, and its
 * connection closed. The proxy is responsible for TLS, HTTP/2, slow clients and the
 * filtering of methods. Logs a warning if other machines can connect.
 *
 * Fails with `BindError`.
 *
 * Source: RFC 9110, RFC 9112.
 */
export const listen: Listener = ({ config, serve, serving, upgrades }) =>
  Effect.gen(function* () {
    const opener = yield* Opener.make(serving)

    const timeouts = {
      bodyTimeout: Duration.toMillis(config.bodyTimeout),
      headersTimeout: Duration.toMillis(config.headersTimeout),
      keepAlive: Duration.toMillis(config.keepAlive),
      requestTimeout: Duration.toMillis(config.requestTimeout),
      writeTimeout: Duration.toMillis(config.writeTimeout)
    }
    const clock = new Clock(stepFor(Object.values(timeouts)), (now) => {
      for (const connection of state.connections) connection.tick(now)
    })
    yield* Effect.addFinalizer(() => Effect.sync(() => clock.stop()))
    const state: ListenerState = {
      clock,
      connections: new Set(),
      halfClose: config.halfClose,
      isDraining: false,
      limits: {
        maxHeaderBytes: config.maxHeaderBytes,
        maxHeaders: config.maxHeaders,
        maxLineBytes: config.maxLineBytes
      },
      maxPipelined: config.maxPipelined,
      opener,
      serve,
      serving,
      timeouts,
      upgrades
    }
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      const { size } = state.connections
      if (size >= 2 * config.maxConnections) return socket.destroy()
      const connection = new Connection(state, socket)
      if (size < config.maxConnections) return
      connection.refuse(RefusalReply.reply({ error: tooManyConnections }, undefined, serving))
    })

    const { host = Bind.defaultHosts.proxied, port, socket, socketMode } = config
    const address = yield* socket === undefined
      ? Bind.tcp(server, host, port)
      : Bind.unix(server, socket, socketMode)
    const drain = yield* Drain.make({
      announceClose: () => {
        state.isDraining = true
        // The drain needs to know sooner that a connection is idle.
        clock.setStep(Drain.sweepMillis)
      },
      connections: state.connections,
      requests: opener.requests,
      server,
      serving
    })
    server.on("error", (cause) =>
      Effect.runForkWith(serving.context)(
        Effect.logWarning("A connection could not be accepted", cause)
      )
    )
    if (socket === undefined && !isLoopback(host)) {
      yield* Effect.logWarning(
        `The proxied listener is open to other machines on ${address}. It relies on a proxy for TLS and slow clients: listen on 127.0.0.1 or on server.socket, let nothing but the proxy connect, or set server.listener to "node".`
      )
    }
    return { address, drain }
  })

/** Returns the interval of the clock: a quarter of the shortest timeout, from 10 ms to 1 s. */
const stepFor = (timeouts: ReadonlyArray<number>): number =>
  Math.max(10, Math.min(1000, Math.min(...timeouts) / 4))
