/** What happens in rooms. No module of HTTP is imported here. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { Broadcast, type Change, Presence } from "flange/Realtime"
import type { Said } from "./Room.ts"
import { RoomTopic } from "./RoomTopic.ts"

/** Applies a change to a list of names. */
const applied = (
  names: ReadonlyArray<string>,
  change: Change<undefined>
): ReadonlyArray<string> => {
  switch (change._tag) {
    case "Joined":
      return [...names, change.member.id]
    case "Left":
      return names.filter((name) => name !== change.id)
    case "Snapshot":
      return change.members.map(({ id }) => id)
    case "Updated":
      return names
  }
}

const make = Effect.gen(function* () {
  const broadcast = yield* Broadcast
  const presence = yield* Presence
  return {
    /** Lets somebody in until the scope closes, and returns what is said from then on. */
    enter: Effect.fnUntraced(function* (room: string, name: string) {
      const topic = RoomTopic.at(room)
      const said = yield* broadcast.subscribe(topic)
      // The contract has limited the name.
      yield* Effect.orDie(presence.join(topic, name))
      return said
    }),
    members: (room: string) =>
      Effect.map(presence.list(RoomTopic.at(room)), (members) => members.map(({ id }) => id)),
    say: (room: string, said: typeof Said.Type) => broadcast.publish(RoomTopic.at(room), said),
    /** The names in a room, at first and after each change. */
    watch: (room: string) =>
      Stream.unwrap(presence.changes(RoomTopic.at(room))).pipe(
        Stream.scan((): ReadonlyArray<string> => [], applied),
        // The list before the first snapshot.
        Stream.drop(1)
      )
  }
})

export class Rooms extends Context.Service<Rooms, Effect.Success<typeof make>>()("chat/Rooms") {
  static readonly layer = Layer.effect(Rooms, make)
}
