/** The rooms as a plugin. */
import { readFile } from "node:fs/promises"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Plugin, Route } from "flange"
import { Broadcast, Presence, Sse, WebSockets } from "flange/Realtime"
import { Rooms } from "./Rooms.ts"
import { MemberEvents, RoomChannel, RoomsApi } from "./RoomsApi.ts"

export const RoomsPlugin = Plugin.make("chat:rooms", {
  layer: Rooms.layer,
  provides: [Rooms],
  requires: [Broadcast, Presence, Sse, WebSockets],
  routes: [
    Route.public(
      RoomsApi,
      Effect.fn(function* (handlers) {
        const rooms = yield* Rooms
        const sse = yield* Sse
        const channel = (yield* WebSockets).channel(RoomChannel)
        const page = yield* Effect.promise(() =>
          readFile(new URL("page.html", import.meta.url), "utf8")
        )
        return handlers.handleAll({
          chat: ({ params: { room }, query: { name } }) =>
            channel.upgrade((connection) =>
              Effect.gen(function* () {
                const said = yield* rooms.enter(room, name)
                const sent = Stream.map(said, (delivery) =>
                  delivery._tag === "Gap"
                    ? { _tag: "missed" as const }
                    : { _tag: "said" as const, said: delivery.message }
                )
                yield* Effect.raceFirst(
                  connection.sendAll(sent),
                  connection.forEach(({ text }) =>
                    Effect.orDie(rooms.say(room, { from: name, text }))
                  )
                )
              })
            ),
          memberEvents: ({ params: { room } }) =>
            sse.send(
              MemberEvents,
              Stream.map(rooms.watch(room), (data) => ({ data, event: "members" as const }))
            ),
          members: ({ params: { room } }) => Effect.orDie(rooms.members(room)),
          page: () => Effect.succeed(page)
        })
      })
    )
  ]
})
