import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { App, Middleware, Plugin, Route } from "flange"
import * as Auth from "flange/Auth"
import * as Health from "flange/Health"
import * as Metrics from "flange/Metrics"
import * as OpenApi from "flange/OpenApi"
import * as Overload from "flange/Overload"
import { Guarded } from "../../../src/Layers/Overload/Guarded.ts"

const { RoutePriority } = Overload

const success = Schema.String

const get = HttpApiEndpoint.get

class WorkApi extends HttpApiGroup.make("work").add(
  get("exempt", "/exempt", { success }).annotate(RoutePriority, "exempt"),
  get("feed", "/feed", {
    success: HttpApiSchema.StreamUint8Array({ contentType: "text/plain" })
  }),
  get("pay", "/pay", { success }).annotate(RoutePriority, "critical"),
  HttpApiEndpoint.post("send", "/send", { payload: Schema.Struct({ n: Schema.Int }), success }),
  get("slow", "/slow", { success }),
  get("stats", "/stats", { success }).annotate(RoutePriority, "sheddable"),
  get("stubborn", "/stubborn", { success })
) {}

class MineApi extends HttpApiGroup.make("mine").add(get("mine", "/mine", { success })) {}

class AliveApi extends HttpApiGroup.make("alive").add(get("alive", "/alive", { success })) {}

const tokenOf = (subject: string) => `token-of-${subject}-0000`

export const as = (subject: string) => ({
  headers: { authorization: `Bearer ${tokenOf(subject)}` }
})

const AuthPlugin = Auth.plugin({
  default: Auth.chain([
    Auth.bearer(
      ["ada", "root"].map((subject) => ({
        identity: { isPrivileged: subject === "root", subject },
        token: Redacted.make(tokenOf(subject))
      }))
    )
  ])
})

/** Creates an app whose handlers wait until `open` is called, and the order of their runs. */
export const make = () => {
  const gate = Deferred.makeUnsafe<void>()
  const ran: Array<string> = []
  const run = (name: string) => () =>
    Effect.suspend(() => {
      ran.push(name)
      return Effect.as(Deferred.await(gate), "done")
    })
  const Routes = Plugin.make("app:routes", {
    middleware: [
      Middleware.timeLimit("stubborn", {
        build: Effect.succeed(({ path }) =>
          path === "/stubborn" ? { exceeded: () => {}, idle: Infinity, limit: 100 } : undefined
        )
      })
    ],
    routes: [
      Route.public(WorkApi, (handlers) =>
        handlers.handleAll({
          exempt: () => Effect.succeed("ok"),
          feed: () =>
            Effect.succeed(Stream.concat(Stream.make(new Uint8Array([111])), Stream.never)),
          pay: run("pay"),
          send: run("send"),
          slow: run("slow"),
          stats: run("stats"),
          stubborn: () => Effect.uninterruptible(run("stubborn")())
        })
      ),
      Route.protected(MineApi, (handlers) => handlers.handleAll({ mine: run("mine") })),
      Route.bare(AliveApi, (handlers) => handlers.handleAll({ alive: () => Effect.succeed("ok") })),
      Route.raw(
        "raw",
        HttpRouter.use((router) =>
          router.add("GET", "/raw", Effect.map(run("raw")(), HttpServerResponse.text))
        ),
        { access: "public" }
      )
    ]
  })
  const app = App.make("shop", [
    Health.plugin,
    Metrics.plugin,
    OpenApi.plugin,
    AuthPlugin,
    Overload.plugin,
    Routes
  ])
  return { app, open: Deferred.succeed(gate, undefined), ran }
}

/** The configuration for one request at a time. */
export const one = { overload: { maxConcurrency: 1, minConcurrency: 1 } }

/** Waits until a condition holds, over turns of the event loop. */
export const until = (holds: () => boolean): Effect.Effect<void> =>
  Effect.promise(async () => {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1))
  })

/** Returns the gate of an app, with the number of its requests. */
export const guarded = Guarded
