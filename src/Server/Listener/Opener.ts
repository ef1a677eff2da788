/**
 * Opens single requests in Effect's own Node server, for streams, files, multipart and
 * upgrades.
 */
import type * as Http from "node:http"
import type { Duplex } from "node:stream"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Scope from "effect/Scope"
import { mapUpgrade } from "../EffectInternals.ts"
import type { Serving } from "../Exchange/Serving.ts"
import * as UpgradedSocket from "./UpgradedSocket.ts"

/** A request that Effect's server holds until its reply is sent. */
export interface Opened {
  readonly request: HttpServerRequest
  /** Sends the reply. Call it once. */
  readonly send: (response: HttpServerResponse) => void
}

/** Opens requests of a listener. */
export interface Opener {
  /**
   * Calls back once requests can be opened. It waits only while the first one loads Effect's
   * server.
   */
  readonly load: (then: () => void) => void
  readonly open: (request: Http.IncomingMessage, reply: Http.ServerResponse) => Opened
  /** Calls `onUpgrade` when the handler has upgraded the connection. */
  readonly openUpgrade: (
    request: Http.IncomingMessage,
    socket: Duplex,
    rest: Buffer,
    onUpgrade: () => void
  ) => Opened
  /** The scope of opened requests; closing it interrupts the replies that are still being sent. */
  readonly requests: Scope.Closeable
}

const key = Symbol("flange/Opener")

/** A request with a callback for the opened request. */
interface Opening {
  [key]?: (opened: Opened) => void
}

/** The handler of Effect's server for an opened request: waits for the reply. */
const held: Effect.Effect<HttpServerResponse, never, HttpServerRequest> = Effect.flatMap(
  HttpServerRequest,
  (request) =>
    // Effect runs the handler in an uninterruptible region.
    Effect.interruptible(
      Effect.callback((resume) =>
        (request.source as Opening)[key]!({
          request,
          send: (response) => resume(Effect.succeed(response))
        })
      )
    )
)

/**
 * Loads Effect's server. Its modules take 25 MB, and an app of plain endpoints does not need
 * them.
 */
const loadHandlers = (requests: Scope.Scope) =>
  Effect.gen(function* () {
    const [NodeHttpServer, { WebSocketServer }] = yield* Effect.promise(() =>
      Promise.all([
        import("@effect/platform-node/NodeHttpServer"),
        import("@effect/platform-node/NodeWS")
      ])
    )
    // It runs in the handler's fiber, whose route has the limit.
    const websockets = Effect.map(HttpIncomingMessage.MaxBodySize, (limit) =>
      UpgradedSocket.acceptor(WebSocketServer, Number(limit))
    )
    const options = { scope: requests }
    return {
      handle: yield* NodeHttpServer.makeHandler(held, options),
      upgrade: yield* NodeHttpServer.makeUpgradeHandler(websockets, held, options)
    }
  })

function self<A>(this: A): A {
  return this
}

const ignore = (): void => {}

/** Returns the opened request. Effect runs `held` synchronously inside `begin`. */
const opened = (request: Http.IncomingMessage & Opening, begin: () => void): Opened => {
  // Node emits the error of a client that left also if its last listener goes before: that would end the process.
  request.on("error", ignore)
  let made: Opened | undefined
  const keep = (opened: Opened): void => {
    made = opened
  }
  request[key] = keep
  begin()
  return made!
}

/** Creates the opener of a listener. */
export const make = (serving: Serving): Effect.Effect<Opener> =>
  Effect.gen(function* () {
    const requests = yield* Scope.make("parallel")
    let handlers: Effect.Success<ReturnType<typeof loadHandlers>> | undefined
    let waiting: Array<() => void> | undefined
    const load = (then: () => void): void => {
      if (handlers !== undefined) return then()
      if (waiting !== undefined) {
        waiting.push(then)
        return
      }
      waiting = [then]
      // Without a tracer: the exchange makes the request's span itself.
      Effect.runForkWith(serving.untraced as Context.Context<never>)(
        Effect.map(loadHandlers(requests), (loaded) => {
          handlers = loaded
          for (const each of waiting!) each()
        })
      )
    }
    return {
      load,
      open: (request, reply) => {
        // Effect would prepend a listener that cuts a client which is still sending its body.
        reply.prependListener = self
        const made = opened(request, () => handlers!.handle(request, reply))
        Reflect.deleteProperty(reply, "prependListener")
        return made
      },
      openUpgrade: (request, socket, rest, onUpgrade) => {
        const made = opened(request, () => handlers!.upgrade(request, socket, rest))
        const bounded = UpgradedSocket.bounded(socket)
        mapUpgrade(made.request, (upgraded) => {
          onUpgrade()
          return bounded(upgraded)
        })
        return made
      },
      requests
    }
  })

/** Calls back once a reply or a connection is closed, never synchronously. */
export const whenClosed = (stream: Duplex | Http.ServerResponse, done: () => void): void => {
  if (stream.closed) queueMicrotask(done)
  else stream.once("close", done)
}
