import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Config from "../../../src/Config/index.ts"
import { DatabaseConfig, row, ServerConfig } from "../fixtures.ts"

const load = (variables: Record<string, string | undefined>) =>
  Config.load({
    sections: [ServerConfig, DatabaseConfig],
    values: { database: { url: "u" }, server: { port: 1 } },
    variables
  })

layer(NodeServices.layer)("Config variables", (it) => {
  for (const name of ["DRAIN_TIMEOUT", "DRAINTIMEOUT", "drainTimeout", "DRAIN-TIMEOUT"]) {
    it.effect(`FLANGE__SERVER__${name} sets server.drainTimeout`, () =>
      Effect.gen(function* () {
        const { context } = yield* load({ [`FLANGE__SERVER__${name}`]: "75s" })
        assert.strictEqual(Duration.toSeconds(Context.get(context, ServerConfig).drainTimeout), 75)
      })
    )
  }

  it.effect("a FLANGE__ variable beats a short one", () =>
    Effect.gen(function* () {
      const resolved = yield* load({ FLANGE__SERVER__PORT: "2", PORT: "3" })
      assert.strictEqual(row(resolved, "server.port"), "2 from variable FLANGE__SERVER__PORT")
    })
  )

  it.effect("a more specific FLANGE__ variable beats a whole object in JSON", () =>
    Effect.gen(function* () {
      const { context } = yield* load({
        FLANGE__DATABASE__POOL: `{"max":1,"min":1}`,
        FLANGE__DATABASE__POOL__MAX: "9"
      })
      assert.deepStrictEqual(Context.get(context, DatabaseConfig).pool, { max: 9, min: 1 })
    })
  )

  it.effect("an empty short variable counts as unset", () =>
    Effect.gen(function* () {
      const resolved = yield* load({ DATABASE_URL: undefined, PORT: "" })
      assert.strictEqual(row(resolved, "server.port"), "1 from code")
    })
  )

  it.effect("other variables of the process are ignored without a warning", () =>
    Effect.gen(function* () {
      const { warnings } = yield* load({ FLANGE_ENV: "local", HOME: "/", PATH: "/bin" })
      assert.deepStrictEqual(warnings, [])
    })
  )

  const Typed = Config.section("typed", {
    any: Schema.optionalKey(Schema.Unknown),
    bool: Schema.optionalKey(Schema.Boolean),
    date: Schema.optionalKey(Schema.Date),
    int: Schema.optionalKey(Schema.Int),
    level: Schema.optionalKey(Schema.Literals(["debug", "info"])),
    list: Schema.optionalKey(Schema.Array(Schema.Int)),
    port: Schema.optionalKey(Config.Port),
    secret: Schema.optionalKey(Config.Secret),
    size: Schema.optionalKey(Config.ByteSize),
    text: Schema.optionalKey(Schema.String),
    time: Schema.optionalKey(Config.Duration),
    version: Schema.optionalKey(Schema.Literals([1, 2])),
    words: Schema.optionalKey(Schema.Array(Schema.String))
  })
  const spellings: ReadonlyArray<readonly [keyof typeof Typed.Service, string, unknown]> = [
    ["any", "1", "1"],
    ["bool", "0", false],
    ["bool", "off", false],
    ["bool", "true", true],
    ["bool", "YES", true],
    ["int", "42", 42],
    ["level", "debug", "debug"],
    ["list", "", []],
    ["list", "1, 2", [1, 2]],
    ["list", "[3,4]", [3, 4]],
    ["port", "8080", 8080],
    ["secret", "12345", "12345"],
    ["size", "1024", 1024],
    ["size", "8 MiB", 8_388_608],
    ["size", "500kB", 500_000],
    ["text", "007", "007"],
    ["text", "true", "true"],
    ["time", "1500", 1500],
    ["time", "2h", 7_200_000],
    ["time", "5 seconds", 5_000],
    ["time", "75s", 75_000],
    ["version", "2", 2],
    ["words", "1,b", ["1", "b"]]
  ]
  for (const [field, given, wanted] of spellings) {
    it.effect(`the string ${JSON.stringify(given)} becomes what ${field} takes`, () =>
      Effect.gen(function* () {
        const { context } = yield* Config.load({
          sections: [Typed],
          variables: { [`FLANGE__TYPED__${field}`]: given }
        })
        const value: unknown = Context.get(context, Typed)[field]
        const plain = Duration.isDuration(value)
          ? Duration.toMillis(value)
          : Redacted.isRedacted(value)
            ? Redacted.value(value)
            : value
        assert.deepStrictEqual(plain, wanted)
      })
    )
  }

  const refusals = [
    ["bool", "maybe", "true or false"],
    ["int", "1.5", "an integer"],
    ["int", "", "an integer"],
    ["port", "65536", "a port, an integer from 0 to 65535"],
    ["size", "-1", 'a size such as "8 MiB", "500 kB" or a whole number of bytes'],
    ["time", "-5 seconds", 'a duration such as "5 seconds", "75s" or a number of milliseconds'],
    ["level", "trace", '"debug" or "info"']
  ] as const
  for (const [field, given, wanted] of refusals) {
    it.effect(`the string ${JSON.stringify(given)} is refused for ${field}`, () =>
      Effect.gen(function* () {
        const { problems } = yield* Effect.flip(
          Config.load({
            sections: [Typed],
            variables: { [`FLANGE__TYPED__${field}`]: given }
          })
        )
        assert.deepStrictEqual(
          problems.map(({ expected, key }) => ({ expected, key })),
          [{ expected: wanted, key: `typed.${field}` }]
        )
      })
    )
  }

  it.effect("a wrong item of a list is a problem of that item", () =>
    Effect.gen(function* () {
      const { problems } = yield* Effect.flip(
        Config.load({
          sections: [Typed],
          variables: { FLANGE__TYPED__LIST: "1,x,3,y" }
        })
      )
      assert.deepStrictEqual(
        problems.map(({ key }) => key),
        ["typed.list.1", "typed.list.3"]
      )
    })
  )

  it.effect("one item of a list cannot be set", () =>
    Effect.gen(function* () {
      const { problems } = yield* Effect.flip(load({ FLANGE__SERVER__HOSTS__0: "x" }))
      assert.match(problems[0]?.message ?? "", /set the whole list in FLANGE__SERVER__HOSTS/)
    })
  )

  it.effect("JSON with a prototype key is refused as a whole", () =>
    Effect.gen(function* () {
      const { problems } = yield* Effect.flip(
        load({ FLANGE__DATABASE__POOL: `{"max":1,"__proto__":{"polluted":true}}` })
      )
      assert.deepStrictEqual(
        problems.map(({ key }) => key),
        ["database.pool"]
      )
      assert.notProperty({}, "polluted")
    })
  )

  it.effect("two variables that set one key differently are refused", () =>
    Effect.gen(function* () {
      const { problems } = yield* Effect.flip(
        load({
          FLANGE__SERVER__DRAIN_TIMEOUT: "2s",
          FLANGE__SERVER__DRAINTIMEOUT: "1s"
        })
      )
      assert.strictEqual(
        problems[0]?.message,
        "The variables FLANGE__SERVER__DRAINTIMEOUT and FLANGE__SERVER__DRAIN_TIMEOUT both set " +
          "server.drainTimeout and differ: remove one."
      )
    })
  )

  it.effect("a section that maps a variable to an unknown key is refused", () =>
    Effect.gen(function* () {
      const Wrong = Config.section("wrong", { host: Schema.String }, { variables: { H: "hots" } })
      const { problems } = yield* Effect.flip(
        Config.load({ sections: [Wrong], values: { wrong: { host: "x" } } })
      )
      assert.strictEqual(problems[0]?.nearest, "host")
    })
  )
})
