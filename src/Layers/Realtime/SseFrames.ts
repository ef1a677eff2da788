/** Events as the text of an event stream. Source: HTML, section 9.2. */
import type { Entry } from "./EventLogBackend.ts"
import * as EventLogPosition from "./EventLogPosition.ts"

const bytes = (text: string): Buffer => Buffer.from(text)

/** A line that a client ignores. */
export const heartbeat = bytes(":\n\n")

/** Returns an event. JSON has no line breaks. */
export const event = (name: string, data: string, id: string | undefined): Buffer =>
  bytes(`${id === undefined ? "" : `id: ${id}\n`}event: ${name}\ndata: ${data}\n\n`)

/** Returns an event of a topic. */
export const entry = ({ data, event: name, sequence }: Entry, generation: number): Buffer =>
  event(name, data, EventLogPosition.format({ generation, sequence }))

/** Returns the event that tells a client that it has missed events. */
export const reset = (reason: "expired" | "unknown", position: EventLogPosition.Position): Buffer =>
  event("reset", JSON.stringify({ reason }), EventLogPosition.format(position))

/** Returns the id after which a client continues, without an event. */
export const position = (at: EventLogPosition.Position): Buffer =>
  bytes(`id: ${EventLogPosition.format(at)}\n\n`)

/** Returns how long a client waits before it connects again, in milliseconds. */
export const retry = (millis: number): Buffer => bytes(`retry: ${Math.round(millis)}\n\n`)
