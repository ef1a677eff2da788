/** Apps on a listener whose open exchanges are counted, and clients that send exact bytes. */
import { once } from "node:events"
import * as Net from "node:net"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import { App, type ErrorEnvelope, Middleware, Plugin } from "flange"
import * as Boot from "../../src/Plugin/Boot/Boot.ts"
import * as Host from "../../src/Server/Host.ts"
import type { Listener } from "../../src/Server/Listener/Listener.ts"
import * as NodeListener from "../../src/Server/Listener/Node/NodeListener.ts"
import * as ProxiedListener from "../../src/Server/Listener/Proxied/ProxiedListener.ts"
import * as WebListener from "../../src/Server/Listener/Web/WebListener.ts"
import { Client } from "./Listener/Proxied/rig.ts"
import type { Listener as Name } from "./userCode/server.ts"

/** An app that serves. */
export interface Counted {
  /** Sends a request by `fetch`, or in memory. */
  readonly ask: (path: string, init?: RequestInit) => Promise<Response>
  readonly connect: () => Promise<Client>
  /** How many exchanges have begun and not ended. */
  readonly open: () => number
  readonly stop: () => Promise<void>
  /** Target and status of every reply that an observer was told of. */
  readonly told: ReadonlyArray<string>
  readonly url: string
}

/** Boots an app of these plugins. */
export const boot = async (
  name: Name,
  plugins: ReadonlyArray<Plugin.Any>,
  server: object = {},
  errors?: ErrorEnvelope.ErrorEnvelope
): Promise<Counted> => {
  let handler: WebListener.WebHandler | undefined
  let open = 0
  const inner: Listener = {
    node: NodeListener.listen,
    proxied: ProxiedListener.listen,
    web: WebListener.make((made) => (handler = made))
  }[name]
  const listener: Listener = (options) => {
    const { serving } = options
    const { begin, end } = serving
    serving.begin = () => {
      open++
      begin.call(serving)
    }
    serving.end = () => {
      open--
      end.call(serving)
    }
    return inner(options)
  }
  const told: Array<string> = []
  const Observed = Plugin.make("test:observed", {
    middleware: [
      Middleware.observe("observed", {
        build: Effect.succeed(
          () =>
            ({ target }, status) =>
              void told.push(`${target} ${status}`)
        )
      })
    ]
  })
  const scope = Scope.makeUnsafe()
  const { address = "http://localhost" } = await Boot.boot(
    // The plugins of a test require nothing of each other.
    App.make("counted", [Observed, ...plugins] as never, { errors }),
    Host.make("counted", listener),
    {
      values: {
        app: { drainTimeout: "50 millis" },
        server: { host: "127.0.0.1", port: 0, ...server }
      }
    }
  ).pipe(
    Effect.provide([NodeServices.layer, Logger.layer([])]),
    Scope.provide(scope),
    Effect.runPromise
  )
  return {
    ask: (path, init) => {
      const request = new Request(address + path, init)
      return handler === undefined ? fetch(request) : handler(request)
    },
    connect: async () => {
      const { hostname, port } = new URL(address)
      const socket = Net.connect({ allowHalfOpen: true, host: hostname, port: Number(port) })
      await once(socket, "connect")
      return new Client(socket)
    },
    open: () => open,
    stop: () => Effect.runPromise(Scope.close(scope, Exit.void)),
    told,
    url: address
  }
}
