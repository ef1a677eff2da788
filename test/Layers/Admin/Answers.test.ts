import { randomBytes } from "node:crypto"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { App, Plugin, Preset } from "flange"
import * as Admin from "flange/Admin"
import * as Metrics from "flange/Metrics"
import { TestApp } from "flange/Testing"
import { Shutdown } from "../../../src/Plugin/Shutdown.ts"
import { app, secrets, ShelfPlugin, values } from "./fixture.ts"

const boot = TestApp.make(app, { values })
const clientOf = Effect.flatMap(boot, (test) => test.port("admin").client(Admin.AdminApi))
const portOf = Effect.map(boot, (test) => test.port("admin"))

describe("the answers of the admin port", () => {
  it.effect("info names the app, its version, its environment and its process", () =>
    Effect.gen(function* () {
      const info = yield* (yield* clientOf).info()
      expect(info).toMatchObject({
        environment: "test",
        id: "shelf",
        name: "Shelf",
        node: process.versions.node,
        pid: process.pid,
        status: "ready",
        version: "1.2.3"
      })
    })
  )

  it.effect("health has the components that the monitor knows", () =>
    Effect.gen(function* () {
      const { components, monitored, status } = yield* (yield* clientOf).health()
      expect([monitored, status]).toEqual([true, "ready"])
      expect(components.map((one) => [one.name, one.class, one.status])).toEqual([
        ["disk", "critical", "up"],
        ["mail", "shared", "down"]
      ])
    })
  )

  it.effect("health of an app without a monitor says that nothing runs the checks", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(App.make("bare", [Admin.plugin]))
      const { health } = yield* test.port("admin").client(Admin.AdminApi)
      expect(yield* health()).toEqual({ components: [], monitored: false, status: "ready" })
    })
  )

  it.effect("config has each key with its value and its source, and masks secrets", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(app, {
        values: { ...values, shelf: { ...values.shelf, password: undefined } },
        variables: { SHELF_PASSWORD: secrets[0]! }
      })
      const admin = yield* test.port("admin").client(Admin.AdminApi)
      const { environment, keys } = yield* admin.config()
      expect(environment).toBe("test")
      const of = (key: string) => keys.find((one) => one.key === key)
      expect(of("shelf.password")).toMatchObject({
        secret: true,
        source: "variable SHELF_PASSWORD",
        value: "<redacted>",
        variables: ["SHELF_PASSWORD", "FLANGE__SHELF__PASSWORD"]
      })
      expect(of("shelf.size")).toMatchObject({ source: "schema default", value: "10" })
      expect(of("admin.token")).toMatchObject({ source: null, value: null })
    })
  )

  it.effect("routes are those that App.describe has", () =>
    Effect.gen(function* () {
      const { routes } = yield* (yield* clientOf).routes()
      const described = App.describe(app).routes
      expect(JSON.parse(JSON.stringify(routes))).toEqual(JSON.parse(JSON.stringify(described)))
      expect(routes.map(({ path }) => path)).toContain("/items")
    })
  )

  it.effect("plugins are in their order, with the steps of the boot", () =>
    Effect.gen(function* () {
      const { boot, plugins } = yield* (yield* clientOf).plugins()
      expect(plugins.map(({ id }) => id)).toEqual(["flange:health", "flange:admin", "test:shelf"])
      expect(boot.map(({ phase, plugin }) => [phase, plugin])).toContainEqual([
        "acquire",
        "test:shelf"
      ])
      expect(boot.map(({ phase }) => phase)).toContain("ready")
    })
  )

  it.effect("panels are those that plugins contribute", () =>
    Effect.gen(function* () {
      expect(yield* (yield* clientOf).panels()).toEqual([
        { data: "/shelf", name: "shelf", plugin: "test:shelf", title: "Shelf" }
      ])
    })
  )

  it.effect("the index has the routes of the contract and those of plugins, each described", () =>
    Effect.gen(function* () {
      const index = yield* (yield* clientOf).index()
      expect(index.map(({ changes, method, path }) => [method, path, changes])).toEqual([
        ["GET", "/", false],
        ["GET", "/actions", false],
        ["POST", "/actions/:name", true],
        ["GET", "/config", false],
        ["POST", "/drain", true],
        ["GET", "/health", false],
        ["GET", "/info", false],
        ["GET", "/panels", false],
        ["GET", "/plugins", false],
        ["GET", "/routes", false],
        ["GET", "/shelf", false],
        ["PUT", "/shelf/:slot", true]
      ])
      expect(index.filter(({ description }) => description === "")).toEqual([])
    })
  )

  it.effect("an unknown path is answered with the paths that there are", () =>
    Effect.gen(function* () {
      const port = yield* portOf
      const { json } = (yield* port.get("/nothing")).expectProblem("ADMIN_PATH_NOT_FOUND", 404)
      expect((json as { paths: ReadonlyArray<string> }).paths).toContain("PUT /shelf/:slot")
      const reply = (yield* port.get("/drain")).expectProblem("METHOD_NOT_ALLOWED", 405)
      expect(reply.headers.get("allow")).toBe("OPTIONS, POST")
    })
  )

  it.effect("the listener of the app has no path of the admin port", () =>
    Effect.gen(function* () {
      const test = yield* boot
      for (const { path } of yield* (yield* test.port("admin").client(Admin.AdminApi)).index()) {
        ;(yield* test.get(path)).expectProblem("ROUTE_NOT_FOUND", 404)
      }
    })
  )

  it.effect("a contributed route answers, and its ApiError is a problem document", () =>
    Effect.gen(function* () {
      const port = yield* portOf
      ;(yield* port.get("/shelf")).expectStatus(200).expectJson({ entries: 3 })
      ;(yield* port.put("/shelf/7", { json: { text: "a" } }))
        .expectStatus(200)
        .expectJson({ slot: "7", text: "a" })
      ;(yield* port.put("/shelf/7", { json: { text: "" } })).expectProblem("TOO_MANY", 409)
    })
  )

  it.effect("the metrics of the app are on the port, without its requests", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(App.make("metered", [Metrics.plugin, Admin.plugin]))
      yield* test.get("/nothing")
      yield* test.port("admin").get("/info")
      const { text } = (yield* test.port("admin").get("/metrics")).expectStatus(200)
      expect(text).toContain("http_server_request_duration_seconds_count")
      expect(text).not.toContain("/info")
    })
  )

  it.effect("a contributed route in the way of another is a problem of the assembly", () =>
    Effect.gen(function* () {
      const twice = Plugin.make("test:twice", {
        contributes: ShelfPlugin.manifest.contributions.filter(
          ({ kind }) => kind === "adminRoute"
        ) as never
      })
      const error = yield* Effect.flip(
        TestApp.make(App.make("shelf", [Admin.plugin, ShelfPlugin, twice] as never), { values })
      )
      expect(String(error)).toContain("GET /shelf")
    })
  )

  it.effect.each(["values", "variables", "files", "replaced values"] as const)(
    "no answer has a secret of any key, from %s",
    (place) =>
      Effect.gen(function* () {
        const files = yield* Effect.acquireRelease(
          Effect.sync(() => mkdtempSync(join(tmpdir(), "flange-admin-"))),
          (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
        )
        const keys = ["admin.token", "metrics.token", "shelf.mailer", "shelf.password"]
        // Each is found also if it was written as JSON or as part of a URL.
        const secretOf = (key: string) => `"${key}"=${randomBytes(12).toString("hex")}`
        const known = keys.map((key) => ({ key, secret: secretOf(key) }))
        const old = keys.map((key) => ({ key, secret: secretOf(key) }))
        const variableOf = (key: string) => `FLANGE__${key.toUpperCase().replace(".", "__")}`
        const inValues = place === "values" ? known : place === "replaced values" ? old : []
        const tokens = [secretOf("shelf.tokens")]
        const config = inValues.reduce<Record<string, Record<string, unknown>>>(
          (all, { key, secret }) => {
            const [section, name] = key.split(".") as [string, string]
            return { ...all, [section]: { ...all[section], [name]: secret } }
          },
          { shelf: { tokens } }
        )
        config["shelf"] = { ...config["shelf"], tokens }
        const variables = Object.fromEntries(
          known.map(({ key, secret }): [string, string] => {
            if (place !== "files") return [variableOf(key), secret]
            const file = join(files, key)
            writeFileSync(file, secret)
            return [`${variableOf(key)}_FILE`, file]
          })
        )
        const full = App.make("full", [...Preset.api, Metrics.plugin, Admin.plugin, ShelfPlugin])
        const test = yield* TestApp.make(full, {
          values: config,
          variables: place === "values" ? {} : variables
        })
        const port = test.port("admin")
        const token = known[0]!.secret
        const headers = { authorization: `Bearer ${token}` }
        const { json } = yield* port.get("/", { headers })
        const paths = (json as ReadonlyArray<{ method: string; path: string }>)
          .filter(({ method }) => method === "GET")
          .map(({ path }) => path)
        expect(paths).toContain("/config")
        const replies = yield* Effect.forEach([...paths, "/nothing"], (path) =>
          port.get(path, { headers })
        )
        const text = replies.map((reply) => reply.text + [...reply.headers].join()).join("\n")
        for (const { secret } of [...known, ...old, { secret: tokens[0]! }]) {
          expect(text).not.toContain(secret.split("=")[1])
        }
      })
  )
})

describe("the actions on the admin port", () => {
  it.effect("each is listed with the JSON Schemas of what it takes and returns", () =>
    Effect.gen(function* () {
      const actions = yield* (yield* clientOf).actions()
      expect(actions.map(({ name, plugin }) => [name, plugin])).toEqual([
        ["fill", "test:shelf"],
        ["sweep", "test:shelf"]
      ])
      expect(actions[0]?.payload).toMatchObject({
        properties: { count: { type: "integer" } },
        required: ["count"]
      })
      expect(actions[1]?.payload).toBeNull()
    })
  )

  it.effect("an action runs with its payload and returns its result", () =>
    Effect.gen(function* () {
      const test = yield* boot
      const admin = yield* test.port("admin").client(Admin.AdminApi)
      const run = (name: string, payload: { payload?: unknown }) =>
        admin.runAction({ params: { name }, payload })
      expect(yield* run("fill", { payload: { count: 7 } })).toEqual({ result: { entries: 7 } })
      ;(yield* test.port("admin").get("/shelf")).expectJson({ entries: 7 })
      expect(yield* run("sweep", {})).toEqual({ result: null })
      ;(yield* test.port("admin").get("/shelf")).expectJson({ entries: 0 })
    })
  )

  it.effect("the failures of an action are those of the contract", () =>
    Effect.gen(function* () {
      const admin = yield* clientOf
      const run = (name: string, payload: unknown) =>
        Effect.flip(admin.runAction({ params: { name }, payload: { payload } }))
      const failed = yield* run("fill", { count: 11 })
      expect(failed).toBeInstanceOf(Admin.AdminActionFailed)
      expect(failed).toMatchObject({ action: "fill", error: { code: "TOO_MANY", most: 10 } })
      const refused = yield* run("fill", { count: "x" })
      expect(refused).toBeInstanceOf(Admin.AdminActionRefused)
      expect(refused).toMatchObject({ issues: expect.stringContaining("count") })
      const missing = yield* run("fil", {})
      expect(missing).toBeInstanceOf(Admin.AdminActionNotFound)
      expect(missing).toMatchObject({ actions: ["fill", "sweep"] })
    })
  )
})

describe("the drain on the admin port", () => {
  it.effect("an app that does not own its process is not ended", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip((yield* clientOf).drain({ payload: {} }))
      expect(error).toBeInstanceOf(Admin.AdminDrainRefused)
    })
  )

  it.effect("an app that owns its process begins to end it", () =>
    Effect.gen(function* () {
      let stopped = 0
      const owner = Plugin.make("test:owner", {
        layer: Layer.succeed(
          Shutdown,
          Effect.sync(() => void stopped++)
        )
      })
      const test = yield* TestApp.make(App.make("owner", [Admin.plugin, owner]))
      const admin = yield* test.port("admin").client(Admin.AdminApi)
      expect(yield* admin.drain({ payload: {} })).toEqual({ status: "draining" })
      expect(stopped).toBe(1)
    })
  )
})
