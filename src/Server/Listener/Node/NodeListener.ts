import * as Http from "node:http"
import type * as Net from "node:net"
/** The default listener: HTTP/1.1 on `node:http`, fit for the open internet. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { BindError } from "../../../Plugin/Errors.ts"
import * as LastAccept from "../LastAccept.ts"
import type { Listener } from "../Listener.ts"
import * as NodeGeneral from "../NodeGeneral.ts"
import { Connections } from "./Connections.ts"
import { NodeWire } from "./NodeWire.ts"
import * as NodeStrict from "./Strict.ts"

/** Listens on `server.host` and `server.port`. Fails with `BindError`. */
export const listen: Listener = (options) =>
  Effect.gen(function* () {
    const { config, dispatch, interrupt } = options
    const scope = yield* Effect.scope
    const general = yield* NodeGeneral.make(options)
    const server = Http.createServer({
      connectionsCheckingInterval: 1000,
      headersTimeout: Duration.toMillis(config.headersTimeout),
      // Two lines of one header are then seen as what they are, and Host is checked below.
      joinDuplicateHeaders: true,
      keepAliveTimeout: Duration.toMillis(config.keepAlive),
      maxHeaderSize: config.maxHeaderBytes,
      requireHostHeader: false,
      requestTimeout: Duration.toMillis(config.requestTimeout)
    })
    const connections = new Connections(server)
    server.on("clientError", (error, socket: Net.Socket) =>
      NodeStrict.onClientError(error, socket, connections)
    )
    server.on("request", (request, reply) => {
      connections.opened(request, reply)
      const refusal = NodeStrict.refusal(request)
      if (refusal !== undefined) return NodeStrict.refuse(request, reply, refusal)
      if (!dispatch(new NodeWire(request, reply, general.sendOther))) {
        general.handle(request, reply)
      }
    })
    server.on("upgrade", general.upgrade)

    yield* bind(server, config.host ?? "0.0.0.0", config.port)
    yield* Scope.addFinalizer(
      scope,
      Effect.sync(() => {
        server.close()
        server.closeAllConnections()
      })
    )
    return {
      address: addressOf(server),
      drain: ({ delay, timeout }) =>
        Effect.gen(function* () {
          connections.announceClose()
          yield* Effect.sleep(delay)
          yield* LastAccept.before(server, () => connections.stopAccepting())
          yield* Effect.timeoutOption(connections.empty, timeout)
          yield* Effect.all([interrupt, Scope.close(general.requests, Exit.void)], {
            concurrency: "unbounded"
          })
          yield* Effect.timeoutOption(connections.empty, "1 second")
          server.closeAllConnections()
        }).pipe(Effect.interruptible)
    }
  })

const bind = (server: Http.Server, host: string, port: number) =>
  Effect.callback<void, BindError>((resume) => {
    const onError = (cause: NodeJS.ErrnoException) =>
      resume(
        Effect.fail(new BindError({ address: `http://${host}:${port}`, cause, code: cause.code }))
      )
    server.once("error", onError)
    server.listen({ host, port }, () => {
      server.off("error", onError)
      resume(Effect.void)
    })
  })

/** A URL that a person can open: the wildcard addresses are no destination. */
const addressOf = (server: Http.Server): string => {
  const { address, family, port } = server.address() as Net.AddressInfo
  const host = address === "0.0.0.0" || address === "::" ? "localhost" : address
  return `http://${family === "IPv6" && host !== "localhost" ? `[${host}]` : host}:${port}`
}
