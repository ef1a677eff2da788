/** A web `Request` as the request of Effect's server, whose handler can upgrade it to a WebSocket. */
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as HttpServerError from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Option from "effect/Option"
import * as Socket from "effect/socket/Socket"

/** The most bytes of messages that wait for the handler, and of those that wait for the peer. */
const maxWaiting = 1024 * 1024

/** The interval at which a writer looks whether its peer has read, in milliseconds. */
const pollMillis = 20

/** A WebSocket of a runtime. */
export interface WebSocket extends Socket.WebSocketLike {
  readonly bufferedAmount: number
}

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
              description: "The request is not a WebSocket handshake",
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

/**
 * Returns the socket of a handler. Writes wait for a peer that does not read. The runtimes cannot pause
 * a peer, so one that sends faster than its handler reads loses its connection.
 */
const socketOf = (websocket: WebSocket): Effect.Effect<Socket.Socket> =>
  Effect.map(
    Socket.fromWebSocket(
      Effect.acquireRelease(Effect.succeed(websocket), () =>
        Effect.sync(() => websocket.close(1000))
      ),
      { highWaterMark: maxWaiting }
    ),
    ({ reader, writer }) =>
      Socket.make({
        reader,
        writer: Effect.map(writer, ({ write, writeAll }) => ({
          write: (chunk) =>
            Socket.isCloseEvent(chunk)
              ? write(chunk)
              : Effect.andThen(flushed(websocket), write(chunk)),
          writeAll: (chunks) => Effect.andThen(flushed(websocket), writeAll(chunks))
        }))
      })
  )

const flushed = (websocket: WebSocket): Effect.Effect<void> =>
  Effect.suspend(() =>
    websocket.readyState === 1 && websocket.bufferedAmount > maxWaiting
      ? Effect.andThen(
          Effect.sleep(pollMillis),
          Effect.suspend(() => flushed(websocket))
        )
      : Effect.void
  )
