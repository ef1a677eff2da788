/** The contract of rooms. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import { Channel, EventStream } from "flange/Realtime/Contract"
import { Name, RoomId, Say, Sent } from "./Room.ts"

/** The events of the list of members: each has the whole list. */
export const MemberEvents = EventStream.make({ members: Schema.Array(Name) })

/** The connection of somebody in a room. */
export const RoomChannel = Channel.make(
  HttpApiEndpoint.get("chat", "/v1/rooms/:room/chat", {
    params: { room: RoomId },
    query: { name: Name }
  }),
  { receive: Say, send: Sent }
)

export class RoomsApi extends HttpApiGroup.make("rooms").add(
  RoomChannel.endpoint,
  HttpApiEndpoint.get("memberEvents", "/v1/rooms/:room/members/events", {
    ...MemberEvents.endpoint,
    params: { room: RoomId }
  }),
  HttpApiEndpoint.get("members", "/v1/rooms/:room/members", {
    params: { room: RoomId },
    success: Schema.Array(Name)
  }),
  HttpApiEndpoint.get("page", "/", {
    query: { name: Schema.optionalKey(Name) },
    success: Schema.String.pipe(HttpApiSchema.asText({ contentType: "text/html; charset=utf-8" }))
  })
) {}
