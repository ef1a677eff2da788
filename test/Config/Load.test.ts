import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import * as EffectConfig from "effect/Config"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { expectTypeOf } from "vitest"
import * as Config from "../../src/Config/index.ts"
import { DatabaseConfig, directoryWith, row, ServerConfig } from "./fixtures.ts"

layer(NodeServices.layer)("Config.load", (it) => {
  describe("precedence", () => {
    const Color = Config.section(
      "paint",
      {
        color: Schema.String.pipe(Config.withDefault("schema"))
      },
      { variables: { COLOR: "color" } }
    )
    const paint = (color: string) => ({ paint: { color } })
    const sources = [
      ["schema default", {}],
      ["defaults of plugin a", { defaults: [{ plugin: "a", values: paint("a") }] }],
      [
        "defaults of plugin b",
        {
          defaults: [
            { plugin: "a", values: paint("a") },
            { plugin: "b", values: (environment: string) => paint(environment) }
          ]
        }
      ],
      ["code", { values: paint("base") }],
      [
        "code [environments.test]",
        { values: { ...paint("base"), environments: { test: paint("overlay") } } }
      ],
      ["variable COLOR", { variables: { COLOR: "short" } }],
      [
        "variable FLANGE__PAINT__COLOR",
        {
          variables: { COLOR: "short", FLANGE__PAINT__COLOR: "long" }
        }
      ],
      ["overrides", { overrides: paint("override") }]
    ] as const

    for (const [index, [source]] of sources.entries()) {
      it.effect(`${source} wins over everything listed before it`, () =>
        Effect.gen(function* () {
          const options = Object.assign({}, ...sources.slice(0, index + 1).map(([, one]) => one))
          const resolved = yield* Config.load({
            ...options,
            environment: "test",
            sections: [Color]
          })
          const [entry] = Config.explain(resolved)
          assert.strictEqual(entry?.source, source)
          const replaced = sources
            .slice(1, index)
            .map(([name]) => name)
            .toReversed()
          assert.deepStrictEqual(
            entry?.overridden.map((one) => one.source),
            replaced
          )
        })
      )
    }

    it.effect("objects of two sources merge, any other value replaces the one below", () =>
      Effect.gen(function* () {
        const resolved = yield* Config.load({
          overrides: { database: { pool: { max: 5 } } },
          sections: [DatabaseConfig, ServerConfig],
          values: {
            database: { pool: { max: 1, min: 1 }, url: "u" },
            environments: { local: { server: { hosts: ["c"] } } },
            server: { hosts: ["a", "b"], port: 1 }
          }
        })
        assert.deepStrictEqual(Context.get(resolved.context, DatabaseConfig).pool, {
          max: 5,
          min: 1
        })
        assert.deepStrictEqual(Context.get(resolved.context, ServerConfig).hosts, ["c"])
      })
    )
  })

  describe("sections", () => {
    it.effect("a section is a service with the decoded values", () =>
      Effect.gen(function* () {
        const program = Effect.gen(function* () {
          const server = yield* ServerConfig
          return [server.port, Duration.toSeconds(server.drainTimeout)] as const
        })
        const { context } = yield* Config.load({
          sections: [ServerConfig],
          values: { server: { port: 8080 } }
        })
        assert.deepStrictEqual(yield* Effect.provide(program, context), [8080, 5])
        assert.strictEqual(ServerConfig.key, "flange/Config/server")
      })
    )

    it("an effect that reads a section requires it by name", () => {
      const Small = Config.section("small", { port: Config.Port })
      const program = Effect.map(Small, (small) => small.port)
      expectTypeOf(program).toEqualTypeOf<
        Effect.Effect<number, never, Config.Section<"small", { readonly port: number }>>
      >()
      const refused = () => {
        // @ts-expect-error the section is not provided
        Effect.runSync(program)
      }
      assert.isFunction(refused)
    })

    it.effect("a whole schema works as well as fields", () =>
      Effect.gen(function* () {
        const Labels = Config.section("labels", Schema.Record(Schema.String, Schema.Int))
        const { context } = yield* Config.load({
          sections: [Labels],
          values: { labels: { a: 1 } },
          variables: { FLANGE__LABELS__B: "2" }
        })
        assert.deepStrictEqual({ ...Context.get(context, Labels) }, { a: 1, b: 2 })
      })
    )

    it.effect("two different sections of one name are refused, one given twice is not", () =>
      Effect.gen(function* () {
        const Other = Config.section("server", {})
        const values = { server: { port: 1 } }
        yield* Config.load({ sections: [ServerConfig, ServerConfig], values })
        const error = yield* Effect.flip(Config.load({ sections: [ServerConfig, Other], values }))
        assert.strictEqual(
          error.problems[0]?.message,
          "Two different sections are called server: rename one, or share one declaration."
        )
      })
    )

    it.effect("a reserved section name is refused", () =>
      Effect.gen(function* () {
        const sections = ["env", "environments", "__proto__"].map((name) =>
          Config.section(name, {})
        )
        const error = yield* Effect.flip(Config.load({ sections }))
        assert.deepStrictEqual(
          error.problems.map((problem) => problem.key),
          ["__proto__", "env", "environments"]
        )
      })
    )
  })

  describe("environment", () => {
    const load = (options: {
      readonly environment?: string
      readonly values?: object
      readonly variables?: Record<string, string>
    }) => Config.load({ ...options, sections: [] })

    it.effect(
      "the option wins over FLANGE_ENV, FLANGE_ENV over env in the file; the default is local",
      () =>
        Effect.gen(function* () {
          const values = { env: "staging" }
          const variables = { FLANGE_ENV: "production" }
          assert.strictEqual((yield* load({})).environment, "local")
          assert.strictEqual((yield* load({ values })).environment, "staging")
          assert.strictEqual((yield* load({ values, variables })).environment, "production")
          const resolved = yield* load({ environment: "test", values, variables })
          assert.strictEqual(resolved.environment, "test")
          assert.strictEqual(yield* Effect.provide(Config.Environment, resolved.context), "test")
        })
    )

    it.effect("Config.Environment is local if nothing was loaded", () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* Config.Environment, "local")
      })
    )

    it.effect("dev and prod are aliases, in the name and in the overlay", () =>
      Effect.gen(function* () {
        const resolved = yield* Config.load({
          sections: [ServerConfig],
          values: { environments: { prod: { server: { port: 2 } } }, server: { port: 1 } },
          variables: { FLANGE_ENV: "production" }
        })
        assert.strictEqual(row(resolved, "server.port"), "2 from code [environments.prod]")
        assert.strictEqual((yield* load({ environment: "dev" })).environment, "development")
        assert.strictEqual((yield* load({ environment: "prod" })).environment, "production")
        assert.strictEqual((yield* load({ environment: "dev-private" })).environment, "dev-private")
      })
    )

    it.effect("an alias and its full name cannot both have an overlay", () =>
      Effect.gen(function* () {
        const values = { environments: { prod: {}, production: {} } }
        const error = yield* Effect.flip(load({ values }))
        assert.match(error.message, /environments\.prod\] and code \[environments\.production\]/)
      })
    )

    it.effect("a name that the file declares is known", () =>
      Effect.gen(function* () {
        const values = { environments: { "eu-west": {} } }
        assert.strictEqual((yield* load({ environment: "eu-west", values })).environment, "eu-west")
      })
    )

    it.effect("an unknown name lists the known ones and the nearest", () =>
      Effect.gen(function* () {
        const values = { environments: { "eu-west": {} } }
        const variables = { FLANGE_ENV: "productoin" }
        const error = yield* Effect.flip(load({ values, variables }))
        assert.deepStrictEqual(
          { ...error.problems[0] },
          {
            expected:
              "one of dev-private, development (alias dev), eu-west, local, production " +
              "(alias prod), staging, test",
            key: "env",
            message:
              '"productoin" from variable FLANGE_ENV is not a known environment: write one ' +
              "of dev-private, development (alias dev), eu-west, local, production (alias prod), " +
              "staging, test, or declare [environments.productoin] in the file.",
            nearest: "production",
            received: '"productoin"',
            source: "variable FLANGE_ENV"
          }
        )
      })
    )

    it.effect("FLANGE__ENV is refused in favour of FLANGE_ENV", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(load({ variables: { FLANGE__ENV: "production" } }))
        assert.match(error.message, /write FLANGE_ENV\./)
      })
    )
  })

  describe("effect/Config", () => {
    const read = <A>(config: EffectConfig.Config<A>, options: object) =>
      Effect.flatMap(Config.load({ ...options, sections: [] }), ({ context }) =>
        Effect.provideContext(config, context)
      )
    const poolSize = EffectConfig.Int("size").pipe(EffectConfig.nested("pool"))

    it.effect("each segment of a path is a key, and sources keep their precedence", () =>
      Effect.gen(function* () {
        const steps = [
          { defaults: [{ plugin: "a", values: { pool: { size: 1 } } }] },
          { values: { pool: { size: 2 } } },
          { values: { environments: { local: { pool: { size: 3 } } }, pool: { size: 2 } } },
          { variables: { FLANGE__POOL__SIZE: "4", pool_size: "0" } },
          { overrides: { pool: { size: 5 } } }
        ]
        for (const [index] of steps.entries()) {
          const options: object = Object.assign({}, ...steps.slice(0, index + 1))
          assert.strictEqual(yield* read(poolSize, options), index + 1)
        }
      })
    )

    it.effect("lists, records, booleans and durations are read as they are in a file", () =>
      Effect.gen(function* () {
        const values = {
          mail: { hosts: ["a", "b"], labels: { x: "1" }, timeout: "5 seconds", tls: true }
        }
        const mail = EffectConfig.all({
          hosts: EffectConfig.Array(Schema.String, "hosts"),
          labels: EffectConfig.Record(Schema.String, Schema.String, "labels"),
          timeout: EffectConfig.Duration("timeout"),
          tls: EffectConfig.Boolean("tls")
        }).pipe(EffectConfig.nested("mail"))
        assert.deepStrictEqual(yield* read(mail, { values }), {
          ...values.mail,
          timeout: Duration.seconds(5)
        })
      })
    )

    it.effect(
      "a key that no source sets is read from the variable that Effect names after it",
      () =>
        Effect.gen(function* () {
          const variables = { SMTP_HOST: "mail.example" }
          const host = EffectConfig.String("HOST").pipe(EffectConfig.nested("SMTP"))
          assert.strictEqual(yield* read(host, { values: {}, variables }), "mail.example")
          assert.strictEqual(
            yield* read(EffectConfig.String("SMTP_HOST"), { values: {}, variables }),
            "mail.example"
          )
          const home = EffectConfig.withDefault(EffectConfig.String("HOME"), "unset")
          assert.strictEqual(yield* read(home, { values: {}, variables }), "unset")
        })
    )
  })

  describe("unread keys", () => {
    it.effect("an unread key is a warning with the nearest known key", () =>
      Effect.gen(function* () {
        const resolved = yield* Config.load({
          sections: [ServerConfig],
          values: {
            environments: { local: { server: { hsot: "x" } } },
            server: { port: 1, zebra: 1 },
            servr: { port: 2 }
          },
          variables: { FLANGE__SERVER__PROT: "1" }
        })
        assert.deepStrictEqual(resolved.warnings, [
          "server.hsot (code [environments.local]) is read by no section: did you mean server.host?",
          "server.prot (variable FLANGE__SERVER__PROT) is read by no section: did you mean server.port?",
          "server.zebra (code) is read by no section: remove it, or add the plugin that reads it.",
          "servr (code) is read by no section: did you mean server?"
        ])
      })
    )

    it.effect(
      "an unread key is found inside lists and nested objects, and none inside open records",
      () =>
        Effect.gen(function* () {
          const Proxy = Config.section("proxy", {
            labels: Schema.Record(Schema.String, Schema.String),
            raw: Schema.Unknown,
            upstreams: Schema.Array(Schema.Struct({ url: Schema.String }))
          })
          const { warnings } = yield* Config.load({
            sections: [Proxy],
            values: {
              proxy: { labels: { any: "x" }, raw: { any: 1 }, upstreams: [{ ulr: "y", url: "x" }] }
            }
          })
          assert.deepStrictEqual(warnings, [
            "proxy.upstreams.0.ulr (code) is read by no section: did you mean proxy.upstreams.0.url?"
          ])
        })
    )
  })

  describe("explain", () => {
    it.effect("explain lists every value with its source and what it replaced, sorted by key", () =>
      Effect.gen(function* () {
        const directory = yield* directoryWith({
          "flange.toml":
            '[server]\nport = 1\n[database]\nurl = "postgres://u:hunter2@h"\n' +
            "[environments.production.server]\nport = 2\n"
        })
        const resolved = yield* Config.load({
          defaults: [{ plugin: "http", values: { server: { host: "0.0.0.0" } } }],
          directory,
          sections: [ServerConfig, DatabaseConfig],
          variables: { DATABASE_URL: "postgres://u:hunter3@h", FLANGE_ENV: "prod", PORT: "3" }
        })
        assert.deepStrictEqual(Config.explain(resolved), [
          {
            key: "database.url",
            overridden: [{ source: "flange.toml", value: "<redacted>" }],
            source: "variable DATABASE_URL",
            value: "<redacted>"
          },
          {
            key: "server.drainTimeout",
            overridden: [],
            source: "schema default",
            value: '"5s"'
          },
          {
            key: "server.host",
            overridden: [],
            source: "defaults of plugin http",
            value: '"0.0.0.0"'
          },
          {
            key: "server.port",
            overridden: [
              { source: "flange.toml [environments.production]", value: "2" },
              { source: "flange.toml", value: "1" }
            ],
            source: "variable PORT",
            value: "3"
          }
        ])
        const { url } = Context.get(resolved.context, DatabaseConfig)
        assert.strictEqual(Redacted.value(url), "postgres://u:hunter3@h")
      })
    )
  })
})
