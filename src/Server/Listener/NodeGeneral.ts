import type * as Http from "node:http"
import type { Duplex } from "node:stream"
/** The general lane over Node's own request and reply, for the listeners that make them. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeWS from "@effect/platform-node/NodeWS"
import * as Effect from "effect/Effect"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Scope from "effect/Scope"
import type { Options } from "./Listener.ts"
import type { SendOther } from "./Node/NodeWire.ts"

/** What a listener hands requests to that the compiled lane does not take. */
export interface NodeGeneral {
  readonly handle: (request: Http.IncomingMessage, reply: Http.ServerResponse) => void
  /** The scope of the requests: closing it interrupts those still in flight. */
  readonly requests: Scope.Closeable
  /** Sends a reply of the compiled lane that is not bytes. */
  readonly sendOther: SendOther
  readonly upgrade: (request: Http.IncomingMessage, socket: Duplex, head: Buffer) => void
}

/** The general lane of an app. */
export const make = ({
  context,
  exchange
}: Pick<Options, "context" | "exchange">): Effect.Effect<NodeGeneral, never, Scope.Scope> =>
  Effect.gen(function* () {
    const requests = yield* Scope.make("parallel")
    const websockets = yield* Effect.acquireRelease(
      Effect.sync(() => new NodeWS.WebSocketServer({ noServer: true })),
      (wss) => Effect.sync(() => wss.close())
    )
    const responses = new WeakMap<object, HttpServerResponse>()
    const send = yield* NodeHttpServer.makeHandler(
      Effect.map(HttpServerRequest, ({ source }) => responses.get(source)!),
      { scope: requests }
    ).pipe(Effect.provideContext(context))
    return {
      handle: yield* NodeHttpServer.makeHandler(exchange, { scope: requests }).pipe(
        Effect.provideContext(context)
      ),
      requests,
      sendOther: (request, reply, response) => {
        responses.set(request, response)
        send(request, reply)
      },
      upgrade: yield* NodeHttpServer.makeUpgradeHandler(Effect.succeed(websockets), exchange, {
        scope: requests
      }).pipe(Effect.provideContext(context))
    }
  })
