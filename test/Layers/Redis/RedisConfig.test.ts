import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Config from "flange/Config"
import * as Redis from "flange/Redis"
import { describe, expect, it } from "vitest"
import * as RedisUrl from "../../../src/Layers/Redis/RedisUrl.ts"

interface Given {
  readonly environment?: string
  readonly values?: object
  readonly variables?: Record<string, string>
}

const load = ({ environment = "local", values = {}, variables = {} }: Given) =>
  Effect.gen(function* () {
    const resolved = yield* Config.load({
      defaults: [{ plugin: Redis.plugin.id, values: Redis.plugin.manifest.defaults }],
      environment,
      sections: [Redis.RedisConfig],
      values,
      variables
    })
    return yield* Effect.provide(Redis.RedisConfig, resolved.context)
  }).pipe(Effect.provide(NodeServices.layer))

const problems = (given: Given) =>
  Effect.runPromise(Effect.map(Effect.flip(load(given)), (error) => error.problems))

describe("The section redis", () => {
  it("has the documented defaults", async () => {
    const settings = await Effect.runPromise(load({}))
    expect(Redacted.value(settings.url!)).toBe("redis://127.0.0.1:6379")
    expect(Duration.toSeconds(settings.commandTimeout)).toBe(1)
    expect(Duration.toSeconds(settings.connectTimeout)).toBe(5)
    expect(settings).toMatchObject({ maxReserved: 10, subscriptionBuffer: 1024 })
    expect(settings.prefix).toBeUndefined()
  })

  it.each(["production", "staging"])("has no silent server in %s", async (environment) => {
    const [problem, ...others] = await problems({ environment })
    expect(others).toEqual([])
    expect(problem).toMatchObject({ key: "redis.url", source: "not set" })
    expect(problem!.message).toContain("REDIS_URL")
  })

  it("needs no server in the environment test, where a double may be in its place", async () => {
    expect((await Effect.runPromise(load({ environment: "test" }))).url).toBeUndefined()
  })

  it("takes the usual variable", async () => {
    const variables = { REDIS_URL: "rediss://ada:p%40ss@cache.example:6380/2" }
    const { url } = await Effect.runPromise(load({ environment: "production", variables }))
    const target = RedisUrl.parse(Redacted.value(url!))!
    expect({ ...target, password: Redacted.value(target.password) }).toEqual({
      database: 2,
      host: "cache.example",
      password: "p@ss",
      port: 6380,
      tls: true,
      user: "ada"
    })
  })

  it.each([
    ["redis://[::1]", "Redis at [::1]:6379"],
    ["redis://:only-a-password@host", "Redis at host:6379"],
    ["redis://host/", "Redis at host:6379"]
  ])("accepts %s", (text, description) => {
    const target = RedisUrl.read(text)
    expect(typeof target === "string" ? target : RedisUrl.describe(target)).toBe(description)
  })

  it.each([
    ["http://host", "scheme"],
    ["host:6379", "scheme"],
    ["redis:///0", "host"],
    ["redis://host:0", "port"],
    ["redis://host:99999999", "port"],
    ["redis://host:65536", "port"],
    ["redis://host/name", "database"],
    ["redis://host/0?db=1", "parameter"],
    ["redis://a:6379,b:6379", "hosts"],
    ["redis://u:hunter2#x@host", "encoding"],
    ["redis://u:hunter2/x@host", "encoding"],
    ["redis://u:%zz@host", "encoding"]
  ] as const)("refuses %s: %s", async (text, mistake) => {
    expect(RedisUrl.read(text)).toBe(mistake)
    const [problem] = await problems({ variables: { REDIS_URL: text } })
    expect(problem?.message).toContain(RedisUrl.mistakes[mistake])
    expect(problem?.message).not.toContain("hunter2")
  })

  it.each([
    [{ commandTimeout: "0s" }, "redis.commandTimeout"],
    [{ connectTimeout: "Infinity" }, "redis.connectTimeout"],
    [{ prefix: "a b" }, "redis.prefix"],
    [{ prefix: "a:" }, "redis.prefix"],
    [{ maxReserved: 0 }, "redis.maxReserved"]
  ])("refuses %o", async (redis, key) => {
    expect((await problems({ values: { redis } })).map((one) => one.key)).toEqual([key])
  })
})
