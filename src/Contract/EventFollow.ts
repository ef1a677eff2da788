/** A client of an event stream that connects again, and continues where it was. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Sse from "effect/encoding/Sse"
import type * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"

/** The part of a request that `follow` fills in. Spread it into the request of a client. */
export interface FollowRequest {
  readonly headers: { readonly "last-event-id"?: string }
  readonly responseMode: "decoded-and-response"
}

/** Options of `follow`. */
export interface FollowOptions {
  /** Continues after the event with this id. Without it, the stream begins with the next event. */
  readonly lastEventId?: string | undefined
  /**
   * The longest wait before an attempt to connect again, also if the server asks for a longer one. The default is
   * 30 seconds.
   */
  readonly maxDelay?: Duration.Input | undefined
}

/** The shortest wait before an attempt to connect again, in milliseconds. */
const shortest = 250

/** Returns the longest wait in milliseconds. Without a wait, a client would call a server that is away in a loop. */
const longestOf = ({ maxDelay = Duration.seconds(30) }: FollowOptions): number => {
  const millis = Duration.toMillis(maxDelay)
  if (millis > 0) return millis
  throw new TypeError(
    'The maxDelay of follow is no time to wait. Write a duration above 0, such as "30 seconds".'
  )
}

/** Whether the server has told when to connect again. */
const isRetry = (error: unknown): error is Sse.Retry => Sse.Retry.is(error)

/** Whether another attempt to connect can succeed. */
const isPassing = (error: unknown): boolean => {
  if (typeof error !== "object" || error === null || !("_tag" in error)) return false
  if (error._tag === "HttpClientError") {
    const { reason, response } = error as HttpClientError.HttpClientError
    return reason._tag === "TransportError" || response === undefined || isBusy(response.status)
  }
  // An error of the contract.
  return "status" in error && typeof error.status === "number" && isBusy(error.status)
}

const isBusy = (status: number): boolean => status === 429 || status >= 500

/**
 * Calls an endpoint with an event stream, and calls it again whenever the stream ends: after the pause that the
 * server asks for, with the id of the last event. So the stream goes on through restarts of the server and broken
 * connections, and misses no event of a log. It fails if the server refuses a call, with a 400 or a 401 for
 * example, and if an event does not match its schema. Reading it twice calls twice.
 *
 * The pause is at least 250 ms and at most `maxDelay`. If the server asks for a pause of 0, or for one without an
 * end, `follow` waits as after a failure: longer each time. It throws a `TypeError` if `maxDelay` is not above 0.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
 * import * as Schema from "effect/Schema"
 * import * as Stream from "effect/Stream"
 * import { App, Plugin, Route } from "flange"
 * import * as Realtime from "flange/Realtime"
 * import { EventStream, follow } from "flange/Realtime/Contract"
 * import { TestApp } from "flange/Testing"
 *
 * const Ticks = EventStream.make({ tick: Schema.Int })
 * class TicksApi extends HttpApiGroup.make("ticks").add(
 *   HttpApiEndpoint.get("events", "/ticks", Ticks.endpoint)
 * ) {}
 * const TicksPlugin = Plugin.make("app:ticks", {
 *   requires: [Realtime.Sse],
 *   routes: [
 *     Route.public(TicksApi, (handlers) =>
 *       Effect.map(Realtime.Sse, (sse) =>
 *         handlers.handleAll({ events: () => sse.follow(Ticks, "ticks") })))
 *   ]
 * })
 *
 * const test = Effect.gen(function* () {
 *   const app = yield* TestApp.make(App.make("clock", [Realtime.sse, TicksPlugin]))
 *   yield* app.run(Realtime.EventLog.use((log) => log.append(Ticks, "ticks", { data: 1, event: "tick" })))
 *   return yield* follow((request) => app.client.ticks.events(request), { lastEventId: "0-0" }).pipe(
 *     Stream.map(({ data }) => data),
 *     Stream.take(1),
 *     Stream.runCollect
 *   )
 * })
 * await Effect.runPromise(Effect.scoped(test)) // => [1]
 * ```
 */
export const follow = <A extends { readonly id?: string | undefined }, E, R, E2, R2>(
  call: (
    request: FollowRequest
  ) => Effect.Effect<
    readonly [Stream.Stream<A, E, R>, HttpClientResponse.HttpClientResponse],
    E2,
    R2
  >,
  options: FollowOptions = {}
): Stream.Stream<A, E2 | Exclude<E, Sse.Retry>, R | R2> => {
  const longest = longestOf(options)
  return Stream.suspend(() => {
    let lastEventId = options.lastEventId
    let attempt = 0

    const pause = (error: unknown) =>
      Effect.flatMap(Random.next, (random) => {
        const told = isRetry(error) ? Duration.toMillis(error.duration) : 0
        return Effect.sleep(
          told > 0 && told < Number.POSITIVE_INFINITY
            ? Math.min(longest, Math.max(shortest, told))
            : Math.min(longest, shortest * 2 ** Math.min(attempt++, 20)) * (0.5 + random / 2)
        )
      })

    const once = Stream.unwrap(
      Effect.map(
        Effect.suspend(() =>
          call({
            headers: lastEventId === undefined ? {} : { "last-event-id": lastEventId },
            responseMode: "decoded-and-response"
          })
        ),
        ([events, response]) => {
          lastEventId ??= response.headers["last-event-id"]
          return Stream.map(events, (event) => {
            attempt = 0
            lastEventId = event.id ?? lastEventId
            return event
          })
        }
      )
    )

    const turn = once.pipe(
      Stream.concat(Stream.fromEffectDrain(pause(undefined))),
      Stream.catch((error) => {
        if (isRetry(error)) lastEventId = error.lastEventId ?? lastEventId
        else if (!isPassing(error)) return Stream.fail(error)
        return Stream.fromEffectDrain(pause(error))
      })
    )
    // A `Retry` never leaves a turn.
    return Stream.forever(turn) as Stream.Stream<A, E2 | Exclude<E, Sse.Retry>, R | R2>
  })
}
