/** The data of rooms. */
import * as Schema from "effect/Schema"

/** The name of a room. */
export const RoomId = Schema.String.check(Schema.isPattern(/^[a-z0-9-]{1,40}$/))

/** The name of somebody in a room. */
export const Name = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(40))

/** What somebody writes. */
export const Say = Schema.Struct({ text: Schema.String.check(Schema.isMaxLength(500)) })

/** What everybody in a room reads. */
export const Said = Schema.Struct({ from: Name, text: Schema.String })

/** What the server sends on a connection. After `missed` the page says that lines are missing. */
export const Sent = Schema.Union([
  Schema.TaggedStruct("missed", {}),
  Schema.TaggedStruct("said", { said: Said })
])
