/** Request listeners of `node:http`, such as an Express app, as plain routes. */
import type * as Http from "node:http"
import type { Http2ServerRequest } from "node:http2"
import type { Duplex } from "node:stream"
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { NotImplemented } from "../../Contract/Catalogue.ts"
import { CurrentExchange, type Exchange } from "../Exchange/Exchange.ts"
import * as ReplyHeaders from "../Exchange/ReplyHeaders.ts"
import * as RequestId from "../Exchange/RequestId.ts"
import { withLines } from "../Exchange/WireReply.ts"

/**
 * A request listener of `node:http`. An Express app is one, `fastify.routing` another, and
 * `koa.callback()` returns one.
 */
export type Listener = (request: Http.IncomingMessage, response: Http.ServerResponse) => unknown

/** A request that a mounted listener serves. */
interface Mounted {
  /** Ends the request because the listener threw. */
  readonly fail: (error: unknown) => void
  readonly services: Context.Context<never>
}

/** Requests by their connection: each has one of its own. */
const requests = new WeakMap<object, Mounted>()

/**
 * Creates a layer of `Route.raw` that serves `path` with a request listener of `node:http`. `path` is
 * one of the router, such as `/*` for everything that no other route takes, or `/shop/*`. The listener
 * gets the path as the client sent it.
 *
 * The listener runs in Flange's request: behind its slots and the authentication of the group, and
 * before its access line. The drain waits for it. Bodies are streamed in both directions. If the
 * client disconnects, Node's objects emit `close`. What the listener throws, and what its promise
 * rejects with, is answered with 500 and logged.
 *
 * Flange sets `X-Request-ID` of the request. The reply has no trailers. A request for a WebSocket is
 * answered with 501: serve it with a route of Flange, or on a port of its own.
 *
 * @example
 * ```ts
 * import type { IncomingMessage, ServerResponse } from "node:http"
 * import * as Effect from "effect/Effect"
 * import { App, Mount, Plugin, Route } from "flange"
 * import { TestApp } from "flange/Testing"
 *
 * const listener = (request: IncomingMessage, response: ServerResponse) => {
 *   response.end(`old ${request.url}`)
 * }
 * const OldPlugin = Plugin.make("shop:old", {
 *   routes: [
 *     Route.raw("old", Mount.layer("/old/*", Effect.succeed(listener)), { access: "public" })
 *   ]
 * })
 *
 * const test = Effect.gen(function* () {
 *   const shop = yield* TestApp.make(App.make("shop", [OldPlugin]))
 *   return (yield* shop.get("/old/orders?page=2")).text
 * })
 * await Effect.runPromise(Effect.scoped(test)) // => "old /old/orders?page=2"
 * ```
 */
export const layer = <E, R>(
  path: HttpRouter.PathInput,
  /** Returns the listener. It may acquire resources: they are released with the plugin. */
  listener: Effect.Effect<Listener, E, R>
): Layer.Layer<never, E, Exclude<R, Scope.Scope> | HttpRouter.HttpRouter> =>
  HttpRouter.use(
    Effect.fnUntraced(function* (router) {
      const handler = serve(serverOf(yield* listener))
      // A request that is served has an exchange, which answers its failure.
      yield* router.add("*", path, handler as Effect.Effect<HttpServerResponse.HttpServerResponse>)
    })
  )

/**
 * Returns the services of the request that a mounted listener serves: the request id, the caller of a
 * protected group, and the references of its fiber. Throws if Flange does not serve the request.
 *
 * @example
 * ```ts
 * import type { IncomingMessage } from "node:http"
 * import * as Context from "effect/Context"
 * import { CurrentIdentity, Mount, RequestId } from "flange"
 *
 * // In a listener: the id of its request, and the caller if the group is protected.
 * const idOf = (request: IncomingMessage) => Context.get(Mount.services(request), RequestId)
 * const callerOf = (request: IncomingMessage) =>
 *   Context.getOption(Mount.services(request), CurrentIdentity)
 * ```
 */
export const services = (request: Http.IncomingMessage): Context.Context<never> => {
  const found = requests.get(request.socket)
  if (found !== undefined) return found.services
  throw new TypeError(
    "This request does not come from Flange. Mount its listener with `Mount.layer`, and pass the `IncomingMessage` that the listener gets."
  )
}

/** Effectively none: the listener of the app has limited the head already. */
const maxHeaderSize = 2 ** 24

/** Returns a server that listens on nothing: it gets its connections from `connect`. */
const serverOf = (listener: Listener): Http.Server =>
  // The import statement would also evaluate the module's lazy parts.
  process
    .getBuiltinModule("node:http")
    .createServer({ maxHeaderSize, requireHostHeader: false }, (request, response) => {
      const call = async () => void (await listener(request, response))
      call().catch(requests.get(request.socket)!.fail)
    })

const serve = (server: Http.Server) =>
  Effect.gen(function* () {
    const exchange = yield* CurrentExchange
    const protocol = exchange.header("upgrade")?.toLowerCase()
    if (protocol === "websocket") return yield* new NotImplemented()
    const services = yield* Effect.context<never>()
    const reply = Deferred.makeUnsafe<Http.IncomingMessage, unknown>()
    let thrown: unknown
    const outgoing = yield* Effect.acquireRelease(
      Effect.sync(() => connect(server, exchange, { fail, services })),
      // The request is over: its reply was sent, or its client has disconnected.
      (outgoing) => Effect.sync(() => outgoing.destroy())
    )
    const end = (cause: Cause.Cause<unknown>) => {
      Deferred.doneUnsafe(reply, Exit.failCause(cause))
      outgoing.destroy()
    }
    function fail(error: unknown) {
      thrown = error
      end(Cause.die(error))
    }
    outgoing.on("response", (incoming) => Deferred.doneUnsafe(reply, Exit.succeed(incoming)))
    outgoing.on("error", (cause) => end(Cause.die(new Error(unanswered, { cause }))))
    const body = hasBody(exchange) ? send(exchange, outgoing) : Effect.sync(() => outgoing.end())
    yield* Effect.forkScoped(Effect.catchCause(body, (cause) => Effect.sync(() => end(cause))))
    return responseOf(yield* Deferred.await(reply), (error) => thrown ?? error)
  })

const unanswered = "The mounted listener closed the connection of a request without a reply"

/** Opens a connection in memory and sends the head of the request on it. */
const connect = (server: Http.Server, exchange: Exchange, mounted: Mounted): Http.ClientRequest => {
  const [inside, outside] = process.getBuiltinModule("node:stream").duplexPair()
  Object.assign(inside, socketMembers, { remoteAddress: exchange.peer })
  // A pair does not close together.
  inside.once("close", () => outside.destroy())
  outside.once("close", () => inside.destroy())
  requests.set(inside, mounted)
  server.emit("connection", inside)
  return process.getBuiltinModule("node:http").request({
    createConnection: () => outside,
    headers: requestLines(exchange),
    maxHeaderSize,
    method: exchange.method,
    path: exchange.target
  })
}

/** What listeners call on a socket, and this connection does not need. */
const socketMembers = Object.fromEntries(
  ["ref", "setKeepAlive", "setNoDelay", "setTimeout", "unref"].map((name) => [
    name,
    function (this: Duplex) {
      return this
    }
  ])
)

/** Headers of one connection, and those that Flange sets. */
const ownLines = new Set([
  "connection",
  "date",
  "expect",
  "keep-alive",
  "proxy-connection",
  RequestId.header,
  "trailer",
  "transfer-encoding",
  "upgrade"
])

const hasBody = (exchange: Exchange): boolean => {
  const length = exchange.header("content-length")
  if (length !== undefined) return Number(length) > 0
  if (exchange.header("transfer-encoding") !== undefined) return true
  const { source } = exchange.request
  // HTTP/2 has no field for it.
  if ("stream" in source) return !(source as Http2ServerRequest).stream.endAfterHeaders
  return source instanceof Request && source.body !== null
}

const requestLines = (exchange: Exchange): ReadonlyArray<string> => {
  const lines = [...exchange.headers].filter(([name]) => !ownLines.has(name.toLowerCase()))
  lines.push(["Connection", "close"], ["X-Request-ID", exchange.requestId])
  if (exchange.header("content-length") === undefined) {
    if (hasBody(exchange)) lines.push(["Transfer-Encoding", "chunked"])
    // Without a length, Node would send an empty chunked body.
    else if (exchange.hasBody) lines.push(["Content-Length", "0"])
  }
  return lines.flat()
}

/** Sends the body of the request, as fast as the listener reads it. */
const send = (exchange: Exchange, outgoing: Http.ClientRequest) => {
  let left = Number(exchange.header("content-length"))
  let last: Uint8Array | undefined
  const write = (bytes: Uint8Array) =>
    Effect.callback<void>((resume) => {
      left -= bytes.length
      if (left !== 0) return void outgoing.write(bytes, () => resume(Effect.void))
      // A reply before the request is complete would close the connection of the client.
      last = bytes
      resume(Effect.void)
    })
  return Effect.andThen(
    Stream.runForEach(exchange.request.stream, write),
    Effect.sync(() => outgoing.end(last))
  )
}

const responseOf = (
  incoming: Http.IncomingMessage,
  errorOf: (error: unknown) => unknown
): HttpServerResponse.HttpServerResponse => {
  const length = incoming.headers["content-length"]
  const body = HttpBody.stream(
    Stream.fromAsyncIterable<Uint8Array, unknown>(incoming, errorOf),
    "",
    length === undefined ? undefined : Number(length)
  )
  const response = HttpServerResponse.setBody(
    HttpServerResponse.empty({ status: incoming.statusCode! }),
    body
  )
  const lines = incoming.rawHeaders.map((text, i) => (i % 2 === 0 ? text.toLowerCase() : text))
  const own = lines.filter((_, i) => {
    const name = lines[i - (i % 2)]!
    return !ownLines.has(name) && !ReplyHeaders.isFraming(name)
  })
  return withLines(
    // The type is among the lines, if the reply has one.
    HttpServerResponse.removeHeader(response, "content-type"),
    ReplyHeaders.merge(own, { added: [], set: [] }, [])
  )
}
