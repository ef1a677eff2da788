/** The service of the log of events. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import {
  EventIdMalformed,
  EventLogUnavailable,
  EventTooLarge,
  TopicMalformed
} from "../../Contract/EventErrors.ts"
import type { Event, EventStream, Received, Schemas } from "../../Contract/EventStream.ts"
import * as OwnKeys from "../../Contract/OwnKeys.ts"
import { type Advance, advance } from "./EventLogAdvance.ts"
import type { Backend, EventLogError } from "./EventLogBackend.ts"
import * as EventLogPosition from "./EventLogPosition.ts"
import { pageSize } from "./EventLogTail.ts"
import type { Tails } from "./EventLogTails.ts"

/** The methods of `EventLog`. */
export interface EventLogShape {
  /**
   * Adds an event to a topic and returns its id. With the backend `database` it takes part in the transaction of
   * the caller: clients get the event after the commit, and not at all if it is rolled back.
   */
  readonly append: <Events extends Schemas>(
    stream: EventStream<Events>,
    topic: string,
    event: Event<Events>
  ) => Effect.Effect<string, EventLogUnavailable | EventTooLarge | TopicMalformed>
  /** Fails if the backend does not work. */
  readonly ping: Effect.Effect<void, EventLogUnavailable>
  /**
   * Returns the events after the event with the id `after`, and goes on with those that come. Without `after` it
   * begins with the next event. A reader that has missed events gets the event `reset`.
   */
  readonly read: <Events extends Schemas>(
    stream: EventStream<Events>,
    topic: string,
    options?: { readonly after?: string | undefined }
  ) => Stream.Stream<Received<Events>, EventIdMalformed | EventLogUnavailable | TopicMalformed>
}

/** Keeps the last events of each topic. The plugins of this battery provide it. */
export class EventLog extends Context.Service<EventLog, EventLogShape>()(
  "flange/Realtime/EventLog"
) {}

/** Makes the error that an endpoint answers. */
export const unavailable = ({ cause, operation }: EventLogError): EventLogUnavailable =>
  new EventLogUnavailable({ operation, reason: String(cause) })

/** Checks the name of a topic. */
export const checked = (topic: string): Effect.Effect<string, TopicMalformed> =>
  EventLogPosition.isTopic(topic)
    ? Effect.succeed(topic)
    : Effect.fail(new TopicMalformed({ topic }))

/** Reads the id of an event. */
export const positionOf = (
  id: string
): Effect.Effect<EventLogPosition.Position, EventIdMalformed> => {
  const position = EventLogPosition.parse(id)
  return position === undefined || (position.generation === 0 && position.sequence !== 0)
    ? Effect.fail(new EventIdMalformed())
    : Effect.succeed(position)
}

interface Codec {
  readonly decode: (text: string) => Effect.Effect<unknown>
  readonly encode: (data: unknown) => Effect.Effect<string>
}

const codecs = new WeakMap<object, Codec>()

/** Returns the codec of the data of an event. Data that does not fit its schema is a defect. */
const codecOf = (schema: Schema.Codec<unknown, unknown>): Codec => {
  let codec = codecs.get(schema)
  if (codec === undefined) {
    const text = Schema.fromJsonString(Schema.toCodecJson(schema))
    const decode = OwnKeys.decodeUnknownEffect(text)
    const encode = OwnKeys.encodeUnknownEffect(text)
    codec = {
      decode: (data) => Effect.orDie(decode(data)),
      encode: (data) => Effect.orDie(encode(data))
    }
    codecs.set(schema, codec)
  }
  return codec
}

/** Returns the schema of the data of an event; undefined if the stream has no such event. */
const schemaOf = (events: Schemas, event: string): Schemas[string] | undefined =>
  Object.hasOwn(events, event) ? events[event] : undefined

/** Returns the data of an event as JSON. */
export const encoded = (events: Schemas, event: string, data: unknown): Effect.Effect<string> => {
  const schema = schemaOf(events, event)
  return schema === undefined
    ? Effect.die(new Error(`The stream has no event ${JSON.stringify(event)}`))
    : codecOf(schema).encode(data)
}

/** Creates the service. */
export const make = (backend: Backend, tails: Tails, maxEventSize: number): EventLogShape => {
  const read = <Events extends Schemas>(
    { events }: EventStream<Events>,
    topic: string,
    after: string | undefined
  ) =>
    Effect.gen(function* () {
      const name = yield* checked(topic)
      const given = after === undefined ? undefined : yield* positionOf(after)
      const tail = yield* Effect.mapError(tails.open(name), unavailable)

      const received = ({ entries, lost, position }: Advance) =>
        lost === undefined
          ? Effect.forEach(entries, ({ data, event, sequence }) => {
              const { generation } = position
              const id = EventLogPosition.format({ generation, sequence })
              const schema = schemaOf(events, event)
              return schema === undefined
                ? Effect.die(
                    new Error(
                      `The topic ${topic} has an event ${JSON.stringify(event)} of another stream`
                    )
                  )
                : Effect.map(codecOf(schema).decode(data), (data) => ({ data, event, id }))
            })
          : Effect.succeed([
              { data: { reason: lost }, event: "reset", id: EventLogPosition.format(position) }
            ])

      const next = (
        position: EventLogPosition.Position
      ): Effect.Effect<
        readonly [ReadonlyArray<Received<Events>>, Option.Option<EventLogPosition.Position>],
        EventLogUnavailable
      > =>
        Effect.gen(function* () {
          for (;;) {
            // A tail that no one waits for may have been closed.
            const tail = yield* Effect.mapError(tails.open(name), unavailable)
            const seen = tail.position
            const page = yield* Effect.mapError(
              backend.page(name, position.sequence, pageSize),
              unavailable
            )
            const found = advance(position, page)
            if (found.lost !== undefined || found.entries.length > 0) {
              const elements = yield* received(found)
              // The schemas have the types of the events.
              return [
                elements as unknown as ReadonlyArray<Received<Events>>,
                Option.some(found.position)
              ] as const
            }
            yield* tail.changed(seen)
          }
        })
      return Stream.paginate(given ?? tail.position, next)
    })

  return {
    append: (stream, topic, { data, event }) =>
      Effect.gen(function* () {
        const name = yield* checked(topic)
        const text = yield* encoded(stream.events, event, data)
        if (Buffer.byteLength(text) > maxEventSize) {
          return yield* new EventTooLarge({ limit: maxEventSize })
        }
        const position = yield* Effect.mapError(backend.append(name, event, text), unavailable)
        return EventLogPosition.format(position)
      }),
    ping: Effect.mapError(backend.ping, unavailable),
    read: (stream, topic, { after } = {}) => Stream.unwrap(read(stream, topic, after))
  }
}
