/** An app with both codecs: what it does with the one, it has to do with the other. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import { type App, Middleware, Plugin } from "flange"
import { assert } from "vitest"
import * as Boot from "../../src/Plugin/Boot/Boot.ts"
import * as Codec from "../../src/Server/Codec/Codec.ts"
import * as Host from "../../src/Server/Host.ts"
import * as NodeListener from "../../src/Server/Listener/Node/NodeListener.ts"
import * as ProxiedListener from "../../src/Server/Listener/Proxied/ProxiedListener.ts"
import * as WebListener from "../../src/Server/Listener/Web/WebListener.ts"
import * as combination from "../matrix/combination.ts"

type Kind = "compiled" | "effect"

export interface Reply {
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
  readonly status: number
}

/** What an observer was told. */
export interface Told {
  readonly fields: Readonly<Record<string, unknown>>
  readonly status: number
}

/** The app with one of the codecs. */
export interface Running {
  /** Every request has the id `r-1`, unless it says otherwise. */
  readonly send: (path: string, init?: RequestInit) => Promise<Reply>
  /** Drains and releases the app. */
  readonly stop: () => Promise<void>
  /** What the observers were told so far. */
  readonly told: ReadonlyArray<Told>
}

/** Sees what observers see. */
const observing = () => {
  const told: Array<Told> = []
  const plugin = Plugin.make("test:observe", {
    middleware: [
      Middleware.observe("observe", {
        build: Effect.succeed(() => (request, status) => {
          told.push({ fields: { ...request.fields }, status })
        })
      })
    ]
  })
  return { plugin, told }
}

/** A request with a body of a media type. */
export const post = (type: string, body: string): RequestInit => ({
  body,
  headers: { "content-type": type },
  method: "POST"
})

/** What makes the replies: a listener in memory, or one of those with a socket. */
export type Place = "memory" | "node" | "proxied"

/** The place of an app whose test names none: that of the run, and memory in a run for another runtime. */
export const usual: Place =
  combination.runtime !== undefined || combination.listener === "web"
    ? "memory"
    : combination.listener === "proxied"
      ? "proxied"
      : "node"

/** Whether a header is the connection's or the moment's, not the reply's. */
const isTransient = (name: string, value: string): boolean =>
  name === "date" || name === "keep-alive" || (name === "connection" && value === "keep-alive")

/** The cookies of a reply, one in a line. */
const cookiesOf = ({ headers }: Response): ReadonlyArray<[string, string]> =>
  headers.has("set-cookie") ? [["set-cookie", headers.getSetCookie().join("\n")]] : []

const on = async <A>(
  codec: Kind,
  place: Place,
  app: App.Any,
  use: (running: Running) => Promise<A>
): Promise<A> => {
  const { plugin, told } = observing()
  const scope = Scope.makeUnsafe()
  const stop = () => Effect.runPromise(Scope.close(scope, Exit.void))
  let handler: WebListener.WebHandler = fetch
  const listener = {
    memory: WebListener.make((made) => (handler = made)),
    node: NodeListener.listen,
    proxied: ProxiedListener.listen
  }[place]
  const { address = "http://localhost" } = await Boot.boot(
    { ...app, plugins: [plugin, ...app.plugins] },
    Host.make(app.id, listener, codec === "effect" ? Codec.payloadOfEffect : Codec.payloadIfNeeded),
    { values: { app: { drainTimeout: "2 seconds" }, server: { host: "127.0.0.1", port: 0 } } }
  ).pipe(
    Effect.provide([NodeServices.layer, Logger.layer([])]),
    Scope.provide(scope),
    Effect.runPromise
  )
  const send: Running["send"] = async (path, init = {}) => {
    const headers = new Headers(init.headers)
    if (!headers.has("x-request-id")) headers.set("x-request-id", "r-1")
    const response = await handler(new Request(`${address}${path}`, { ...init, headers }))
    return {
      body: await response.text(),
      headers: Object.fromEntries(
        [...response.headers, ...cookiesOf(response)]
          .filter(([name, value]) => !isTransient(name, value))
          .sort(([a], [b]) => (a < b ? -1 : 1))
      ),
      status: response.status
    }
  }
  try {
    return await use({ send, stop, told })
  } finally {
    await stop()
  }
}

/** Uses an app with each codec in turn. The results have to be the same. */
export const both = async <A>(
  app: () => App.Any,
  use: (running: Running) => Promise<A>,
  place: Place = usual
): Promise<A> => {
  const compiled = await on("compiled", place, app(), use)
  const effect = await on("effect", place, app(), use)
  assert.deepStrictEqual(compiled, effect, "the compiled codec (actual) and Effect's (expected)")
  return compiled
}
