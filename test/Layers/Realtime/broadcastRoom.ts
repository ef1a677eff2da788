/** The topic of the tests with several processes. */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import { Topic } from "flange/Realtime"
import type { Times } from "./broadcastReplicas.ts"

export const Room = Topic.make("room", { message: Schema.String })

/** Leases that end soon. */
export const brief: Times = {
  heartbeat: Duration.seconds(1),
  lease: Duration.seconds(3),
  maxSize: 2 ** 16
}
