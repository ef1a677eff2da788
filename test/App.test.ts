import { mkdtemp, rm, writeFile } from "node:fs/promises"
import * as Http from "node:http"
import { type AddressInfo, createServer, type Server } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import {
  Action,
  App,
  Authentication,
  Config,
  Contribution,
  Extension,
  Middleware,
  Plugin,
  Route
} from "flange"
import * as Rig from "./Plugin/Rig.ts"

const Ping = HttpApiGroup.make("ping").add(
  HttpApiEndpoint.get("ping", "/ping", { success: Schema.String })
)
const Echo = HttpApiGroup.make("echo").add(
  HttpApiEndpoint.post("echo", "/echo/:id", {
    params: { id: Schema.String },
    success: Schema.String
  })
)

const pings = Plugin.make("app:ping", {
  routes: [
    Route.public(Ping, (handlers) => handlers.handleAll({ ping: () => Effect.succeed("pong") }))
  ]
})
const echoes = Plugin.make("app:echo", {
  routes: [
    Route.public(Echo, (handlers) =>
      handlers.handleAll({ echo: ({ params }) => Effect.succeed(params.id) })
    ),
    Route.raw("robots", HttpRouter.add("GET", "/robots.txt", HttpServerResponse.text("")), {
      access: "bare"
    })
  ]
})

/** Nothing from files or variables, any free port of this machine. */
const config = {
  overrides: { server: { host: "127.0.0.1", port: 0 } },
  values: {},
  variables: {}
}

describe("App.api", () => {
  it("contains the groups of all plugins, without raw groups", () => {
    const app = App.make("both", [pings, echoes])
    expect(Object.keys(app.api.groups)).toEqual(["ping", "echo"])
    expect(app.api.identifier).toBe("both")
    expect(app.api.groups.ping.endpoints.ping.path).toBe("/ping")
  })

  it("of an app without routes is empty", () => {
    expect(App.make("none", [Plugin.make("app:none", {})]).api.groups).toEqual({})
  })
})

describe("App.describe", () => {
  it("returns plugins, order, contributions and routes as data, and acquires nothing", () => {
    const rig = Rig.make()
    const mail = Config.section("mail", { port: Schema.Int.pipe(Config.public) })
    const Greet = Action.make("greet")
    const db = rig.plugin("p1")
    const web = Plugin.make("web", {
      actions: [Action.implement(Greet, () => Effect.void)],
      config: [mail],
      contributes: [Contribution.kind()("sound").make("bell", {})],
      extensions: [Extension.make<number>()("volume")],
      health: { disk: Effect.void },
      middleware: [
        Middleware.make("noop", { build: Effect.succeed(() => undefined), slot: "Custom" })
      ],
      order: { after: [db], before: ["app:ping"], last: false },
      routes: [
        Route.protectedWith("admin")(Echo, (handlers) =>
          handlers.handleAll({ echo: () => Effect.succeed("") })
        )
      ]
    })
    const authentication = Authentication.middleware("admin")
    const chain = Plugin.make("auth", {
      layer: Layer.succeed(authentication, () => Effect.die("not asked")),
      provides: [authentication]
    })
    const whole = App.describe(App.make("shop", [web, pings, db, chain]))
    expect(whole.plugins).toEqual([
      {
        config: [],
        contributions: [],
        extensions: [],
        id: "p1",
        order: { after: [], before: [], first: false, last: false },
        provides: ["test/p1"],
        publicKeys: [],
        requires: []
      },
      expect.objectContaining({ id: "auth", provides: ["flange/Authentication/admin"] }),
      {
        config: ["mail"],
        contributions: [
          { data: Greet, kind: "action", name: "greet" },
          {
            data: { class: "shared", failureThreshold: 1, timeout: Duration.seconds(5) },
            kind: "healthCheck",
            name: "disk"
          },
          { kind: "middleware", name: "noop" },
          { kind: "route", name: "echo", roles: ["server"] },
          { data: {}, kind: "sound", name: "bell" }
        ],
        extensions: ["volume"],
        id: "web",
        order: { after: ["p1"], before: ["app:ping"], first: false, last: false },
        provides: ["flange/Action/greet", "flange/Extension/volume"],
        publicKeys: ["mail.port"],
        requires: ["flange/Authentication/admin"]
      },
      expect.objectContaining({
        contributions: [{ kind: "route", name: "ping", roles: ["server"] }],
        id: "app:ping"
      })
    ])
    expect(whole.routes).toContainEqual(
      expect.objectContaining({
        access: "protected",
        chain: "admin",
        group: "echo",
        method: "POST",
        path: "/echo/:id",
        plugin: "web"
      })
    )
    expect(rig.events).toEqual([])
  })
})

describe("App.toWebHandler", () => {
  const get = (path: string) => new Request(`http://app${path}`)

  it("boots at the first request, answers, and dispose releases in reverse", async () => {
    const rig = Rig.make()
    const app = App.make("web", [rig.plugin("p1"), rig.plugin("p2"), pings], { config })
    const web = App.toWebHandler(app)
    expect(rig.events).toEqual([])
    const replies = await Promise.all([web.handler(get("/ping")), web.handler(get("/ping"))])
    expect(await Promise.all(replies.map((reply) => reply.json()))).toEqual(["pong", "pong"])
    expect(rig.idsOf("acquire")).toEqual(["p1", "p2"])
    await web.dispose()
    expect(rig.idsOf("release")).toEqual(["p2", "p1"])
    await expect(web.handler(get("/ping"))).rejects.toThrow(
      'App "web" was disposed: it takes no more requests.'
    )
  })

  it.each<[phase: string, special: Rig.Special, released: ReadonlyArray<string>]>([
    ["acquire", { started: Rig.end("failure", "p2") }, ["p1"]],
    ["ready", { ready: Rig.end("failure", "p2") }, ["p2", "p1"]]
  ])(
    "rejects every request with what %s failed with, having released",
    async (_phase, special, released) => {
      const rig = Rig.make()
      const app = App.make("web", [rig.plugin("p1"), rig.plugin("p2", special), pings], { config })
      const web = App.toWebHandler(app)
      await expect(web.handler(get("/ping"))).rejects.toMatchObject({ _tag: "Broken", at: "p2" })
      expect(rig.idsOf("release")).toEqual(released)
      await expect(web.handler(get("/ping"))).rejects.toMatchObject({ _tag: "Broken", at: "p2" })
      expect(rig.idsOf("acquire").length).toBe(released.length)
      await web.dispose()
      expect(rig.idsOf("release")).toEqual(released)
    }
  )

  it("dispose during boot interrupts it and releases what was acquired", async () => {
    const rig = Rig.make()
    let reached: () => void
    const acquiring = new Promise<void>((resolve) => (reached = resolve))
    const app = App.make(
      "web",
      [
        rig.plugin("p1"),
        rig.plugin("p2", {
          during: Effect.andThen(
            Effect.sync(() => reached()),
            Effect.never
          )
        })
      ],
      { config }
    )
    const web = App.toWebHandler(app)
    const reply = web.handler(get("/"))
    const refused = expect(reply).rejects.toBeDefined()
    await acquiring
    await web.dispose()
    await refused
    expect(rig.idsOf("release")).toEqual(["p2", "p1"])
  })

  it("dispose of an app that never booted does nothing", async () => {
    const rig = Rig.make()
    await App.toWebHandler(App.make("web", [rig.plugin("p1")], { config })).dispose()
    expect(rig.events).toEqual([])
  })
})

describe("App.layer", () => {
  it.live("boots on node:http, provides every service, and its scope drains and releases", () =>
    Effect.gen(function* () {
      const rig = Rig.make()
      let address = ""
      const tell = Plugin.make("tell", {
        ready: (ready) => Effect.sync(() => (address = ready.address!))
      })
      const app = App.make("served", [rig.plugin("p1"), rig.plugin("p2"), pings, tell], { config })
      const key = Rig.service("p2")
      const program = Effect.gen(function* () {
        expect(yield* key).toEqual({ id: "p2" })
        const reply = yield* Effect.promise(() => fetch(`${address}/ping`))
        expect(yield* Effect.promise(() => reply.json())).toBe("pong")
        expect(rig.idsOf("release")).toEqual([])
      })
      yield* Effect.provide(program, App.layer(app))
      expect(rig.idsOf("release")).toEqual(["p2", "p1"])
      const refused = yield* Effect.promise(() => fetch(address).then(String, () => "refused"))
      expect(refused).toBe("refused")
    })
  )

  it.live("fails with a BindError before a plugin is acquired when the port is taken", () =>
    Effect.gen(function* () {
      const rig = Rig.make()
      const port = yield* taken
      const app = App.make("second", [rig.plugin("p1"), rig.plugin("p2"), pings], {
        config: { ...config, overrides: { server: { host: "127.0.0.1", port } } }
      })
      const error = yield* Effect.flip(Effect.scoped(Layer.build(App.layer(app))))
      expect(error).toMatchObject({
        _tag: "BindError",
        address: `http://127.0.0.1:${port}`,
        code: "EADDRINUSE",
        message: `Cannot listen on http://127.0.0.1:${port}: something else listens there. Stop it, or set PORT to a free port.`
      })
      expect(rig.events).toEqual([])
    })
  )

  it.live("the BindError of an app with TLS names the address with https", () =>
    Effect.gen(function* () {
      const port = yield* taken
      const tls = { selfSigned: ["localhost"] }
      const server = { host: "127.0.0.1", listener: "node", port, tls } as const
      const app = App.make("second", [pings], { config: { ...config, overrides: { server } } })
      const error = yield* Effect.flip(Effect.scoped(Layer.build(App.layer(app))))
      expect(error).toMatchObject({ _tag: "BindError", address: `https://127.0.0.1:${port}` })
    })
  )

  it.live("fails before a plugin is acquired when the unix socket is taken, or is a file", () =>
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(tmpdir(), "flange-app-"))),
        (path) => Effect.promise(() => rm(path, { recursive: true }))
      )
      const socket = join(folder, "app.sock")
      yield* Effect.acquireRelease(
        Effect.callback<Server>((resume) => {
          const server = createServer()
          server.listen(socket, () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => server.close())
      )
      const file = join(folder, "file")
      yield* Effect.promise(() => writeFile(file, ""))
      for (const path of [socket, file]) {
        const rig = Rig.make()
        const app = App.make("second", [rig.plugin("p1"), pings], {
          config: { ...config, overrides: { server: { listener: "proxied", socket: path } } }
        })
        const error = yield* Effect.flip(Effect.scoped(Layer.build(App.layer(app))))
        expect(error).toMatchObject({ _tag: "BindError", address: `unix:${path}` })
        expect(rig.events).toEqual([])
      }
    })
  )

  it.live("a failing ready closes the socket at once, whatever app.drainDelay says", () =>
    Effect.gen(function* () {
      const rig = Rig.make()
      const Gone = Plugin.make("gone", {
        ready: ({ address }) => Effect.fail(new Rig.Broken({ at: address! }))
      })
      const app = App.make("unready", [rig.plugin("p1"), Gone, pings], {
        config: { ...config, values: { app: { drainDelay: "1 hour" } } }
      })
      const error = yield* Effect.flip(Effect.scoped(Layer.build(App.layer(app))))
      if (!(error instanceof Rig.Broken)) throw new Error(String(error))
      expect(rig.idsOf("drain")).toEqual(["p1"])
      expect(rig.idsOf("release")).toEqual(["p1"])
      const refused = yield* Effect.promise(() => fetch(error.at).then(String, () => "refused"))
      expect(refused).toBe("refused")
    })
  )
})

describe("App.launch", () => {
  it.live("serves until it is interrupted, then releases in reverse", () =>
    Effect.gen(function* () {
      const rig = Rig.make()
      const serving = yield* Deferred.make<void>()
      const app = App.make(
        "launched",
        [
          rig.plugin("p1"),
          rig.plugin("p2", { ready: Effect.asVoid(Deferred.succeed(serving, undefined)) }),
          pings
        ],
        { config }
      )
      const fiber = yield* Effect.forkChild(App.launch(app))
      yield* Deferred.await(serving)
      yield* Fiber.interrupt(fiber)
      expect(rig.idsOf("release")).toEqual(["p2", "p1"])
    })
  )
})

/** A port on which something else listens. */
const taken = Effect.acquireRelease(
  Effect.promise(
    () =>
      new Promise<Http.Server>((resolve) => {
        const server = Http.createServer()
        server.listen(0, "127.0.0.1", () => resolve(server))
      })
  ),
  (server) => Effect.sync(() => server.close())
).pipe(Effect.map((server) => (server.address() as AddressInfo).port))
