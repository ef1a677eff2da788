// Handlers of channels that do not upgrade the connection.
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import { Route } from "flange"
import { WebSockets } from "flange/Realtime"
import { Channel } from "flange/Realtime/Contract"
import { RoomLocked, TenantMiddleware } from "./lib.ts"

const Chat = Channel.make(
  HttpApiEndpoint.get("chat", "/:room/chat", { error: RoomLocked, params: { room: Schema.String } }),
  { receive: Schema.String, send: Schema.String }
)
class ChatApi extends HttpApiGroup.make("rooms").add(
  Chat.endpoint,
  HttpApiEndpoint.get("ping", "/ping")
).prefix("/v1").middleware(TenantMiddleware) {}

const ping = () => Effect.void

export const fits = Route.public(ChatApi, Effect.fn(function*(handlers) {
  const served = (yield* WebSockets).channel(Chat)
  return handlers.handleAll({
    chat: ({ params }) => params.room === "" ? Effect.fail(new RoomLocked()) : served.upgrade(() => Effect.void),
    ping
  })
}))

export const refuses = Route.public(ChatApi, (handlers) => handlers.handleAll({
  chat: () => Effect.succeed(HttpServerResponse.empty({ status: 410 })), ping
}))

export const nothing = Route.public(ChatApi, (handlers) => handlers.handleAll({
  chat: () => Effect.void, ping
  // ^ expect: `rooms.chat` is a channel, but its handler does not upgrade the connection: return `served.upgrade((connection) => effect)`, where `served` is `sockets.channel(Channel)`
}))

export const value = Route.public(ChatApi, (handlers) => handlers.handleAll({
  chat: Effect.fn(function*({ params }) { return params.room }), ping
  // ^ expect: `rooms.chat` is a channel, but its handler does not upgrade the connection: return `served.upgrade((connection) => effect)`, where `served` is `sockets.channel(Channel)`
}))

export const noEffect = Route.public(ChatApi, (handlers) => handlers.handleAll({
  chat: () => {}, ping
  // ^ expect: `rooms.chat` is a channel, but its handler does not upgrade the connection: return `served.upgrade((connection) => effect)`, where `served` is `sockets.channel(Channel)`
}))

export const notCalled = Route.public(ChatApi, Effect.fn(function*(handlers) {
  const served = (yield* WebSockets).channel(Chat)
  return handlers.handleAll({ ping }).handle(
    "chat", () => served.upgrade
    // ^ expect: `rooms.chat` is a channel, but its handler does not upgrade the connection: return `served.upgrade((connection) => effect)`, where `served` is `sockets.channel(Channel)`
  )
}))
