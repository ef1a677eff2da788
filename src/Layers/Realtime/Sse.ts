/** The service that answers requests with event streams. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import type {
  EventIdMalformed,
  EventLogUnavailable,
  TopicMalformed
} from "../../Contract/EventErrors.ts"
import type { Event, EventStream, Schemas } from "../../Contract/EventStream.ts"
import * as PushedBody from "../../Server/Exchange/PushedBody.ts"
import { checked, encoded, positionOf, unavailable } from "./EventLog.ts"
import * as EventLogPosition from "./EventLogPosition.ts"
import type { Tails } from "./EventLogTails.ts"
import type { Settings } from "./SseConfig.ts"
import { Connection, LogFollower } from "./SseConnection.ts"
import type { Connections } from "./SseConnections.ts"
import * as SseFrames from "./SseFrames.ts"

/** Options of a stream. */
export interface StreamOptions {
  /** How long the stream lasts before its client has to connect again. The default is `sse.maxDuration`. */
  readonly duration?: Duration.Input | undefined
}

/** The methods of `Sse`. */
export interface SseShape {
  /** Ends all streams, also those that begin later: their clients connect again. */
  readonly drain: Effect.Effect<void>
  /**
   * Answers with the events of a topic: those after the `Last-Event-ID` of the request, and then those that come.
   * A request without the header begins with the next event.
   */
  readonly follow: <Events extends Schemas>(
    stream: EventStream<Events>,
    topic: string,
    options?: StreamOptions
  ) => Effect.Effect<
    HttpServerResponse.HttpServerResponse,
    EventIdMalformed | EventLogUnavailable | TopicMalformed,
    HttpServerRequest.HttpServerRequest
  >
  /**
   * Answers with the events of a stream, at the speed of the client. The reply ends with the stream. If the
   * stream fails, the failure is logged and the reply is cut off. `id` is what the client sends as
   * `Last-Event-ID` when it connects again.
   */
  readonly send: <Events extends Schemas, E, R>(
    stream: EventStream<Events>,
    events: Stream.Stream<Event<Events> & { readonly id?: string | undefined }, E, R>,
    options?: StreamOptions
  ) => Effect.Effect<HttpServerResponse.HttpServerResponse, never, R>
}

/** Answers with event streams. The plugins of this battery provide it. */
export class Sse extends Context.Service<Sse, SseShape>()("flange/Realtime/Sse") {}

const headers = {
  // A proxy that compresses would hold events back.
  "cache-control": "no-store, no-transform",
  "x-accel-buffering": "no"
}

/** A stream that runs an effect while it is open. */
class Running extends Connection {
  #interrupt: (() => void) | undefined
  readonly #run: (connection: Running) => () => void

  constructor(hub: Connections, endsAt: number, run: (connection: Running) => () => void) {
    super(hub, endsAt)
    this.#run = run
  }

  protected override begin(): void {
    super.begin()
    if (!this.hub.isDraining) this.#interrupt = this.#run(this)
  }

  protected override stop(): void {
    this.#interrupt?.()
  }

  /** Ends the stream: it has no further event. */
  finish(): void {
    this.sink?.end()
  }
}

const lineBreaks = /[\0\n\r]/g

/** Creates the service. */
export const make = (settings: Settings, tails: Tails, connections: Connections): SseShape => {
  const endOf = (options: StreamOptions | undefined) =>
    Effect.map(
      Clock.currentTimeMillis,
      (now) => now + Duration.toMillis(options?.duration ?? settings.maxDuration)
    )
  return {
    drain: connections.drain,
    follow: (stream, topic, options) =>
      Effect.gen(function* () {
        const request = yield* HttpServerRequest.HttpServerRequest
        const name = yield* checked(topic)
        const id = request.headers["last-event-id"]
        const given = id === undefined || id === "" ? undefined : yield* positionOf(id)
        const tail = yield* Effect.mapError(tails.open(name), unavailable)
        const position = given ?? tail.position
        return PushedBody.make(
          new LogFollower(connections, yield* endOf(options), tail, position),
          {
            contentType: stream.endpoint.success.contentType,
            headers: { ...headers, "last-event-id": EventLogPosition.format(position) }
          }
        )
      }),
    send: <Events extends Schemas, E, R>(
      stream: EventStream<Events>,
      events: Stream.Stream<Event<Events> & { readonly id?: string | undefined }, E, R>,
      options?: StreamOptions
    ) =>
      Effect.gen(function* () {
        const context = yield* Effect.context<R>()
        const run = (connection: Running) =>
          connections.run(
            Stream.runForEach(events, ({ data, event, id }) =>
              Effect.flatMap(encoded(stream.events, event, data), (text) =>
                Effect.callback<void>((resume) => {
                  connection.send(SseFrames.event(event, text, id?.replace(lineBreaks, "")))
                  connection.drained(() => resume(Effect.void))
                })
              )
            ).pipe(
              Effect.provideContext(context),
              Effect.matchCauseEffect({
                onFailure: (cause) =>
                  Effect.andThen(
                    Effect.logError("The events of a stream failed", cause),
                    Effect.sync(() => connection.cut())
                  ),
                onSuccess: () => Effect.sync(() => connection.finish())
              })
            )
          )
        return PushedBody.make(new Running(connections, yield* endOf(options), run), {
          contentType: stream.endpoint.success.contentType,
          headers
        })
      })
  }
}
