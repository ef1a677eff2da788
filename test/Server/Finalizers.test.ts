/** The finalizers of a request: they run once its reply is sent, and before plugins are released. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { App, Plugin, Route } from "flange"
import { assert, describe, it } from "vitest"
import * as Boot from "../../src/Plugin/Boot/Boot.ts"
import * as Codec from "../../src/Server/Codec/Codec.ts"
import * as Host from "../../src/Server/Host.ts"
import * as NodeListener from "../../src/Server/Listener/Node/NodeListener.ts"
import * as ProxiedListener from "../../src/Server/Listener/Proxied/ProxiedListener.ts"
import * as WebListener from "../../src/Server/Listener/Web/WebListener.ts"
import { boot } from "./counted.ts"
import { arrives } from "./userCode/server.ts"

class WorkApi extends HttpApiGroup.make("work").add(
  HttpApiEndpoint.get("plain", "/plain", { success: Schema.String }),
  HttpApiEndpoint.get("raw", "/raw", { success: Schema.String }),
  HttpApiEndpoint.get("stream", "/stream", { success: Schema.String })
) {}

const text = (chunk: string) => new TextEncoder().encode(chunk)

/** A listener, and a function that asks what listens on it. */
const listeners = {
  node: () => ({ ask: fetch, listener: NodeListener.listen }),
  proxied: () => ({ ask: fetch, listener: ProxiedListener.listen }),
  web: () => {
    let handler: WebListener.WebHandler | undefined
    return {
      ask: (url: string) => handler!(new Request(url)),
      listener: WebListener.make((made) => (handler = made))
    }
  }
}

/** What happens when an app stops right after a reply whose request has a slow finalizer. */
const run = async (
  listenerName: keyof typeof listeners,
  codec: "compiled" | "effect",
  path: string
): Promise<ReadonlyArray<string>> => {
  const events: Array<string> = []
  const released = Promise.withResolvers<void>()
  const acquired = Effect.acquireRelease(
    Effect.sync(() => events.push("acquired")),
    () =>
      Effect.andThen(
        Effect.promise(() => released.promise),
        Effect.sync(() => events.push("finalizer"))
      )
  )
  const Work = Plugin.make("test:work", {
    layer: Layer.effectDiscard(
      Effect.addFinalizer(() => Effect.sync(() => events.push("plugin released")))
    ),
    routes: [
      Route.public(WorkApi, (handlers) =>
        handlers
          .handle("plain", () => Effect.as(acquired, "done"))
          .handleRaw("raw", () => Effect.as(acquired, HttpServerResponse.text("done")))
          .handle("stream", () =>
            Effect.as(acquired, HttpServerResponse.stream(Stream.make(text("do"), text("ne"))))
          )
      )
    ]
  })
  const { ask, listener } = listeners[listenerName]()
  const scope = Scope.makeUnsafe()
  const { address = "http://localhost" } = await Boot.boot(
    App.make("work", [Work]),
    Host.make("work", listener, codec === "effect" ? Codec.payloadOfEffect : Codec.payloadIfNeeded),
    { values: { server: { host: "127.0.0.1", port: 0 } } }
  ).pipe(
    Effect.provide([NodeServices.layer, Logger.layer([])]),
    Scope.provide(scope),
    Effect.runPromise
  )
  const reply = await ask(`${address}${path}`)
  events.push(`${reply.status} ${(await reply.text()).replaceAll('"', "")}`)
  const stopped = Effect.runPromise(Scope.close(scope, Exit.void))
  // The drain has begun and has nothing to wait for but the finalizer.
  await new Promise((resolve) => setTimeout(resolve, 50))
  released.resolve()
  await stopped
  return events
}

describe("the finalizers of a request", () => {
  it.each(["node", "proxied", "web"] as const)(
    "run at once for what a fiber acquires after the request, on %s",
    async (name) => {
      const replied = Promise.withResolvers<void>()
      const finalized = Promise.withResolvers<void>()
      const late = Effect.promise(() => replied.promise).pipe(
        Effect.andThen(Effect.addFinalizer(() => Effect.sync(() => finalized.resolve()))),
        Effect.forkDetach
      )
      const Late = Plugin.make("test:late", {
        routes: [
          Route.public(WorkApi, (handlers) =>
            handlers.handleAll({
              plain: () => Effect.as(late, "done"),
              raw: () => Effect.succeed(""),
              stream: () => Effect.succeed("")
            })
          )
        ]
      })
      const app = await boot(name, [Late])
      assert.strictEqual(await (await app.ask("/plain")).text(), '"done"')
      assert.strictEqual(app.open(), 0)
      replied.resolve()
      await arrives("The finalizer", finalized.promise)
      await app.stop()
    }
  )

  for (const listener of ["node", "proxied", "web"] as const) {
    for (const codec of ["compiled", "effect"] as const) {
      it.each(["/plain", "/raw", "/stream"])(
        `run after the reply and before plugins are released: ${codec}, ${listener}, %s`,
        async (path) => {
          assert.deepStrictEqual(await run(listener, codec, path), [
            "acquired",
            "200 done",
            "finalizer",
            "plugin released"
          ])
        }
      )
    }
  }
})
