import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { expectTypeOf } from "vitest"
import * as Config from "../../src/Config/index.ts"
import { directoryWith, ServerConfig } from "./fixtures.ts"

const TlsConfig = Config.section(
  "tls",
  {
    cert: Schema.optionalKey(Schema.String),
    grace: Config.Duration.pipe(Config.withDefault("1 minute")),
    key: Schema.optionalKey(Config.Secret),
    pins: Schema.optionalKey(Schema.Struct({ max: Schema.Int }))
  },
  {
    check: ({ cert, grace, key, pins }, environment) => {
      const issues: Array<Config.SectionIssue> = []
      if (cert !== undefined && key === undefined) {
        issues.push({ key: "key", reason: "tls.cert is set" })
      }
      if (key !== undefined && Redacted.value(key).length < 8) {
        issues.push({ key: "key", reason: `${Redacted.value(key)} is too short` })
      }
      if (environment === "production" && Duration.toSeconds(grace) > 30) {
        issues.push({
          expected: "at most 30 seconds",
          key: "grace",
          reason: "production rotates fast"
        })
      }
      if ((pins?.max ?? 0) > 9) issues.push({ key: "pins.max", reason: "browsers read nine" })
      if (environment === "staging") issues.push({ reason: "staging has no TLS" })
      return issues
    },
    variables: { TLS_KEY: "key" }
  }
)

const RangeConfig = Config.section("range", Schema.Struct({ max: Schema.Int, min: Schema.Int }), {
  check: ({ max, min }) =>
    min <= max ? [] : [{ expected: "max or less", key: "min", reason: `max is ${max}` }]
})

const messages = (
  values: object,
  options: {
    readonly environment?: string
    readonly variables?: Readonly<Record<string, string>>
  } = {}
) =>
  Config.load({ ...options, sections: [TlsConfig], values: { tls: values } }).pipe(
    Effect.flip,
    Effect.map(({ problems }) => problems.map(({ message }) => message))
  )

layer(NodeServices.layer)("Config.section", (it) => {
  describe("check", () => {
    it.effect("two failing checks and a bad key are one ConfigError", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(
          Config.load({
            sections: [TlsConfig, ServerConfig, RangeConfig],
            values: {
              range: { max: 1, min: 2 },
              server: { port: "eighty" },
              tls: { cert: "cert.pem" }
            }
          })
        )
        assert.instanceOf(error, Config.ConfigError)
        assert.deepStrictEqual(
          error.problems.map(({ message }) => message),
          [
            "2 from code is refused for range.min (max is 1): write max or less.",
            '"eighty" from code is refused for server.port: write a port, an integer from 0 to 65535.',
            "tls.key is missing (tls.cert is set): set the variable TLS_KEY to a string (secret), or " +
              "TLS_KEY_FILE to the path of a file that has it."
          ]
        )
      })
    )

    it.effect("a check reads decoded values and the name of the environment", () =>
      Effect.gen(function* () {
        const values = { grace: "45s" }
        yield* Config.load({ sections: [TlsConfig], values: { tls: values } })
        assert.deepStrictEqual(yield* messages(values, { environment: "prod" }), [
          '"45s" from code is refused for tls.grace (production rotates fast): write at most 30 seconds.'
        ])
      })
    )

    it.effect("an issue names the source of its value, also a default of the schema", () =>
      Effect.gen(function* () {
        const variables = { FLANGE__TLS__GRACE: "2m" }
        const [named] = yield* messages({ grace: "45s" }, { environment: "prod", variables })
        assert.include(named, '"2m" from variable FLANGE__TLS__GRACE is refused')
        const [unset] = yield* messages({}, { environment: "prod" })
        assert.include(unset, '"1m" from schema default is refused for tls.grace')
      })
    )

    it.effect("the key of an issue may be nested, or absent for the whole section", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* messages({ pins: { max: 10 } }, { environment: "staging" }), [
          '{"pins":{"max":10}} from code is refused for tls (staging has no TLS): write an object ' +
            "with cert, grace, key, pins.",
          "10 from code is refused for tls.pins.max (browsers read nine): write an integer."
        ])
      })
    )

    it.effect("the reason of an issue with a secret is not printed", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* messages({ key: "hunter2" }), [
          "<redacted> from code is refused for tls.key: write a string (secret)."
        ])
      })
    )

    it.effect("a check does not run on a section that is refused or whose file is unreadable", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* messages({ cert: 1 }), [
          "1 from code is refused for tls.cert: write a string."
        ])
        const directory = yield* directoryWith({ "flange.toml": "[tls" })
        const { problems } = yield* Effect.flip(
          Config.load({ directory, environment: "staging", sections: [TlsConfig] })
        )
        assert.deepStrictEqual(
          problems.map(({ key }) => key),
          ["(file)"]
        )
      })
    )
  })

  describe("withDefault", () => {
    it.effect("a default is decoded by its schema, and every source wins over it", () =>
      Effect.gen(function* () {
        const load = (values: object) => Config.load({ sections: [TlsConfig], values })
        const unset = Context.get((yield* load({})).context, TlsConfig)
        assert.strictEqual(Duration.toSeconds(unset.grace), 60)
        const set = Context.get((yield* load({ tls: { grace: "2s" } })).context, TlsConfig)
        assert.strictEqual(Duration.toSeconds(set.grace), 2)
      })
    )

    it("a default is of the encoded type of its schema", () => {
      const level = Schema.Literals(["high", "low"]).pipe(Config.withDefault("low"))
      expectTypeOf(level.Type).toEqualTypeOf<"high" | "low">()
      const refused = () => {
        // @ts-expect-error the literal is not of the schema
        Schema.Literals(["high", "low"]).pipe(Config.withDefault("medium"))
        // @ts-expect-error a number is no boolean
        Schema.Boolean.pipe(Config.withDefault(0))
      }
      assert.isFunction(refused)
    })
  })

  it.effect("Config.expected describes a schema whichever part of it refuses a value", () =>
    Effect.gen(function* () {
      const words = 'a color such as "#ff8800"'
      const Color = Schema.String.check(Schema.isPattern(/^#[0-9a-f]{6}$/)).pipe(
        Config.expected(words)
      )
      const Paint = Config.section("paint", { edge: Color, fill: Color, line: Color })
      const { problems } = yield* Effect.flip(
        Config.load({ sections: [Paint], values: { paint: { edge: 1, fill: "red" } } })
      )
      assert.deepStrictEqual(
        problems.map(({ expected }) => expected),
        [words, words, words]
      )
    })
  )
})
