/** An app whose requests enqueue. Run by Trace.test.ts, as a server and as workers in other processes. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { App, Plugin, Route } from "flange"
import * as Database from "flange/Database"
import * as Queue from "flange/Queue"
import { kept } from "../../tracing.ts"

class MailApi extends HttpApiGroup.make("mail").add(
  HttpApiEndpoint.post("send", "/mails", { success: Schema.String })
) {}

export const Mails = Queue.make("mails", {
  payload: Schema.Struct({ to: Schema.String }),
  retry: Schedule.spaced("1 millis")
})

/** The plugins: the worker fails twice for each item, and logs its trace each time. */
export const plugins = [
  Database.plugin,
  Database.transactional(),
  Queue.withDatabase,
  Plugin.make("app:mail", {
    contributes: [
      Mails.worker((_, { attempts }) =>
        Effect.gen(function* () {
          const { traceId } = yield* Effect.orDie(Effect.currentSpan)
          yield* Effect.logInfo(`attempt ${attempts} in trace ${traceId}`)
          if (attempts < 3) return yield* Effect.fail("not yet")
        })
      )
    ],
    ready: ({ address }) => Effect.sync(() => console.log(`listening ${address}`)),
    requires: [Queue.Queues],
    routes: [
      Route.public(
        MailApi,
        Effect.fn(function* (handlers) {
          const queues = yield* Queue.Queues
          return handlers.handleAll({
            send: () =>
              Mails.enqueue({ to: "ada" }).pipe(
                Effect.provideService(Queue.Queues, queues),
                Effect.map(({ id }) => id),
                Effect.orDie
              )
          })
        })
      )
    ]
  })
] as const

if (import.meta.main) {
  App.run(
    App.make("mail", [...plugins, kept().plugin], {
      config: { values: { queue: { pollInterval: "20 millis" } } }
    })
  )
}
