/** The topic of rooms, which replicas share. */
import { Topic } from "flange/Realtime"
import { RoomId, Said } from "./Room.ts"

/** Each room is a topic of its own. Who is in it is known by name, and needs no more. */
export const RoomTopic = Topic.make("room", { key: RoomId, message: Said })
