import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
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

  it.effect("a short variable sets a number below an object with a default", () =>
    Effect.gen(function* () {
      const time = Config.Duration.pipe(Config.withDefault("1 second"))
      const Nested = Config.section(
        "nested",
        { below: Schema.Struct({ time }).pipe(Config.withDefault({})) },
        { variables: { TIME: "below.time" } }
      )
      const { context } = yield* Config.load({ sections: [Nested], variables: { TIME: "75" } })
      assert.strictEqual(Duration.toMillis(Context.get(context, Nested).below.time), 75)
    })
  )

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

  const Lists = Config.section("lists", {
    hosts: Schema.optionalKey(Schema.Array(Schema.String)),
    methods: Schema.Array(Schema.String).pipe(Config.withDefault(["GET", "PUT"])),
    nested: Schema.optionalKey(Schema.Struct({ names: Schema.Array(Schema.String) })),
    pairs: Schema.optionalKey(Schema.Array(Schema.Struct({ a: Schema.Int }))),
    secrets: Schema.optionalKey(Schema.Array(Config.Secret)),
    table: Schema.optionalKey(Schema.Record(Schema.String, Schema.Int))
  })
  const noLists = [
    '["a","b"',
    '"a","b"]',
    "['a']",
    "[a,b]",
    "[a",
    "a]",
    "a,b,",
    ",a",
    "a,,b",
    '"a","b"',
    "'a'",
    'a,"b"',
    '{"a":1}',
    '["a",]',
    '["a"] x'
  ]
  for (const text of noLists) {
    for (const key of ["HOSTS", "HOSTS__ADD", "NESTED__NAMES", "PAIRS", "SECRETS"]) {
      it.effect(`${text} is not a list for ${key}, and the report says what one is`, () =>
        Effect.gen(function* () {
          const { problems } = yield* Effect.flip(
            Config.load({
              sections: [Lists],
              values: { lists: { hosts: ["x"] } },
              variables: { [`FLANGE__LISTS__${key}`]: text }
            })
          )
          assert.strictEqual(problems.length, 1)
          assert.strictEqual(problems[0]?.source, `variable FLANGE__LISTS__${key}`)
          assert.include(problems[0]?.message, 'a list in JSON, such as ["a", "b"]')
          if (key === "SECRETS") assert.strictEqual(problems[0]?.received, "<redacted>")
        })
      )
    }
  }

  it.effect("an object that is not valid JSON, or has a key twice, is refused", () =>
    Effect.gen(function* () {
      for (const text of ['{"a":1', "{a:1}", '{"a":1,"a":2}', '{"a":9007199254740993}']) {
        const { problems } = yield* Effect.flip(
          Config.load({ sections: [Lists], variables: { FLANGE__LISTS__TABLE: text } })
        )
        assert.strictEqual(problems.length, 1)
        assert.include(problems[0]?.message, "an object in JSON")
      }
    })
  )

  it.effect("a number with more digits than a number keeps is refused", () =>
    Effect.gen(function* () {
      const Amounts = Config.section("amounts", { amount: Schema.Number })
      for (const text of [
        "9007199254740993",
        "12345678901234567890",
        "1e400",
        "-9007199254740993"
      ]) {
        const { problems } = yield* Effect.flip(
          Config.load({ sections: [Amounts], variables: { FLANGE__AMOUNTS__AMOUNT: text } })
        )
        assert.include(problems[0]?.message, "more digits than a number keeps")
      }
      const { context } = yield* Config.load({
        sections: [Amounts],
        variables: { FLANGE__AMOUNTS__AMOUNT: "9007199254740991" }
      })
      assert.strictEqual(Context.get(context, Amounts).amount, 9_007_199_254_740_991)
    })
  )

  it.effect("a short number that a check refuses is not called too long", () =>
    Effect.gen(function* () {
      const Time = Config.Duration.check(Schema.makeFilter(Duration.isPositive))
      const Clock = Config.section(
        "clock",
        { alarm: Schema.Struct({ time: Schema.optionalKey(Time) }).pipe(Config.withDefault({})) },
        { variables: { ALARM: "alarm.time" } }
      )
      const { problems } = yield* Effect.flip(
        Config.load({ sections: [Clock], variables: { ALARM: "0" } })
      )
      assert.include(problems[0]?.message, '"0" from variable ALARM is refused')
      assert.notInclude(problems[0]?.message, "more digits")
    })
  )

  describe("__ADD", () => {
    const hosts = (options: object) =>
      Effect.map(Config.load({ ...options, sections: [Lists] }), (resolved) => ({
        hosts: Context.get(resolved.context, Lists).hosts,
        methods: Context.get(resolved.context, Lists).methods,
        row: row(resolved, "lists.hosts")
      }))
    const variables = { FLANGE__LISTS__HOSTS__ADD: "b, c" }

    it.effect("adds to the list of a file, and the report names the variable", () =>
      Effect.gen(function* () {
        assert.deepInclude(yield* hosts({ values: { lists: { hosts: ["a"] } }, variables }), {
          hosts: ["a", "b", "c"],
          row: '["a","b","c"] from variable FLANGE__LISTS__HOSTS__ADD'
        })
      })
    )

    it.effect("adds to an overlay, to another variable, to a default, or to nothing", () =>
      Effect.gen(function* () {
        const values = {
          environments: { local: { lists: { hosts: ["o"] } } },
          lists: { hosts: ["a"] }
        }
        assert.deepStrictEqual((yield* hosts({ values, variables })).hosts, ["o", "b", "c"])
        const both = { ...variables, FLANGE__LISTS__HOSTS: "x" }
        assert.deepStrictEqual((yield* hosts({ values, variables: both })).hosts, ["x", "b", "c"])
        const methods = { FLANGE__LISTS__METHODS__ADD: '["POST"]' }
        assert.deepStrictEqual((yield* hosts({ values: {}, variables: methods })).methods, [
          "GET",
          "PUT",
          "POST"
        ])
        assert.deepStrictEqual((yield* hosts({ values: {}, variables })).hosts, ["b", "c"])
      })
    )
  })

  describe("keys of records", () => {
    const Proxy = Config.section("proxy", {
      headers: Schema.Record(Schema.String, Schema.String).pipe(
        Config.withDefault({ "x-frame-options": "DENY" })
      ),
      labels: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
      services: Schema.optionalKey(
        Schema.Record(Schema.String, Schema.Struct({ maxSize: Schema.Int }))
      )
    })
    const load = (variables: Record<string, string>, proxy: object = {}) =>
      Effect.map(Config.load({ sections: [Proxy], values: { proxy }, variables }), ({ context }) =>
        Context.get(context, Proxy)
      )

    it.effect("a variable finds the key of a default and of a file, however they are spelled", () =>
      Effect.gen(function* () {
        const found = yield* load(
          {
            FLANGE__PROXY__HEADERS__X_FRAME_OPTIONS: "SAMEORIGIN",
            FLANGE__PROXY__LABELS__TEAM_NAME: "core",
            FLANGE__PROXY__SERVICES__MY_SERVICE__MAX_SIZE: "2"
          },
          { labels: { teamName: "x" }, services: { "my-service": { maxSize: 1 } } }
        )
        assert.deepStrictEqual({ ...found.headers }, { "x-frame-options": "SAMEORIGIN" })
        assert.deepStrictEqual({ ...found.labels }, { teamName: "core" })
        assert.deepStrictEqual(Object.keys(found.services ?? {}), ["my-service"])
        assert.strictEqual(found.services?.["my-service"]?.maxSize, 2)
      })
    )

    it.effect("a new key with an underscore is refused, because its spelling is not known", () =>
      Effect.gen(function* () {
        for (const name of [
          "HEADERS__X_NEW",
          "LABELS__TEAM_NAME",
          "SERVICES__MY_SERVICE__MAX_SIZE"
        ]) {
          const { problems } = yield* Effect.flip(load({ [`FLANGE__PROXY__${name}`]: "1" }))
          assert.strictEqual(problems[0]?.source, `variable FLANGE__PROXY__${name}`)
          assert.match(problems[0]?.message ?? "", /does not tell whether .* as JSON\.$/)
        }
      })
    )

    it.effect("a key that could be two is refused, and one without an underscore is taken", () =>
      Effect.gen(function* () {
        const { problems } = yield* Effect.flip(
          load({ FLANGE__PROXY__LABELS__A_B: "1" }, { labels: { "a-b": "x", aB: "y" } })
        )
        assert.match(problems[0]?.message ?? "", /may mean a-b or aB/)
        const found = yield* load({ FLANGE__PROXY__LABELS__TEAM: "core" })
        assert.deepStrictEqual({ ...found.labels }, { team: "core" })
      })
    )
  })
})
