/** An app with channels, and clients that send exact frames. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { ApiError, Plugin, Route } from "flange"
import * as Realtime from "flange/Realtime"
import { Channel } from "flange/Realtime/Contract"
import type { Client } from "../../Server/Listener/Proxied/rig.ts"

const Say = Schema.Struct({ text: Schema.String })

const Said = Schema.Struct({ room: Schema.Int, text: Schema.String })

export class RoomNotFound extends ApiError.make<RoomNotFound>()("RoomNotFound", {
  code: "ROOM_NOT_FOUND",
  detail: "There is no such room",
  status: 404
}) {}

const channel = <const Name extends string, const Path extends `/${string}`>(
  name: Name,
  path: Path
) =>
  Channel.make(
    HttpApiEndpoint.get(name, path, {
      error: RoomNotFound,
      params: { room: Schema.Int },
      query: { as: Schema.optional(Schema.String) }
    }),
    { receive: Say, send: Said }
  )

export const Chat = channel("chat", "/chat/:room")

const Answering = channel("answering", "/answering/:room")
const AnsweringShortly = Channel.make(HttpApiEndpoint.get("answeringShortly", "/shortly"), {
  receive: Say,
  send: Schema.Struct({ text: Schema.String.check(Schema.isMaxLength(10)) })
})
const Big = channel("big", "/big/:room")
const Deflated = channel("deflated", "/deflated/:room")
const Dies = channel("dies", "/dies/:room")
const Flood = channel("flood", "/flood/:room")
const Idle = channel("idle", "/idle/:room")
const Busy = channel("busy", "/busy/:room")
const Once = channel("once", "/once/:room")
export const Waits = channel("waits", "/waits/:room")

export const Spoken = Channel.make(HttpApiEndpoint.get("spoken", "/spoken"), {
  receive: Say,
  send: Say,
  subprotocols: ["v2", "v1"]
})

export class RoomsApi extends HttpApiGroup.make("rooms").add(
  Answering.endpoint,
  AnsweringShortly.endpoint,
  Big.endpoint,
  Chat.endpoint,
  Deflated.endpoint,
  Dies.endpoint,
  Flood.endpoint,
  Idle.endpoint,
  Busy.endpoint,
  Once.endpoint,
  Spoken.endpoint,
  Waits.endpoint
) {}

/** What the handlers of an app did. */
export class Seen {
  big: () => number = () => 0
  broadcast: (text: string) => number = () => 0
  readonly door = Deferred.makeUnsafe<void>()
  heard = 0
  idle: () => number = () => 0
  interrupted = 0
  offered = 0
  open: () => number = () => 0
}

/** Creates the plugin. Its limits are low. */
export const plugin = (seen: Seen) =>
  Plugin.make("test:rooms", {
    defaults: { webSocket: { closeTimeout: "300 millis" } },
    requires: [Realtime.WebSockets],
    routes: [
      Route.public(
        RoomsApi,
        Effect.fn(function* (handlers) {
          const { channel } = yield* Realtime.WebSockets
          const answering = channel(Answering, {
            onInvalid: (reason) => ({ room: 0, text: reason })
          })
          const shortly = channel(AnsweringShortly, { onInvalid: (text) => ({ text }) })
          const big = channel(Big, { maxBuffer: 1000, sendTimeout: "5 minutes" })
          const chat = channel(Chat, {
            maxSize: 2000,
            messagesPerSecond: 20,
            origins: ["https://friend.example"]
          })
          const deflated = channel(Deflated, { compression: true, maxSize: 100_000 })
          const dies = channel(Dies)
          const flood = channel(Flood, { maxBuffer: 100_000, sendTimeout: "300 millis" })
          const idle = channel(Idle, { idleTimeout: "200 millis", maxWaiting: 5 })
          const busy = channel(Busy, { idleTimeout: "2 seconds", maxWaiting: 20 })
          const once = channel(Once)
          const spoken = channel(Spoken)
          const waits = channel(Waits, { maxWaiting: 10, messagesPerSecond: 1_000_000 })
          seen.big = () => big.connections.size
          seen.idle = () => idle.connections.size
          seen.open = () => chat.connections.size
          seen.broadcast = (text) => chat.broadcast({ room: 0, text })
          return handlers.handleAll({
            answering: () => answering.upgrade((connection) => Effect.asVoid(connection.closed)),
            answeringShortly: () => shortly.upgrade((connection) => connection.closed),
            big: ({ params }) =>
              big.upgrade((connection) =>
                Effect.gen(function* () {
                  for (const text of ["x".repeat(20_000_000), "y"]) {
                    yield* connection.send({ room: params.room, text })
                    seen.offered++
                  }
                  yield* connection.closed
                })
              ),
            busy: () =>
              busy.upgrade((connection) =>
                connection.forEach(({ text }) =>
                  Effect.andThen(
                    connection.send({ room: 0, text }),
                    Effect.raceFirst(Effect.sleep("200 millis"), connection.closed)
                  )
                )
              ),
            chat: ({ params, query }) =>
              Effect.gen(function* () {
                if (params.room === 404) return yield* new RoomNotFound()
                return yield* chat.upgrade((connection) =>
                  connection.forEach(({ text }) =>
                    connection.send({ room: params.room, text: `${query.as ?? ""}${text}` })
                  )
                )
              }),
            deflated: ({ params }) =>
              deflated.upgrade((connection) =>
                connection.forEach(({ text }) => connection.send({ room: params.room, text }))
              ),
            dies: () =>
              dies.upgrade((connection) =>
                Effect.andThen(connection.receive, Effect.die(new Error("secret of the inside")))
              ),
            flood: ({ params }) =>
              flood.upgrade((connection) =>
                Effect.forever(
                  Effect.andThen(
                    connection.send({ room: params.room, text: "x".repeat(50_000) }),
                    Effect.sync(() => seen.offered++)
                  )
                )
              ),
            idle: () => idle.upgrade((connection) => connection.closed),
            once: () => once.upgrade((connection) => connection.receive),
            spoken: () => spoken.upgrade((connection) => connection.closed),
            waits: () =>
              waits.upgrade((connection) =>
                Effect.andThen(
                  Deferred.await(seen.door),
                  connection.forEach(() => Effect.sync(() => seen.heard++))
                ).pipe(Effect.onInterrupt(() => Effect.sync(() => seen.interrupted++)))
              )
          })
        })
      )
    ]
  })

const head = (method: string, path: string, ...lines: ReadonlyArray<string>) =>
  [`${method} ${path} HTTP/1.1`, "Host: a", ...lines, "", ""].join("\r\n")

/** The head of a handshake. */
export const handshake = (path: string, ...lines: ReadonlyArray<string>) =>
  head(
    "GET",
    path,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ...lines
  )

/** The head of a request that offers no upgrade. */
export const plain = (path: string) => head("GET", path)

/** A frame, masked with zeros. Source: RFC 6455, section 5.2. */
export const frame = (
  payload: string | Uint8Array,
  { first = 0x81, isMasked = true }: { readonly first?: number; readonly isMasked?: boolean } = {}
): Buffer => {
  const bytes = Buffer.from(payload)
  const { length } = bytes
  const mask = isMasked ? 0x80 : 0
  const size =
    length < 126
      ? [mask | length]
      : length < 65_536
        ? [mask | 126, length >> 8, length & 255]
        : [
            mask | 127,
            0,
            0,
            0,
            0,
            length >>> 24,
            (length >> 16) & 255,
            (length >> 8) & 255,
            length & 255
          ]
  return Buffer.concat([Buffer.from([first, ...size, ...(isMasked ? [0, 0, 0, 0] : [])]), bytes])
}

/** A message that fits the channels. */
export const say = (text: string): Buffer => frame(JSON.stringify({ text }))

/** Returns the code of the closing frame at the end of a stream of bytes; undefined if there is none. */
export const codeIn = (text: string): number | undefined => {
  const at = text.lastIndexOf("\x88")
  return at === -1 ? undefined : (text.charCodeAt(at + 2) << 8) | text.charCodeAt(at + 3)
}

/** Answers the closing frame of the server, and returns all that came once the connection has ended. */
export const answered = async (client: Client): Promise<string> => {
  await client.until((text) => client.isEnded || codeIn(text) !== undefined)
  client.send(frame("", { first: 0x88 }))
  return client.end()
}
