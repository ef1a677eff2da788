/** A web `Request` as the request of Effect's server, whose handler can upgrade it to a WebSocket. */
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as HttpServerError from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Option from "effect/Option"
import * as Socket from "effect/socket/Socket"
import { BoundedWebSocket, type WebSocket } from "./BoundedWebSocket.ts"

/** The interval at which a writer looks whether its peer has read, in milliseconds. */
const pollMillis = 20

/** Creates the request. `upgrade` throws if the request has no valid handshake. */
export const make = (
  source: Request,
  options: {
    readonly remoteAddress: string | undefined
    readonly target: string
    readonly upgrade: (headers: Readonly<Record<string, string>>) => WebSocket
  }
): HttpServerRequest.HttpServerRequest =>
  upgradable(
    HttpServerRequest.fromWeb(source).modify({
      remoteAddress: Option.fromNullishOr(options.remoteAddress),
      url: options.target
    }),
    options.upgrade
  )

const upgradable = (
  inner: HttpServerRequest.HttpServerRequest,
  upgrade: (headers: Readonly<Record<string, string>>) => WebSocket
): HttpServerRequest.HttpServerRequest => {
  const upgradeWith = ({ headers }: { readonly headers?: Headers.Input | undefined }) =>
    Effect.flatMap(
      Effect.try({
        catch: (cause) =>
          new HttpServerError.HttpServerError({
            reason: new HttpServerError.RequestParseError({
              cause,
              // The words of Effect, by which the reply is found.
              description: "Not an upgradeable ServerRequest",
              request: inner
            })
          }),
        try: () => upgrade(Headers.fromInput(headers))
      }),
      socketOf
    )
  // It inherits all members of the request.
  return Object.create(inner, {
    modify: {
      value: (options: Parameters<typeof inner.modify>[0]) =>
        upgradable(inner.modify(options), upgrade)
    },
    upgrade: { get: () => upgradeWith({}) },
    upgradeWith: { value: upgradeWith }
  }) as HttpServerRequest.HttpServerRequest
}

/** Returns the socket of a handler. Writes wait for a peer that does not read. */
const socketOf = (inner: WebSocket): Effect.Effect<Socket.Socket> => {
  const websocket = new BoundedWebSocket(inner)
  const acquire = Effect.acquireRelease(Effect.succeed(websocket), () =>
    Effect.sync(() => websocket.close(1000))
  )
  const flushed: Effect.Effect<void> = Effect.suspend(() =>
    websocket.isFull ? Effect.andThen(Effect.sleep(pollMillis), flushed) : Effect.void
  )
  return Effect.map(Socket.fromWebSocket(acquire), ({ reader, writer }) =>
    Socket.make({
      reader: Effect.map(reader, (made) => ({
        ...made,
        pull: Effect.map(made.pull, (messages) => {
          websocket.taken()
          return messages
        })
      })),
      writer: Effect.map(writer, ({ write, writeAll }) => ({
        write: (chunk) =>
          Socket.isCloseEvent(chunk) ? write(chunk) : Effect.andThen(flushed, write(chunk)),
        writeAll: (chunks) => Effect.andThen(flushed, writeAll(chunks))
      }))
    })
  )
}
