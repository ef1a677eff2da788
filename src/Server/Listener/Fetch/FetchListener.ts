/** The listener of a runtime that serves `Request` and `Response` itself. */
import type * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { ServiceUnavailable } from "../../../Contract/Catalogue.ts"
import * as Bind from "../Bind.ts"
import { lastReplyMillis } from "../Drain.ts"
import type { Listener } from "../Listener.ts"
import { Bodies } from "./Bodies.ts"
import { FetchWire, type ListenerState } from "./FetchWire.ts"
import * as Refused from "./Refused.ts"
import type { Answer, Peer, Runtime } from "./Runtime.ts"

/** Creates the listener of a runtime. It listens on `server.host` and `server.port`. */
export const make =
  (runtime: Runtime): Listener =>
  ({ config, serve, serving }) =>
    Effect.gen(function* () {
      const stopped = Deferred.makeUnsafe<never>()
      const requestTimeout = Duration.toMillis(config.requestTimeout)
      const state: ListenerState = {
        bodies: new Bodies(requestTimeout),
        // The context holds every service of the app.
        context: serving.context as Context.Context<never>,
        cut: Deferred.await(stopped),
        isDraining: false,
        owed: new Set(),
        runtime,
        serving
      }
      const sweep = setInterval(
        () => state.bodies.tick(),
        Math.min(1000, requestTimeout / 4)
      ).unref()
      yield* Effect.addFinalizer(() => Effect.sync(() => clearInterval(sweep)))
      const handle = (request: Request, peer: Peer): Answer => {
        const target = Refused.targetOf(request, config.maxHeaderBytes)
        const refusal = typeof target === "string" ? Refused.ofBody(request) : target
        if (refusal !== undefined) return Refused.reply(refusal, request, serving)
        // A refusal has been answered.
        const wire = new FetchWire(state, request, peer, target as string)
        serve(wire)
        return wire.answer()
      }
      const server = yield* Bind.withRuntime(
        config.host ?? Bind.defaultHosts.auto,
        config.port,
        (hostname, port) =>
          runtime.serve({
            handle,
            hostname,
            keepAlive: Duration.toMillis(config.keepAlive),
            maxMessage: config.bodyLimit,
            port
          })
      )
      yield* Effect.addFinalizer(() => Effect.sync(server.close))
      return {
        address: Bind.addressOf(server.hostname, server.port, "http"),
        drain: ({ delay, timeout }) =>
          Effect.gen(function* () {
            state.isDraining = true
            yield* Effect.sleep(delay)
            const closed = server.stop()
            const empty = Effect.andThen(
              serving.idle,
              Effect.promise(() => closed)
            )
            yield* Effect.timeoutOption(empty, timeout)
            yield* Effect.timeoutOption(Effect.andThen(serving.interrupt, empty), lastReplyMillis)
            Deferred.doneUnsafe(stopped, Exit.die(new Error("The app has stopped")))
            yield* Effect.timeoutOption(serving.idle, lastReplyMillis)
            // Deno cannot cut the connections of handlers that do not end.
            for (const wire of state.owed) wire.refuse({ error: new ServiceUnavailable() })
            server.close()
          })
      }
    })
