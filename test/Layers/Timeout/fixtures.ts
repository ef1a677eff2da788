/** An app whose handlers take their time. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Latch from "effect/Latch"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { App, Deadline, Middleware, Plugin, Route } from "flange"
import * as Timeout from "flange/Timeout"

const success = Schema.String

export class SlowApi extends HttpApiGroup.make("slow").add(
  HttpApiEndpoint.get("deaf", "/deaf", { success }),
  HttpApiEndpoint.get("endless", "/endless", { success }).annotate(
    Timeout.Timeout,
    Duration.infinity
  ),
  HttpApiEndpoint.get("events", "/events/:millis", {
    params: { millis: Schema.Int },
    success: HttpApiSchema.StreamUint8Array()
  }),
  HttpApiEndpoint.get("left", "/left", { success: Schema.NullOr(Schema.Finite) }),
  HttpApiEndpoint.get("now", "/now", { success }),
  HttpApiEndpoint.get("patient", "/patient/:millis", {
    params: { millis: Schema.Int },
    success
  }).annotate(Timeout.IdleTimeout, "1 minute"),
  HttpApiEndpoint.get("quick", "/quick/:millis", {
    params: { millis: Schema.Int },
    success
  }).annotate(Timeout.Timeout, "100 millis"),
  HttpApiEndpoint.get("wait", "/wait/:millis", { params: { millis: Schema.Int }, success })
) {}

export class GroupApi extends HttpApiGroup.make("group")
  .add(
    HttpApiEndpoint.get("own", "/group/own", { success }).annotate(Timeout.Timeout, "300 millis"),
    HttpApiEndpoint.get("shared", "/group/shared", { success })
  )
  .annotate(Timeout.Timeout, "200 millis") {}

export class BareApi extends HttpApiGroup.make("bare").add(
  HttpApiEndpoint.get("alive", "/alive", { success })
) {}

/** One chunk, silence, and another one. */
const pausing = (millis: number) =>
  Stream.make("a").pipe(
    Stream.concat(Stream.fromEffect(Effect.delay(Effect.succeed("b"), millis))),
    Stream.concat(Stream.fromEffect(Effect.delay(Effect.succeed("c"), millis))),
    Stream.encodeText
  )

/**
 * Returns the app, what happened in its handlers and observers, and an effect that waits until a handler that
 * takes its time has begun: a request on a socket comes later than the fiber that sends it goes on.
 */
export const make = (plugins: ReadonlyArray<Plugin.Plugin<string>> = []) => {
  const events: Array<string> = []
  const event = (name: string) => Effect.sync(() => void events.push(name))
  const begun = Latch.makeUnsafe()
  const wait = (millis: number) =>
    begun.open.pipe(
      Effect.andThen(Effect.sleep(millis)),
      Effect.as("done"),
      (waiting) => Deadline.during("SQL", waiting),
      Effect.onInterrupt(() => event("interrupted"))
    )
  const Slow = Plugin.make("app:slow", {
    middleware: [
      Middleware.observe("observe", {
        build: Effect.succeed(() => (_, status) => void events.push(String(status)))
      })
    ],
    routes: [
      Route.public(SlowApi, (handlers) =>
        handlers.handleAll({
          deaf: () =>
            Effect.acquireRelease(Effect.void, () => event("released")).pipe(
              Effect.andThen(begun.open),
              Effect.andThen(Effect.sleep("2 seconds")),
              Effect.andThen(event("ended")),
              Effect.as("done"),
              Effect.uninterruptible
            ),
          endless: () => wait(3_600_000),
          events: ({ params }) => Effect.succeed(pausing(params.millis)),
          left: () => Effect.map(Deadline.remaining, (left) => left ?? null),
          now: () => Effect.succeed("now"),
          patient: ({ params }) =>
            Effect.succeed(HttpServerResponse.stream(pausing(params.millis))),
          quick: ({ params }) => wait(params.millis),
          wait: ({ params }) => wait(params.millis)
        })
      ),
      Route.public(GroupApi, (handlers) =>
        handlers.handleAll({ own: () => wait(1000), shared: () => wait(1000) })
      ),
      Route.bare(BareApi, (handlers) => handlers.handleAll({ alive: () => wait(1000) }))
    ]
  })
  return {
    app: App.make("slow", [Timeout.plugin, ...plugins, Slow], {
      config: { values: { timeout: { default: "1 second", idle: "1 second" } } }
    }),
    begun: Effect.andThen(begun.await, begun.close),
    events
  }
}
