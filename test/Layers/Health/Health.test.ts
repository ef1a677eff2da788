import { readFileSync } from "node:fs"
import { hostname } from "node:os"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { App, HealthCheck, Plugin, Preset } from "flange"
import * as Health from "flange/Health"
import { afterEach, assert, describe, it } from "vitest"
import { runtime } from "../../matrix/combination.ts"

const manifest: { readonly version: string } = JSON.parse(
  readFileSync(new URL("../../../package.json", import.meta.url), "utf8")
)

const closes: Array<() => Promise<void>> = []
afterEach(async () => {
  for (const close of closes.splice(0)) await close()
})

/** An app on a real socket, with everything that it logs. */
const listening = async (
  plugins: ReadonlyArray<Plugin.Any>,
  appSection: object = {},
  {
    clock = Clock.Clock.defaultValue(),
    environment = "local",
    health = {}
  }: { clock?: Clock.Clock; environment?: string; health?: object } = {}
) => {
  const logs: Array<string> = []
  let url = ""
  const Address = Plugin.make("app:address", {
    layer: Logger.layer([
      Logger.make(({ cause, message }) => {
        logs.push(`${String(message)} ${Cause.pretty(cause)}`)
      })
    ]),
    order: { first: true },
    ready: ({ address }) =>
      Effect.sync(() => {
        url = address ?? ""
      })
  })
  const app = App.make("shop", [Address, Health.plugin, ...plugins], {
    config: {
      environment,
      values: { app: appSection, health, server: { host: "127.0.0.1", port: 0 } },
      variables: { APP_VERSION: "1.2.0", BUILD_DATE: "2025-01-02T03:04:05Z", GIT_COMMIT: "abc123" }
    }
  })
  const scope = Scope.makeUnsafe()
  const run = <A, E>(effect: Effect.Effect<A, E>) =>
    Effect.runPromise(Effect.provideService(effect, Clock.Clock, clock))
  const close = () => run(Scope.close(scope, Exit.void))
  closes.push(close)
  const boot = run(Layer.buildWithScope(App.layer(app), scope))
  return { boot, close, logs, url: () => url }
}

const withChecks = (health: Readonly<Record<string, HealthCheck.Input<never>>>) =>
  Plugin.make("app:checks", { health })

const json = async (url: string) => {
  const reply = await fetch(url)
  return { body: (await reply.json()) as Record<string, any>, reply }
}

const half = Effect.succeed(HealthCheck.degraded("the replica is late"))

const failing = Effect.fail(new Error("password of db.internal refused"))

describe("GET /livez and /healthz", () => {
  it.each(["/livez", "/healthz"])("%s answers 200, as a bare route", async (path) => {
    const { boot, url } = await listening([
      withChecks({ db: HealthCheck.make(failing, { class: "critical" }) })
    ])
    await boot
    const { body, reply } = await json(url() + path)
    assert.strictEqual(reply.status, 200)
    assert.deepStrictEqual(body, { status: "alive" })
    assert.isNull(reply.headers.get("x-request-id"))
  })
})

describe("GET /readyz", () => {
  it("is 503 until the last plugin is ready, 200 then, and 503 from the first moment of the drain", async () => {
    const gate = Deferred.makeUnsafe<void>()
    const reached = Deferred.makeUnsafe<void>()
    const Slow = Plugin.make("app:slow", {
      ready: () => Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(gate))
    })
    const clock = await Effect.runPromise(Effect.scoped(TestClock.make()))
    const { boot, close, logs, url } = await listening([Slow], { drainDelay: "1 hour" }, { clock })
    await Effect.runPromise(Deferred.await(reached))
    const { body, reply } = await json(`${url()}/readyz`)
    assert.strictEqual(reply.status, 503)
    assert.strictEqual(reply.headers.get("content-type"), "application/problem+json")
    assert.deepInclude(body, { code: "SERVICE_UNAVAILABLE", instance: "/readyz", status: 503 })
    assert.strictEqual((await fetch(`${url()}/livez`)).status, 200)
    // Not a failed request: an orchestrator asks from the start on.
    assert.notInclude(logs.join("\n"), "Request failed")

    await Effect.runPromise(Deferred.succeed(gate, undefined))
    await boot
    const ready = await json(`${url()}/readyz`)
    assert.strictEqual(ready.reply.status, 200)
    assert.deepStrictEqual(ready.body, { status: "ready" })

    const closed = close()
    assert.strictEqual((await fetch(`${url()}/readyz`)).status, 503)
    assert.strictEqual((await fetch(`${url()}/livez`)).status, 200)
    await Effect.runPromise(clock.adjust("1 hour"))
    await closed
  })

  it("is 200 with a critical check that says degraded, whose reason is in the log only", async () => {
    const { boot, logs, url } = await listening([
      withChecks({ db: HealthCheck.make(half, { class: "critical" }) })
    ])
    await boot
    assert.strictEqual((await fetch(`${url()}/readyz`)).status, 200)
    const { body } = await json(`${url()}/healthcheck`)
    assert.deepInclude(body["components"][0], { class: "critical", status: "degraded" })
    assert.notInclude(JSON.stringify(body), "replica")
    assert.include(logs.join("\n"), '"db" of plugin "app:checks" is degraded: the replica is late')
  })

  it.each([
    ["critical", 503],
    ["informational", 200],
    ["shared", 200]
  ] as const)("with a failing %s check is %d", async (type, status) => {
    const { boot, url } = await listening([
      withChecks({ db: HealthCheck.make(failing, { class: type }), other: Effect.void })
    ])
    await boot
    assert.strictEqual((await fetch(`${url()}/readyz`)).status, status)
  })
})

describe("GET /healthcheck", () => {
  it("tells what the service is, and nothing of the inside of a failure", async () => {
    const { boot, logs, url } = await listening([
      withChecks({
        // In this order: the reply has the components by name.
        queue: HealthCheck.make(Effect.void, { class: "critical" }),
        cache: failing
      })
    ])
    await boot
    const { body, reply } = await json(`${url()}/healthcheck`)
    assert.strictEqual(reply.status, 200)
    assert.isNotNull(reply.headers.get("x-request-id"))
    const { components, uptime, ...others } = body
    const engine = runtime ?? "node"
    assert.deepStrictEqual(others, {
      buildDate: "2025-01-02T03:04:05Z",
      commit: "abc123",
      framework: `flange ${manifest.version}`,
      hostname: hostname(),
      name: "shop",
      runtime: `${engine} ${process.versions[engine]}`,
      status: "degraded",
      version: "1.2.0"
    })
    assert.isTrue(Number.isInteger(uptime) && uptime >= 0)
    const [cache, queue] = components
    assert.hasAllKeys(cache, ["checkedAt", "class", "latencyMs", "name", "status"])
    assert.deepInclude(cache, { class: "shared", name: "cache", status: "down" })
    assert.deepInclude(queue, { class: "critical", name: "queue", status: "up" })
    assert.isFalse(Number.isNaN(Date.parse(cache.checkedAt)))
    assert.notInclude(JSON.stringify(body), "password")
    assert.include(logs.join("\n"), 'Component "cache" of plugin "app:checks" is down (shared)')
    assert.include(logs.join("\n"), "password of db.internal refused")
  })

  it.each([
    ["production", {}, "status"],
    ["local", { details: "off" }, "status"],
    ["production", { details: "public" }, "everything"],
    ["staging", {}, "everything"]
  ])("in the environment %s with %o tells %s", async (environment, health, told) => {
    const checks = withChecks({ database: failing })
    const { boot, url } = await listening([checks], {}, { environment, health })
    await boot
    const { body, reply } = await json(`${url()}/healthcheck`)
    assert.strictEqual(reply.status, 200)
    assert.strictEqual(body["status"], "degraded")
    if (told === "status") assert.deepStrictEqual(body, { status: "degraded" })
    else assert.containsAllKeys(body, ["components", "hostname", "name", "uptime", "version"])
  })

  it.each([
    ["pass", {}],
    ["pass", { a: Effect.void }],
    ["degraded", { a: HealthCheck.make(half, { class: "critical" }), b: Effect.void }],
    ["degraded", { a: HealthCheck.make(half, { class: "informational" }) }],
    ["degraded", { a: HealthCheck.make(failing, { class: "informational" }), b: Effect.void }],
    ["fail", { a: failing, b: HealthCheck.make(failing, { class: "critical" }) }]
  ] as const)("has status %s", async (status, checks) => {
    const { boot, url } = await listening([withChecks(checks)])
    await boot
    assert.strictEqual((await json(`${url()}/healthcheck`)).body["status"], status)
  })
})

describe("the paths", () => {
  const paths = {
    healthcheckPath: "/ops/health",
    healthzPath: "/ops/alive",
    livezPath: "/ops/live",
    readyzPath: "/ops/ready"
  }

  it("are those of the section health, and the defaults are then unknown", async () => {
    const { boot, url } = await listening(
      [withChecks({ db: HealthCheck.make(failing, { class: "critical" }) })],
      {},
      { health: paths }
    )
    await boot
    assert.deepInclude((await json(`${url()}/ops/health`)).body, { name: "shop", status: "fail" })
    for (const path of ["/ops/alive", "/ops/live"]) {
      assert.deepStrictEqual((await json(`${url()}${path}`)).body, { status: "alive" })
    }
    const ready = await json(`${url()}/ops/ready`)
    assert.strictEqual(ready.reply.status, 503)
    assert.deepInclude(ready.body, { code: "SERVICE_UNAVAILABLE", instance: "/ops/ready" })
    for (const path of ["/healthcheck", "/healthz", "/livez", "/readyz"]) {
      const { body, reply } = await json(`${url()}${path}`)
      assert.strictEqual(reply.status, 404)
      assert.strictEqual(body["code"], "ROUTE_NOT_FOUND")
    }
  })

  it.each([
    { livezPath: "/healthz" },
    { livezPath: "/x", readyzPath: "/x" },
    { livezPath: "live" },
    { livezPath: "/live/" }
  ])("are refused if two are the same or one is no path: %o", async (health) => {
    const { boot } = await listening([], {}, { health })
    const error = await boot.then(
      () => "booted",
      (cause: unknown) => String(cause)
    )
    assert.include(error, "ConfigError")
  })
})

describe("the contract", () => {
  it("is in app.api, so that a typed client has it", async () => {
    const app = App.make("shop", [...Preset.api, withChecks({})])
    assert.sameMembers(Object.keys(app.api.groups), ["health", "probes"])
    const { boot, url } = await listening([
      withChecks({ db: HealthCheck.make(failing, { class: "critical" }) })
    ])
    await boot
    const error = await Effect.runPromise(
      Effect.gen(function* () {
        const client = yield* HttpApiClient.make(app.api, { baseUrl: url() })
        assert.strictEqual((yield* client.probes.livez()).status, "alive")
        assert.strictEqual((yield* client.health.healthcheck()).status, "fail")
        return yield* Effect.flip(client.probes.readyz())
      }).pipe(Effect.provide(FetchHttpClient.layer))
    )
    assert.strictEqual(error._tag, "ServiceUnavailable")
  })
})

describe("the section health", () => {
  it("refuses an interval that would keep the components busy", async () => {
    const app = App.make("shop", [Health.plugin], {
      config: { values: { health: { interval: "0 seconds" } }, variables: {} }
    })
    const web = App.toWebHandler(app)
    const error = await web.handler(new Request("http://app/")).catch((error: unknown) => error)
    assert.include(String(error), "health.interval")
    assert.include(String(error), "100 ms")
  })
})

it("stops checking before what is checked is released", async () => {
  const order: Array<string> = []
  const checking = Deferred.makeUnsafe<void>()
  const Database = Plugin.make("app:database", {
    health: {
      database: Effect.onInterrupt(
        Effect.andThen(Deferred.succeed(checking, undefined), Effect.never),
        () => Effect.sync(() => order.push("check interrupted"))
      )
    },
    layer: Layer.effectDiscard(
      Effect.addFinalizer(() => Effect.sync(() => order.push("database released")))
    )
  })
  const { boot, close, logs } = await listening([Database])
  await boot
  await Effect.runPromise(Deferred.await(checking))
  await close()
  assert.deepStrictEqual(order, ["check interrupted", "database released"])
  assert.notInclude(logs.join("\n"), "is down")
})
