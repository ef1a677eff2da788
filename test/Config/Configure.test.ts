import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { App, Plugin } from "flange"
import { TestApp } from "flange/Testing"
import * as Config from "../../src/Config/index.ts"
import { directoryWith, row } from "./fixtures.ts"

const Cache = Config.section("cache", {
  hosts: Schema.optionalKey(Schema.Array(Schema.String)),
  limits: Schema.optionalKey(Schema.Struct({ max: Schema.optionalKey(Schema.Int) })),
  password: Schema.optionalKey(Config.Secret),
  ttl: Config.Duration.pipe(Config.withDefault("5 seconds"))
})

const load = (change: Config.Change["change"], options: object = {}) =>
  Config.load({
    configure: [{ change, plugin: "b" }],
    sections: [Cache],
    values: { cache: { hosts: ["a"], limits: { max: 1 }, ttl: "1 minute" } },
    variables: { FLANGE__CACHE__TTL: "2m" },
    ...options
  })

const entryOf = (
  resolved: Config.Resolved<Config.Section<"cache", typeof Cache.Service>>,
  key: string
) => Config.explain(resolved).find((entry) => entry.key === key)

layer(NodeServices.layer)("configure of plugins", (it) => {
  it.effect("gets the merged values, and what it changes wins over files and variables", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const resolved = yield* load((config, environment) => {
        seen.push(config["cache"]?.["ttl"], environment)
        return { ...config, cache: { ...config["cache"], ttl: "3m" } }
      })
      assert.deepStrictEqual(seen, ["2m", "local"])
      assert.deepStrictEqual(entryOf(resolved, "cache.ttl"), {
        key: "cache.ttl",
        overridden: [
          { source: "variable FLANGE__CACHE__TTL", value: '"2m"' },
          { source: "code", value: '"1 minute"' }
        ],
        source: "configure of plugin b",
        value: '"3m"'
      })
      assert.strictEqual(row(resolved, "cache.hosts"), '["a"] from code')
    })
  )

  it.effect("runs in the order of the plugins, each on the result of the one before", () =>
    Effect.gen(function* () {
      const append = (host: string) => (config: Config.Values) => {
        const before = config["cache"]?.["hosts"]
        return {
          ...config,
          cache: { ...config["cache"], hosts: [...(Array.isArray(before) ? before : []), host] }
        }
      }
      const resolved = yield* load((config) => config, {
        configure: [
          { change: append("b"), plugin: "first" },
          { change: undefined, plugin: "none" },
          { change: append("c"), plugin: "second" }
        ]
      })
      assert.deepStrictEqual(Context.get(resolved.context, Cache).hosts, ["a", "b", "c"])
      assert.deepStrictEqual(
        entryOf(resolved, "cache.hosts")?.overridden.map(({ source }) => source),
        ["configure of plugin first", "code"]
      )
    })
  )

  it.effect("removes what it leaves out, and the report names it", () =>
    Effect.gen(function* () {
      const resolved = yield* load(({ cache: { ttl: _, ...rest } = {} }) => ({
        cache: { ...rest, limits: {} }
      }))
      assert.deepStrictEqual(Context.get(resolved.context, Cache).limits, {})
      assert.deepStrictEqual(entryOf(resolved, "cache.ttl"), {
        key: "cache.ttl",
        overridden: [
          { source: "variable FLANGE__CACHE__TTL", value: '"2m"' },
          { source: "code", value: '"1 minute"' }
        ],
        source: "schema default after configure of plugin b",
        value: '"5s"'
      })
    })
  )

  it.effect("changes a copy: only what it returns counts, and overrides win over it", () =>
    Effect.gen(function* () {
      const returned = yield* load((config) => {
        Reflect.set(config["cache"] ?? {}, "ttl", "9m")
        return config
      })
      assert.strictEqual(row(returned, "cache.ttl"), '"9m" from configure of plugin b')
      const overrides = { cache: { ttl: "1s" } }
      const resolved = yield* load(() => ({ cache: { ttl: "9m" } }), { overrides })
      assert.strictEqual(row(resolved, "cache.ttl"), '"1s" from overrides')
    })
  )

  it.effect("does not run on a configuration with a source that cannot be read", () =>
    Effect.gen(function* () {
      const directory = yield* directoryWith({ "flange.toml": "[" })
      const error = yield* Effect.flip(
        load(
          () => {
            throw new Error("called")
          },
          { directory, values: undefined }
        )
      )
      assert.notInclude(error.message, "called")
    })
  )

  it.effect("is a problem if it throws or returns no configuration, without secrets", () =>
    Effect.gen(function* () {
      const values = { cache: { password: "hunter2" } }
      const wrong: ReadonlyArray<readonly [Config.Change["change"], RegExp]> = [
        [() => JSON.parse("null"), /configure of plugin b returned no object/],
        [() => ["x"], /returned no object/],
        [
          (config) => {
            throw new Error(`bad ${String(config["cache"]?.["password"])}`)
          },
          /configure of plugin b threw bad <redacted>/
        ],
        [() => ({ cache: { ttl: "soon" } }), /"soon" from configure of plugin b is refused/]
      ]
      for (const [change, message] of wrong) {
        const error = yield* Effect.flip(load(change, { values }))
        assert.match(error.message, message)
        assert.notInclude(error.message, "hunter2")
      }
    })
  )

  it.effect("of a plugin changes the section of another one", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const Reader = Plugin.make("app:reader", {
        config: [Cache],
        ready: () => Effect.map(Cache, ({ hosts }) => void seen.push(hosts))
      })
      const Changer = Plugin.make("app:changer", {
        configure: (config, environment) => ({
          ...config,
          cache: { ...config["cache"], hosts: [environment] }
        })
      })
      yield* TestApp.make(App.make("shop", [Reader, Changer]))
      assert.deepStrictEqual(seen, [["test"]])
    })
  )
})
