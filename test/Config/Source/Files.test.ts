import * as NodeServices from "@effect/platform-node/NodeServices"
import { afterAll, assert, beforeAll, describe, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Config from "../../../src/Config/index.ts"
import { directoryWith, row, ServerConfig } from "../fixtures.ts"

const sections = [ServerConfig] as const

layer(NodeServices.layer)("Config files", (it) => {
  const samples = {
    "flange.json": `{"server":{"port":1,"hosts":["a"]},"environments":{"test":{"server":{"port":2}}}}`,
    "flange.toml": '[server]\nport = 1\nhosts = ["a"]\n[environments.test.server]\nport = 2\n',
    "flange.yaml":
      "server:\n  port: 1\n  hosts: [a]\nenvironments:\n  test:\n    server:\n      port: 2\n",
    "flange.yml":
      "server:\n  port: 1\n  hosts:\n    - a\nenvironments:\n  test: { server: { port: 2 } }\n"
  }
  for (const [name, content] of Object.entries(samples)) {
    it.effect(`${name} is read with its overlay`, () =>
      Effect.gen(function* () {
        const directory = yield* directoryWith({ [name]: content })
        const resolved = yield* Config.load({ directory, environment: "test", sections })
        assert.strictEqual(row(resolved, "server.port"), `2 from ${name} [environments.test]`)
        assert.deepStrictEqual(Context.get(resolved.context, ServerConfig).hosts, ["a"])
        const local = yield* Config.load({ directory, sections })
        assert.strictEqual(row(local, "server.port"), `1 from ${name}`)
      })
    )
  }

  it.effect("a directory without a file is an empty configuration", () =>
    Effect.gen(function* () {
      const directory = yield* directoryWith({})
      const { context } = yield* Config.load({ directory, sections, variables: { PORT: "7" } })
      assert.strictEqual(Context.get(context, ServerConfig).port, 7)
    })
  )

  it.effect("two files are a problem that names both, and no missing key is reported", () =>
    Effect.gen(function* () {
      const directory = yield* directoryWith({ "flange.json": "{}", "flange.toml": "" })
      const { problems } = yield* Effect.flip(Config.load({ directory, sections }))
      assert.deepStrictEqual(
        problems.map((problem) => problem.message),
        ["The directory has flange.json and flange.toml: keep one of them, or name one explicitly."]
      )
      const resolved = yield* Config.load({
        directory,
        file: "flange.toml",
        sections,
        variables: { PORT: "7" }
      })
      assert.strictEqual(resolved.environment, "local")
    })
  )

  it.effect("an explicit file that does not exist is a problem", () =>
    Effect.gen(function* () {
      const directory = yield* directoryWith({})
      const { problems } = yield* Effect.flip(
        Config.load({ directory, file: "other.toml", sections })
      )
      assert.match(problems[0]?.message ?? "", /^other\.toml cannot be read \(NotFound\)/)
    })
  )

  it.effect("an explicit file of unknown format is a problem", () =>
    Effect.gen(function* () {
      const directory = yield* directoryWith({ "flange.ini": "" })
      const { problems } = yield* Effect.flip(
        Config.load({ directory, file: "flange.ini", sections })
      )
      assert.match(problems[0]?.message ?? "", /use \.json, \.toml, \.yaml or \.yml/)
    })
  )

  it.effect("values and file together are refused", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        Config.load({ file: "flange.toml", sections: [], values: {} })
      )
      assert.match(error.message, /Both values and file flange\.toml are given/)
    })
  )

  describe("syntax errors", () => {
    const broken = [
      [
        "flange.json",
        '{\n  "a": hunter2\n}',
        "flange.json line 2, column 8",
        "expected a JSON value"
      ],
      [
        "flange.json",
        '{"a": 1,}',
        "flange.json line 1, column 9",
        "expected a key in double quotes"
      ],
      [
        "flange.json",
        '{"a": [1',
        "flange.json line 1, column 9",
        'expected "," or "]", found the end of the file'
      ],
      ["flange.json", "{} x", "flange.json line 1, column 4", "expected the end of the file"],
      [
        "flange.json",
        "",
        "flange.json line 1, column 1",
        "expected a JSON value, found the end of the file"
      ],
      [
        "flange.json",
        '{"a": {"b": 1, "\\u0062": 2}}',
        "flange.json line 1, column 16",
        "duplicate key"
      ],
      ["flange.toml", "aa = 1\naa = 2\n", "flange.toml line 2", "cannot redefine existing key"],
      ["flange.yaml", "a: {bb: 1, bb: 2}\n", "flange.yaml", "duplicate key"],
      ["flange.toml", "a = 1\nb = hunter2\n", "flange.toml line 2, column 12", "invalid value"],
      ["flange.yaml", "a: 1\n  b: 2\n", "flange.yaml line 2", "invalid colon in plain scalar"],
      ["flange.yaml", "a: *hunter2\n", "flange.yaml", "unknown YAML alias"],
      ["flange.yaml", "a: [*hunter2]\n", "flange.yaml", "unknown alias"],
      ["flange.yaml", "aa: 1\naa: 2\n", "flange.yaml line 2", "duplicate key"],
      ["flange.yaml", "a: [1\n", "flange.yaml", "expected ','"]
    ] as const
    for (const [name, content, source, reason] of broken) {
      it.effect(`${name} with ${JSON.stringify(content)} is refused with position and reason`, () =>
        Effect.gen(function* () {
          const directory = yield* directoryWith({ [name]: content })
          const error = yield* Effect.flip(Config.load({ directory, sections }))
          assert.strictEqual(error.problems.length, 1)
          assert.isTrue(error.problems[0]?.source.startsWith(source), error.problems[0]?.source)
          assert.include(error.problems[0]?.message, `(${reason})`)
          assert.notInclude(error.message, "hunter2")
        })
      )
    }
  })

  it.effect("a broken file does not make the environment it may declare unknown", () =>
    Effect.gen(function* () {
      const directory = yield* directoryWith({ "flange.toml": "[environments.eu" })
      const { problems } = yield* Effect.flip(
        Config.load({ directory, sections, variables: { FLANGE_ENV: "eu" } })
      )
      assert.deepStrictEqual(
        problems.map(({ key }) => key),
        ["(file)"]
      )
    })
  )

  describe("shape", () => {
    const shapes = [
      ["[1]", "flange.json holds a list at the top: write an object with one key per section."],
      ['"x"', "flange.json holds a string at the top: write an object with one key per section."],
      [
        '{"environments": 1}',
        "environments in flange.json is not an object: write [environments.<name>] with the values."
      ],
      [
        '{"environments": {"test": 1}}',
        "environments.test in flange.json is not an object: write the sections that differ there."
      ],
      ['{"env": 1}', "env in flange.json is not a string: write the name of an environment."]
    ] as const
    for (const [content, message] of shapes) {
      it.effect(`a file with ${content} is refused`, () =>
        Effect.gen(function* () {
          const directory = yield* directoryWith({ "flange.json": content })
          const { problems } = yield* Effect.flip(Config.load({ directory, sections: [] }))
          assert.deepStrictEqual(
            problems.map((problem) => problem.message),
            [message]
          )
        })
      )
    }
  })

  describe("prototype keys", () => {
    const files = {
      "flange.json": `{"server":{"port":1,"__proto__":{"polluted":true}},"constructor":{"x":1}}`,
      "flange.toml":
        "[server]\nport = 1\n[server.__proto__]\npolluted = true\n[constructor]\nx = 1\n",
      "flange.yaml": "server:\n  port: 1\n  __proto__:\n    polluted: true\nconstructor:\n  x: 1\n"
    }
    for (const [name, content] of Object.entries(files)) {
      it.effect(`a prototype key in ${name} is refused`, () =>
        Effect.gen(function* () {
          const directory = yield* directoryWith({ [name]: content })
          const { problems } = yield* Effect.flip(Config.load({ directory, sections }))
          assert.deepStrictEqual(
            problems.map((problem) => problem.key),
            ["constructor", "server.__proto__"]
          )
          assert.notProperty({}, "polluted")
        })
      )
    }

    it.effect("a prototype key in variables, defaults and overrides is refused", () =>
      Effect.gen(function* () {
        const hostile: object = JSON.parse(`{"server":{"prototype":{"polluted":true}}}`)
        const { problems } = yield* Effect.flip(
          Config.load({
            defaults: [{ plugin: "x", values: hostile }],
            overrides: hostile,
            sections,
            values: { server: { port: 1 } },
            variables: { FLANGE__CONSTRUCTOR__POLLUTED: "1", FLANGE____PROTO____POLLUTED: "1" }
          })
        )
        assert.deepStrictEqual(
          problems.map((problem) => problem.source),
          [
            "variable FLANGE__CONSTRUCTOR__POLLUTED",
            "variable FLANGE____PROTO____POLLUTED",
            "defaults of plugin x",
            "overrides"
          ]
        )
        assert.notProperty({}, "polluted")
      })
    )

    it.effect("a value in code that contains itself is refused", () =>
      Effect.gen(function* () {
        const values: Record<string, unknown> = { server: { port: 1 } }
        values["again"] = values
        const error = yield* Effect.flip(Config.load({ sections, values }))
        assert.match(error.message, /The value of again in code contains itself/)
      })
    )
  })

  describe("numbers", () => {
    const Amounts = Config.section("amounts", { list: Schema.Unknown, one: Schema.Unknown })
    const files = {
      "flange.json": (number: string) => `{"amounts": {"list": [1, ${number}], "one": ${number}}}`,
      "flange.toml": (number: string) => `[amounts]\nlist = [1, ${number}]\none = ${number}\n`,
      "flange.yaml": (number: string) => `amounts:\n  list: [1, ${number}]\n  one: ${number}\n`
    }
    const loadWith = Effect.fnUntraced(function* (name: string, content: string) {
      const directory = yield* directoryWith({ [name]: content })
      return yield* Config.load({ directory, sections: [Amounts] })
    })
    for (const [name, content] of Object.entries(files)) {
      for (const number of [
        "9007199254740993",
        "-12345678901234567890",
        "9007199254740993.0",
        "1e400"
      ]) {
        it.effect(`${number} in ${name} is refused, because a number cannot keep its digits`, () =>
          Effect.gen(function* () {
            const error = yield* Effect.flip(loadWith(name, content(number)))
            assert.match(error.message, /more digits than a number keeps|integer out of range/)
          })
        )
      }

      it.effect(`numbers that are exact are read from ${name}`, () =>
        Effect.gen(function* () {
          for (const [written, wanted] of [
            ["9007199254740991", 9_007_199_254_740_991],
            ["-0.25", -0.25],
            ["1e3", 1000]
          ] as const) {
            const { context } = yield* loadWith(name, content(written))
            assert.deepStrictEqual(Context.get(context, Amounts).list, [1, wanted])
            assert.deepStrictEqual(Context.get(context, Amounts).one, wanted)
          }
        })
      )
    }
  })

  describe("times without an offset", () => {
    const zone = process.env["TZ"]
    beforeAll(() => {
      process.env["TZ"] = "Asia/Tokyo"
    })
    afterAll(() => {
      if (zone === undefined) delete process.env["TZ"]
      else process.env["TZ"] = zone
    })
    const Times = Config.section("times", {
      at: Schema.optionalKey(Schema.Date),
      list: Schema.optionalKey(Schema.Array(Schema.DateFromString)),
      text: Schema.optionalKey(Schema.String),
      utc: Schema.optionalKey(Schema.DateTimeUtc)
    })
    const local = "1979-05-27T07:32:00"
    const files = {
      "flange.json": `{"times": {"at": "${local}", "list": ["${local}"], "text": "${local}", "utc": "${local}"}}`,
      "flange.toml": `[times]\nat = ${local}\nlist = [${local}]\ntext = ${local}\nutc = ${local}\n`,
      "flange.yaml": `times:\n  at: ${local}\n  list: [ '${local}' ]\n  text: ${local}\n  utc: ${local}\n`
    }
    for (const [name, content] of Object.entries(files)) {
      it.effect(`${name} means UTC and not the zone of the machine`, () =>
        Effect.gen(function* () {
          const directory = yield* directoryWith({ [name]: content })
          const { context } = yield* Config.load({ directory, sections: [Times] })
          const times = Context.get(context, Times)
          assert.strictEqual(new Date(local).toISOString(), "1979-05-26T22:32:00.000Z")
          assert.strictEqual(times.at?.toISOString(), `${local}.000Z`)
          assert.strictEqual(times.list?.[0]?.toISOString(), `${local}.000Z`)
          assert.strictEqual(times.utc?.toJSON(), `${local}.000Z`)
          assert.strictEqual(times.text, local)
        })
      )
    }

    it.effect("an offset, a date alone and a variable keep their meaning", () =>
      Effect.gen(function* () {
        for (const [text, wanted] of [
          [`${local}+02:00`, "1979-05-27T05:32:00.000Z"],
          ["1979-05-27", "1979-05-27T00:00:00.000Z"],
          ["1979-05-27 07:32", "1979-05-27T07:32:00.000Z"]
        ] as const) {
          const { context } = yield* Config.load({
            sections: [Times],
            variables: { FLANGE__TIMES__AT: text }
          })
          assert.strictEqual(Context.get(context, Times).at?.toISOString(), wanted)
        }
      })
    )
  })

  describe("keys that are all commented out", () => {
    const Pool = Config.section("pool", {
      hosts: Schema.Array(Schema.String).pipe(Config.withDefault(["x"])),
      limits: Schema.optionalKey(Schema.Struct({ max: Schema.optionalKey(Schema.Int) })),
      nothing: Schema.optionalKey(Schema.NullOr(Schema.Struct({}))),
      size: Schema.Int.pipe(Config.withDefault(1))
    })
    it.effect("a section, an overlay, an object and a list are read as empty", () =>
      Effect.gen(function* () {
        const samples = [
          "pool:\n  # size: 2\n",
          "pool: ~\n",
          "pool:\nenvironments:\n  local:\n    pool:\n    # size: 2\n",
          "environments:\n  local:\n    # pool:\n",
          "environments:\n  # local:\n",
          "env:\n",
          "# pool:\n"
        ]
        for (const content of samples) {
          const directory = yield* directoryWith({ "flange.yaml": content })
          const resolved = yield* Config.load({ directory, sections: [Pool] })
          assert.strictEqual(row(resolved, "pool.size"), "1 from schema default")
          assert.deepStrictEqual(resolved.warnings, [])
        }
        const directory = yield* directoryWith({
          "flange.yml":
            "pool:\n  hosts:\n  # - a\n  limits:\n    max: 3\n  nothing:\nenvironments:\n  local:\n    pool:\n      limits:\n        # max: 4\n"
        })
        const { context } = yield* Config.load({ directory, sections: [Pool] })
        assert.deepStrictEqual(Context.get(context, Pool), {
          hosts: [],
          limits: { max: 3 },
          nothing: null,
          size: 1
        })
      })
    )

    it.effect("a value that is forgotten is refused", () =>
      Effect.gen(function* () {
        const directory = yield* directoryWith({ "flange.yaml": "pool:\n  size:\n" })
        const { problems } = yield* Effect.flip(Config.load({ directory, sections: [Pool] }))
        assert.strictEqual(
          problems[0]?.message,
          "null from flange.yaml is refused for pool.size: write an integer."
        )
      })
    )
  })
})
