import { createServer } from "node:net"
/** The listener for services behind a proxy: strict HTTP/1.1 on `node:net`. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as LastAccept from "../LastAccept.ts"
import type { Listener } from "../Listener.ts"
import * as NodeGeneral from "../NodeGeneral.ts"
import * as Bind from "./Bind.ts"
import { Clock } from "./Clock.ts"
import { Connection } from "./Connection.ts"
import * as Drain from "./Drain.ts"
import type { Service } from "./Service.ts"

/**
 * Listens on `server.socket`, or else on `server.host` (127.0.0.1) and
 * `server.port`. A request has exactly one reading, or it is refused with a
 * problem document and the connection closed. TLS, HTTP/2, slow clients and the
 * filtering of methods are the proxy's. Warns where other machines can connect.
 *
 * Fails with `BindError`.
 *
 * Source: RFC 9110, RFC 9112.
 */
export const listen: Listener = (options) =>
  Effect.gen(function* () {
    const { config, dispatch, interrupt } = options
    const scope = yield* Effect.scope
    const general = yield* NodeGeneral.make(options)

    const timeouts = {
      bodyTimeout: Duration.toMillis(config.bodyTimeout),
      headersTimeout: Duration.toMillis(config.headersTimeout),
      keepAlive: Duration.toMillis(config.keepAlive),
      requestTimeout: Duration.toMillis(config.requestTimeout)
    }
    const clock = new Clock(stepFor(Object.values(timeouts)), () => {
      for (const connection of service.connections) connection.tick()
    })
    yield* Scope.addFinalizer(
      scope,
      Effect.sync(() => clock.stop())
    )
    const service: Service = {
      clock,
      connections: new Set(),
      dispatch,
      general: general.handle,
      halfClose: config.halfClose,
      isDraining: false,
      limits: {
        maxHeaderBytes: config.maxHeaderBytes,
        maxHeaders: config.maxHeaders,
        maxLineBytes: config.maxLineBytes
      },
      maxPipelined: config.maxPipelined,
      other: general.sendOther,
      timeouts,
      upgrade: general.upgrade
    }
    const server = createServer(
      { allowHalfOpen: true, noDelay: true },
      (socket) => new Connection(service, socket)
    )
    const cutAll = () => {
      for (const connection of service.connections) connection.destroy()
    }

    const { host = Bind.defaultHost, port, socket, socketMode } = config
    const address = yield* socket === undefined
      ? Bind.tcp(server, host, port)
      : Bind.unix(server, socket, socketMode)
    yield* Scope.addFinalizer(
      scope,
      Effect.sync(() => {
        server.close()
        cutAll()
      })
    )
    server.on("error", (cause) =>
      Effect.runForkWith(options.context)(
        Effect.logWarning("A connection could not be accepted", cause)
      )
    )
    if (socket === undefined && !Bind.isLoopback(host)) {
      yield* Effect.logWarning(
        `The proxied listener is open to other machines on ${address}. It relies on a proxy for TLS and slow clients: listen on 127.0.0.1 or on server.socket, let nothing but the proxy connect, or set server.listener to "node".`
      )
    }
    return {
      address,
      drain: ({ delay, timeout }) =>
        Effect.gen(function* () {
          Drain.announceClose(service)
          yield* Effect.sleep(delay)
          yield* LastAccept.before(server, () => Drain.stopAccepting(server, service))
          yield* Effect.timeoutOption(Drain.empty(service), timeout)
          yield* Effect.all([interrupt, Scope.close(general.requests, Exit.void)], {
            concurrency: "unbounded"
          })
          yield* Effect.timeoutOption(Drain.empty(service), "1 second")
          cutAll()
        }).pipe(Effect.interruptible)
    }
  })

/** A pace at which the shortest timeout is noticed in time, at most once a second. */
const stepFor = (timeouts: ReadonlyArray<number>): number =>
  Math.max(10, Math.min(1000, Math.min(...timeouts) / 4))
