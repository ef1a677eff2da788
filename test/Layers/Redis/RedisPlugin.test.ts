import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import { App, AppRuntime, Doctor, HealthCheck, Plugin } from "flange"
import * as Metrics from "flange/Metrics"
import * as Redis from "flange/Redis"
import { TestApp } from "flange/Testing"
import { describe } from "vitest"
import { describeRedis, patient, redisServer } from "./server.ts"

const root = join(import.meta.dirname, "../../..")

const User = Plugin.make("app:user", { requires: [Redis.Redis, Redis.SharedRedis] })
const app = App.make("shop", [Redis.plugin, User])

const booted = (url: string, redis: object = {}) =>
  TestApp.make(app, { config: { redis: { ...patient, url, ...redis } } })

const send = <A>(command: string, ...args: ReadonlyArray<string>) =>
  Redis.Redis.use((redis) => redis.send<A>(command, ...args))

describeRedis("An app with Redis.plugin", () => {
  it.live("has the id of the app as prefix, and redis.prefix in its place", () =>
    Effect.gen(function* () {
      const { url } = yield* redisServer()
      const prefix = Redis.SharedRedis.useSync((shared) => shared.prefix)
      expect(yield* (yield* booted(url)).run(prefix)).toBe("shop:")
      expect(yield* (yield* booted(url, { prefix: "a:b" })).run(prefix)).toBe("a:b:")
      const spaced = yield* TestApp.make(App.make("my café", [Redis.plugin, User]), {
        config: { redis: { ...patient, url } }
      })
      expect(yield* spaced.run(send("CLIENT", "GETNAME"))).toBe("my-caf-")
    })
  )

  it.live("has a shared health check, which fails while Redis is away", () =>
    Effect.gen(function* () {
      const server = yield* redisServer()
      const { run } = yield* booted(server.url)
      const { contributions } = yield* run(AppRuntime)
      const [check] = contributions(HealthCheck.kind)
      expect(check).toMatchObject({ data: { class: "shared" }, name: "redis" })
      yield* check!.value
      yield* server.kill
      yield* Effect.exit(check!.value).pipe(Effect.repeat({ until: Exit.isFailure }))
      yield* server.start()
    })
  )

  it.live("closes its connections when it stops", () =>
    Effect.gen(function* () {
      const server = yield* redisServer()
      const clients = Effect.map(server.command("CLIENT LIST"), (text) =>
        [...text.matchAll(/name=(shop\S*)/g)].map(([, name]) => name).sort()
      )
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { run } = yield* booted(server.url)
          yield* run(
            Effect.scoped(
              Effect.gen(function* () {
                yield* Redis.SharedRedis.use(({ subscribe }) => subscribe("news"))
                yield* Redis.Redis.use(({ reserve }) => reserve)
                expect(yield* clients).toEqual(["shop", "shop", "shop-subscriber"])
              })
            )
          )
        })
      )
      yield* Effect.repeat(clients, { until: (names) => names.length === 0 })
    })
  )

  it.live("has a span for a command of a caller that is sampled, without its arguments", () =>
    Effect.gen(function* () {
      const server = yield* redisServer()
      const { run } = yield* booted(server.url)
      const spans: Array<Tracer.Span> = []
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          spans.push(span)
          return span
        }
      })
      const commands = Effect.gen(function* () {
        yield* send("SET", "secret-key", "1")
        yield* Effect.withSpan(Effect.ignore(send("lpush", "secret-key", "x")), "sampled")
        yield* Effect.withSpan(send("GET", "secret-key"), "not sampled", { sampled: false })
      })
      yield* run(Effect.withTracer(commands, tracer))
      const [span, ...others] = spans.filter(({ kind }) => kind === "client")
      expect(others).toEqual([])
      expect([span?.name, Option.isSome(span!.parent)]).toEqual(["LPUSH", true])
      expect(Object.fromEntries(span!.attributes)).toEqual({
        "db.namespace": "0",
        "db.operation.name": "LPUSH",
        "db.response.status_code": "WRONGTYPE",
        "db.system.name": "redis",
        "error.type": "WRONGTYPE",
        "server.address": "127.0.0.1",
        "server.port": server.port
      })
    })
  )

  it.live(
    "refuses commands that hold up the connection of all, and takes them on a reserved one",
    () =>
      Effect.gen(function* () {
        const { url } = yield* redisServer()
        const { run } = yield* booted(url, { commandTimeout: "2s", maxReserved: 1 })
        yield* run(
          Effect.gen(function* () {
            for (const command of ["BLPOP", "MULTI", "SELECT", "blpop"]) {
              const error = yield* Effect.flip(send(command, "list", "0"))
              expect(String(error.cause)).toContain("Redis.reserve")
            }
            const error = yield* Effect.flip(send("XREAD", "BLOCK", "0", "STREAMS", "s", "$"))
            expect(String(error.cause)).toContain("Redis.reserve")
            expect(String((yield* Effect.flip(send("SUBSCRIBE", "news"))).cause)).toContain(
              "SharedRedis.subscribe"
            )
            const redis = yield* Redis.Redis
            yield* Effect.scoped(
              Effect.gen(function* () {
                const own = yield* redis.reserve
                yield* own.send("MULTI")
                yield* own.send("SET", "a", "1")
                expect(yield* own.send("EXEC")).toEqual(["OK"])
                // The only one is taken: the next waits no longer than a command.
                expect((yield* Effect.flip(Effect.scoped(redis.reserve)))._tag).toBe("RedisError")
              })
            )
            expect(yield* send("GET", "a")).toBe("1")
          })
        )
      })
  )

  it.live.each([
    ["CLIENT", "REPLY", "SKIP"],
    ["PUNSUBSCRIBE"],
    ["UNSUBSCRIBE", "news"],
    ["sunsubscribe"]
  ])("refuses on every connection what would mix up the replies: %j", ([command, ...args]) =>
    Effect.gen(function* () {
      const { url } = yield* redisServer()
      const { run } = yield* booted(url)
      yield* run(send("SET", "a", "1"))
      const both = Effect.fnUntraced(function* (redis: Pick<Redis.Redis["Service"], "send">) {
        const [error, value] = yield* Effect.all(
          [Effect.flip(redis.send(command!, ...args)), redis.send("GET", "a")],
          { concurrency: "unbounded" }
        )
        expect(String(error.cause)).toContain("mix up all later replies")
        expect(value).toBe("1")
      })
      yield* run(Redis.Redis.use(both))
      yield* run(Redis.Redis.use(({ reserve }) => Effect.scoped(Effect.flatMap(reserve, both))))
    })
  )

  it.live.each([["SELECT", "5"], ["MULTI"], ["WATCH", "a"], ["CLIENT", "SETNAME", "x"]])(
    "lends no reserved connection that a borrower changed: %j",
    ([command, ...args]) =>
      Effect.gen(function* () {
        const { url } = yield* redisServer()
        const { run } = yield* booted(url)
        const lent = (...all: readonly [string, ...ReadonlyArray<string>]) =>
          run(
            Redis.Redis.use(({ reserve }) =>
              Effect.scoped(
                Effect.flatMap(reserve, (own) =>
                  Effect.andThen(own.send(...all), own.send("CLIENT", "ID"))
                )
              )
            )
          ).pipe(Effect.orElseSucceed(() => undefined))
        const first = yield* lent("GET", "a")
        expect(yield* lent("GET", "a")).toBe(first)
        yield* lent(command!, ...args)
        expect(yield* lent("GET", "a")).not.toBe(first)
      })
  )

  it.live("lends no reserved connection that the server closed meanwhile", () =>
    Effect.gen(function* () {
      const { url } = yield* redisServer()
      const { run } = yield* booted(url)
      const id = run(
        Redis.Redis.use(({ reserve }) =>
          Effect.scoped(Effect.flatMap(reserve, (own) => own.send<number>("CLIENT", "ID")))
        )
      )
      const first = yield* id
      yield* run(send("CLIENT", "KILL", "ID", String(first)))
      // The end of the other connection arrives by itself.
      yield* Effect.sleep(100)
      expect(yield* id).not.toBe(first)
    })
  )

  it.live("lends a reserved connection again after a whole transaction", () =>
    Effect.gen(function* () {
      const { url } = yield* redisServer()
      const { run } = yield* booted(url)
      const ids = Redis.Redis.use(({ reserve }) =>
        Effect.replicateEffect(
          Effect.scoped(
            Effect.gen(function* () {
              const own = yield* reserve
              for (const command of ["MULTI", "EXEC"]) yield* own.send(command)
              return yield* own.send("CLIENT", "ID")
            })
          ),
          2
        )
      )
      const [first, second] = yield* run(ids)
      expect(second).toBe(first)
    })
  )

  it.live("shows Prometheus its commands, its outages and whether it is connected", () =>
    Effect.gen(function* () {
      const server = yield* redisServer()
      const test = yield* TestApp.make(App.make("shop", [Metrics.plugin, Redis.plugin, User]), {
        config: { redis: { ...patient, url: server.url } }
      })
      const lines = Effect.map(test.get("/metrics"), ({ text }) =>
        text
          .split("\n")
          .filter((line) => /^flange_redis_|duration_seconds_count.*(GET|SET)/.test(line))
      )
      for (const key of ["a", "b"]) yield* test.run(send("get", key))
      yield* test.run(Effect.flip(send("SET", "a", "1", "WHAT")))
      const series = (labels: string, count: number) =>
        `db_client_operation_duration_seconds_count{${labels}} ${count}`
      expect((yield* lines).toSorted()).toEqual([
        series('db_operation_name="GET",db_system_name="redis"', 2),
        series('db_operation_name="SET",db_system_name="redis",error_type="ERR"', 1),
        "flange_redis_reconnects_total 0",
        "flange_redis_up 1"
      ])
      yield* server.kill
      yield* Effect.repeat(lines, { until: (all) => all.includes("flange_redis_up 0") })
      yield* server.start()
      yield* Effect.repeat(lines, { until: (all) => all.includes("flange_redis_up 1") })
      expect(yield* lines).toContain("flange_redis_reconnects_total 1")
    })
  )

  it.live("has checks for the doctor, each of which finds a fault", () =>
    Effect.gen(function* () {
      const server = yield* redisServer("--maxmemory", "50mb", "--maxmemory-policy", "volatile-lru")
      const { run } = yield* booted(server.url)
      const { contributions } = yield* run(AppRuntime)
      const checks = yield* contributions(Doctor.kind)[0]!.value
      const found = Effect.map(Effect.all(checks), (all) =>
        Object.values(all).map(({ message, state }) => `${state}: ${message}`)
      )
      const version = expect.stringMatching(/^ok: The server is Redis \d+\.\d+\.\d+\.$/)
      expect(yield* found).toEqual([
        "ok: A full server drops keys by the policy volatile-lru.",
        "ok: The server takes writes.",
        version
      ])
      yield* server.command("CONFIG SET maxmemory-policy allkeys-lru")
      yield* server.command("REPLICAOF 127.0.0.1 1")
      expect(yield* found).toEqual([
        "warning: The server may drop any key when its memory is full: its policy is allkeys-lru.",
        "failed: The server takes no writes: its role is slave.",
        version
      ])
      yield* server.command("CONFIG SET maxmemory 0")
      expect((yield* found)[0]).toBe("warning: The server has no limit for its memory.")
      yield* server.command("ACL SETUSER default -info")
      expect((yield* found)[1]).toBe("skipped: The user of redis.url may not run INFO.")
    })
  )
})

describe("flange/Redis", () => {
  const script = async (code: string) => {
    const child = spawn(
      `${root}/node_modules/.bin/node`,
      ["--conditions=flange-source", "--input-type=module", "--eval", code],
      { cwd: root, stdio: ["ignore", "pipe", "pipe"] }
    )
    let output = ""
    child.stdout.on("data", (chunk) => (output += chunk))
    child.stderr.on("data", (chunk) => (output += chunk))
    await once(child, "close")
    return output
  }

  /** A module loader without the client; what asks for it is written down. */
  const withoutClient = `
    import { registerHooks } from "node:module"
    globalThis.asked = []
    registerHooks({ resolve(specifier, context, next) {
      if (!/^@?redis/.test(specifier)) return next(specifier, context)
      globalThis.asked.push(specifier)
      throw Object.assign(new Error("Cannot find package " + specifier), { code: "ERR_MODULE_NOT_FOUND" })
    } })
  `

  it.live("loads no client, and describing an app loads none", () =>
    Effect.gen(function* () {
      const output = yield* Effect.promise(() =>
        script(`${withoutClient}
          const { App } = await import("flange")
          const Redis = await import("flange/Redis")
          await import("flange/Redis/Testing")
          const { plugins } = App.describe(App.make("shop", [Redis.plugin]))
          console.log(JSON.stringify([plugins[0].id, globalThis.asked]))`)
      )
      expect(output.trim()).toBe('["flange:redis",[]]')
    })
  )

  it.live("says what to install", () =>
    Effect.gen(function* () {
      const output = yield* Effect.promise(() =>
        script(`${withoutClient}
          const { App } = await import("flange")
          const Redis = await import("flange/Redis")
          App.run(App.make("shop", [Redis.plugin]))`)
      )
      expect(output).toContain("RedisClientMissing")
      expect(output).toContain("npm install redis")
    })
  )
})
