/** Streams of typed server-sent events in contracts. */
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import { EventIdMalformed, EventLogUnavailable, TopicMalformed } from "./EventErrors.ts"

/** The schemas of the data of events, by the name of the event. */
export type Schemas = Readonly<Record<string, Schema.Codec<unknown, unknown>>>

/** An event of a stream: its name, and data of the schema of that name. */
export type Event<Events extends Schemas> = {
  readonly [Name in keyof Events & string]: {
    readonly data: Events[Name]["Type"]
    readonly event: Name
  }
}[keyof Events & string]

/**
 * Tells a client that it has missed events: the log does not have those after its `Last-Event-ID` any more.
 * The client reads the state anew. The stream goes on after the id of this event.
 */
export interface Reset {
  readonly data: {
    /** `expired`: the events were dropped. `unknown`: the log never had the id, or was emptied. */
    readonly reason: "expired" | "unknown"
  }
  readonly event: "reset"
  readonly id?: string | undefined
}

/** What a client receives. `id` continues the stream after the event. */
export type Received<Events extends Schemas> =
  | (Event<Events> & {
      readonly id?: string | undefined
    })
  | Reset

/** An event on the wire: `data` is JSON. */
export interface Encoded {
  readonly data: string
  readonly event?: string | undefined
  readonly id?: string | undefined
}

/** The parts of an endpoint that sends the events of a stream. */
export interface Endpoint<Events extends Schemas> {
  readonly error: readonly [
    typeof EventIdMalformed,
    typeof EventLogUnavailable,
    typeof TopicMalformed
  ]
  readonly headers: { readonly "last-event-id": Schema.optionalKey<typeof Schema.String> }
  readonly success: HttpApiSchema.StreamSse<
    Schema.Codec<Received<Events>, Encoded>,
    typeof Schema.Never
  >
}

/** The contract of a stream of events. */
export interface EventStream<Events extends Schemas> {
  /** The error, headers and success of an endpoint. Spread it into the options of an endpoint. */
  readonly endpoint: Endpoint<Events>
  /** The schemas of the data, by the name of the event. */
  readonly events: Events
}

/** What a name must be: a line of an event stream holds it. */
const nameForm = /^[A-Za-z0-9_.:/-]{1,64}$/

const resetData = Schema.Struct({ reason: Schema.Literals(["expired", "unknown"]) })

const member = (name: string, data: Schema.Codec<unknown, unknown>) =>
  Schema.Struct({
    data: Schema.fromJsonString(Schema.toCodecJson(data)),
    event: Schema.Literal(name),
    id: Schema.optionalKey(Schema.String)
  })

/**
 * Creates the contract of a stream of server-sent events from the schemas of their data, by the name of the
 * event. `endpoint` has the parts of an endpoint: the event stream, the header `Last-Event-ID` and the errors.
 *
 * A stream from a log may also send the event `reset`, so no event has this name.
 *
 * @example
 * ```ts
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import * as Schema from "effect/Schema"
 * import { EventStream } from "flange/Realtime/Contract"
 *
 * const OrderEvents = EventStream.make({
 *   cancelled: Schema.Struct({ id: Schema.Int }),
 *   placed: Schema.Struct({ id: Schema.Int, total: Schema.Int })
 * })
 * const endpoint = HttpApiEndpoint.get("events", "/orders/:customer/events", {
 *   ...OrderEvents.endpoint,
 *   params: { customer: Schema.String }
 * })
 * endpoint.path // => "/orders/:customer/events"
 * ```
 */
export const make = <const Events extends Schemas>(events: Events): EventStream<Events> => {
  const names = Object.keys(events)
  for (const name of names) {
    if (name === "reset" || !nameForm.test(name)) {
      throw new Error(
        `An event cannot have the name ${JSON.stringify(name)}: ${name === "reset" ? "the log sends it to a client that has missed events" : "a line of the stream holds it"}. Write another name of 1 to 64 letters, digits, _, -, ., : and /.`
      )
    }
  }
  const union = Schema.Union([
    ...names.map((name) => member(name, events[name]!)),
    member("reset", resetData)
  ])
  return {
    endpoint: {
      error: [EventIdMalformed, EventLogUnavailable, TopicMalformed],
      headers: { "last-event-id": Schema.optionalKey(Schema.String) },
      success: HttpApiSchema.StreamSse({
        // The members have these types, by the names of the events.
        events: union as unknown as Schema.Codec<Received<Events>, Encoded>
      })
    },
    events
  }
}
